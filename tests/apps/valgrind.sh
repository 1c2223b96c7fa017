# A threaded program under memcheck: its result is the same, and no error is found in it or in us.
# It gets its line from a file that is there at once.

app()
{
	echo go >go
	under valgrind --tool=memcheck --error-exitcode=9 --log-file=memcheck \
		"$APPS_BUILD/crowd" go || fail "memcheck ended with status $?: $(tail -n 1 memcheck)"
	grep -q 'ERROR SUMMARY: 0 errors' memcheck || fail "memcheck: $(tail -n 1 memcheck)"
}
