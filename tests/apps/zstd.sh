# zstd with four threads, from a file and through pipes; the result has the compressed bytes.

app()
{
	corpus 12000000 data
	under zstd -q -T4 -6 -B1048576 data -o data.zst || fail "zstd ended with status $?"
	under zstd -q -d data.zst -o back || fail "zstd -d ended with status $?"
	cmp data back >&2 || fail "the data came back changed"
	under zstd -q -T4 -3 --long -c <data | under zstd -q -d -c >back || fail "the pipe failed"
	cmp data back >&2 || fail "the data came back changed through a pipe"
	under zstd -q -b1 -e3 -i0 -T4 data >&2 || fail "zstd -b ended with status $?"
	cksum <data.zst
	cksum <back
}
