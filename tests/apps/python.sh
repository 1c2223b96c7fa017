# python3: threads, queues, conditions, timers, sockets, pools, subprocesses, fork beside threads.

app()
{
	under "$python" "$here/python_work.py" || fail "python ended with status $?"
}
