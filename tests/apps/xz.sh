# xz with four threads, both ways; the compressed bytes are part of the result.

app()
{
	# xz closes its standard error before it exits: a trace shows that the library was there.
	export GMP_SCHEDTRACE=20
	corpus 12000000 data
	under xz -T4 -2 --block-size=1MiB -k -c data >data.xz || fail "xz ended with status $?"
	under xz -T4 -d -c data.xz >back || fail "xz -d ended with status $?"
	cmp data back >&2 || fail "the data came back changed"
	under xz -T4 -t -v data.xz || fail "xz -t ended with status $?"
	cksum <data.xz
	cksum <back
}
