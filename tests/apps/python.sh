# python3: threads, queues, conditions, timers, sockets, pools, subprocesses and fork beside threads.

app()
{
	under "$python" "$here/python_work.py" || fail "python ended with status $?"
}
