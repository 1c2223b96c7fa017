# java: the virtual machine with each of its collectors; safepoints by signals and protected pages.

cases="serial parallel g1 z"
limit=120

app()
{
	case $case in
	serial) gc=-XX:+UseSerialGC ;;
	parallel) gc="-XX:+UseParallelGC -XX:ParallelGCThreads=4" ;;
	g1) gc="-XX:+UseG1GC -XX:ParallelGCThreads=4 -XX:ConcGCThreads=2" ;;
	z) gc="-XX:+UseZGC" ;;
	esac
	# The compiler is one more program to try.
	under javac -d . "$here/Work.java" >&2 || fail "javac ended with status $?"
	# shellcheck disable=SC2086
	under java -Xmx128m $gc Work || fail "java ended with status $?"
}
