# chromium: a browser's processes and threads, its message loops on futexes and epoll; a page with
# workers.  In its sandbox, whose filter forbids much that the library does, and without.
cases="open sandboxed"
limit=120

app()
{
	python "$here/chromium_server.py" >port &
	server=$!
	wait_for test -s port
	sandbox=--no-sandbox
	[ "$case" = open ] || sandbox=
	chmod 777 .
	# What it says on stderr is of missing services of a desktop, and differs from run to run.
	# shellcheck disable=SC2086
	HOME=$PWD under $as_user chromium --headless=new $sandbox --disable-gpu --disable-dev-shm-usage \
		--user-data-dir="$PWD/profile" --dump-dom "http://127.0.0.1:$(cat port)/page" 2>stderr >dom ||
		fail "chromium: $?"
	kill $server
	grep 'gmp: ' stderr >&2
	grep -o 'sum [0-9][0-9]*<' dom || fail "the workers did not end"
}
