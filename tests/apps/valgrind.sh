# A threaded program under memcheck, helgrind and drd: its result is the same, and no error is found in it
# or in us.  It gets its line from a file that is there at once.

cases="memcheck helgrind drd"

app()
{
	echo go >go
	under valgrind --tool="$case" --suppressions="$here/../../tools/libgmp.supp" --error-exitcode=9 \
		--log-file=log "$APPS_BUILD/crowd" go ||
		fail "$case ended with status $?: $(tail -n 1 log)"
	grep -q 'ERROR SUMMARY: 0 errors' log || fail "$case: $(tail -n 1 log)"
}
