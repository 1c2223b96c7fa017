# gdb attaches to a running program, looks at every thread, lets go, attaches again, steps through
# a breakpoint and over a call that blocks; then the program finishes as if nothing had been.  And a program started by gdb.

look='set pagination off
set print thread-events off
set debuginfod enabled off'

# attach NAME COMMANDS: gdb on the program; what it says goes to NAME.
attach()
{
	printf '%s\n%s\n' "$look" "$2" >"$1.gdb"
	gdb -nx -batch -p "$server" -x "$1.gdb" >"$1" 2>&1 </dev/null ||
		fail "$1: gdb ended with status $?: $(tail -n 1 "$1")"
}

app()
{
	mkfifo go
	serve "$APPS_BUILD/crowd" go >out
	wait_for grep -q ready out
	for i in 1 2; do
		attach "attach-$i" 'thread apply all bt 24
detach'
		for f in blocked_in_read blocked_in_cond computing sleeping locking main; do
			grep -q "[ :]$f (" "attach-$i" || fail "attach-$i: nobody is in $f()"
		done
		grep -c 'in blocked_in_read (' "attach-$i"
	done
	attach breakpoint 'tbreak milestone
continue
bt 6
next
detach'
	grep -q 'hit Temporary breakpoint 1' breakpoint || fail "the breakpoint was not hit"
	attach stepping 'tbreak usleep
continue
finish
next
next
next
next
info symbol $pc
detach'
	grep -q '^locking' stepping || fail "stepping over a sleep ended in: $(tail -n 3 stepping)"
	echo go >go
	ended 0
	cat out
	started_by_gdb
}

# SIGURG must pass through a debugger that knows nothing of us: gdb stops at signals it does not
# know to be harmless.
started_by_gdb()
{
	printf '%s\n' "$look" 'run' 'info program' >start.gdb
	mkfifo go2
	echo go >go2 &
	under gdb -nx -batch -x start.gdb --args "$APPS_BUILD/crowd" go2 >started 2>&1 </dev/null ||
		fail "started: gdb ended with status $?"
	grep -q 'exited normally' started || fail "started: $(tail -n 3 started | head -n 1)"
	sed -n '/^result/p' started
}
