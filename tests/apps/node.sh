# node: worker threads with shared memory, V8's helpers, libuv's pool and event loop.

app()
{
	under node "$here/node_work.js" || fail "node ended with status $?"
}
