# erlang: scheduler threads, dirty schedulers, a poll thread; processes that pass messages in a ring, all
# to all, over sockets, through ports and files.

app()
{
	cp "$here/erlang_work.erl" work.erl
	under erlc work.erl >&2 || fail "erlc ended with $?"
	under erl -noshell -noinput +S 4:4 +SDcpu 2:2 +SDio 3 +A 4 -s work main </dev/null || fail "erl ended with $?"
}
