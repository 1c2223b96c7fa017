# chromium: a browser's processes and threads, its message loops on futexes and epoll; a page with
# workers.  Its sandbox is off, for tests run as root.
limit=120

app()
{
	python "$here/chromium_server.py" >port &
	server=$!
	wait_for test -s port
	# What it says on stderr is of missing services of a desktop, and differs from run to run.
	HOME=$PWD under chromium --headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --dump-dom "http://127.0.0.1:$(cat port)/page" 2>stderr >dom ||
		fail "chromium: $?"
	kill $server
	grep 'gmp: ' stderr >&2
	grep -o 'sum [0-9][0-9]*<' dom || fail "the workers did not end"
}
