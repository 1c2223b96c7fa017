# make -j and ninja: many children through vfork and posix_spawn, a pipe of job tokens, and jobs that
# have threads of their own.

app()
{
	corpus 1000000 data
	for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
		echo "int f$i(int x) { return x * $i; }" >"f$i.c"
	done
	cat >Makefile <<'END'
all: sum
sum: $(patsubst %.c,%.o,$(wildcard f*.c)) $(addsuffix .zst,1 2 3 4 5 6)
	cat $^ | cksum >$@
%.o: %.c
	gcc -O2 -c -o $@ $<
%.zst:
	zstd -q -T3 -$* -B65536 -c data >$@
END
	{
		echo 'rule cc'
		echo '  command = gcc -O2 -c -o $out $in'
		echo 'rule zst'
		echo '  command = zstd -q -T3 -3 -B65536 -c data >$out'
		for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
			echo "build g$i.o: cc f$i.c"
			echo "build g$i.zst: zst data"
		done
	} >build.ninja
	under make -s -j 6 || fail "make ended with $?"
	# It prints what its jobs say on either stream.
	under ninja --quiet -j 6 >&2 || fail "ninja ended with $?"
	cat sum
	cat g*.o g*.zst | cksum
}
