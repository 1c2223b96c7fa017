# A threaded program under strace -f: the same result, and the system calls that the program itself
# asks for are the same in number; the library only adds its own.

# calls NAME: how often, as strace -c counts.
calls()
{
	awk -v name="$1" '$NF == name { print $4 }' counts
}

app()
{
	echo go >go
	under strace -f -c -o counts "$APPS_BUILD/crowd" go || fail "strace ended with status $?"
	# A thread more than natively: ours.
	threads=$(calls clone3)
	[ "$MODE" = native ] || threads=$((threads - 1))
	echo "threads: $threads, pipes: $(calls pipe2), programs: $(calls execve)"
}
