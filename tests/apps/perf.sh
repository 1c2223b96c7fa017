# perf records a program of many threads, with their stacks: its result is the same, and the samples
# say where it computed.  The kernel must let us (perf_event_paranoid, or root).

app()
{
	corpus 12000000 data
	under perf record -q -e cpu-clock -g -o samples pigz -p 6 -nTc data >data.gz ||
		fail "perf record ended with status $?"
	cksum <data.gz
	perf script -i samples -F comm,ip,sym,dso >script || fail "perf script ended with status $?"
	n=$(grep -c '(.*/libz\.so' script)
	[ "$n" -gt 50 ] || fail "$n samples of libz"
}
