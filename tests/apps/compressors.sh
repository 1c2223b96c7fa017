# Four more compressors with threads, both ways; the compressed bytes are part of the result.

cases="pbzip2 lbzip2 plzip 7z"

pack()
{
	case $case in
	pbzip2) under pbzip2 -q -p4 -b2 -c data >packed ;;
	lbzip2) under lbzip2 -q -n 4 -c data >packed ;;
	plzip) under plzip -q -n 4 -3 -B 512KiB -c data >packed ;;
	7z) under 7z a -bd -bso0 -mmt=4 -mx=3 -m0=lzma2:c=1m -mtm- -si packed <data ;;
	esac
}

unpack()
{
	case $case in
	pbzip2) under pbzip2 -q -d -p4 -c packed ;;
	lbzip2) under lbzip2 -q -d -n 4 -c packed ;;
	plzip) under plzip -q -d -n 4 -c packed ;;
	7z) under 7z e -bd -bso0 -mmt=4 -so packed.7z ;;
	esac
}

app()
{
	corpus 6000000 data
	pack || fail "$case ended with status $?"
	unpack >back || fail "$case -d ended with status $?"
	cmp data back >&2 || fail "the data came back changed"
	cksum <back
	[ "$case" = 7z ] || cksum <packed
}
