# postgresql: processes that share memory and semaphores, without threads of their own; pgbench, which
# has them, makes transfers whose sums must agree.

limit=120

as()
{
	# shellcheck disable=SC2086
	env PATH="$bin:$PATH" $as_user "$@"
}

sql()
{
	as psql -h "$PWD" -d postgres -X -A -t "$@"
}

app()
{
	bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
	[ -z "$as_user" ] || chown 65534:65534 .
	as initdb -D data -A trust -U postgres --no-sync --no-locale >init 2>&1 || fail "initdb: $(tail -n 1 init)"
	export PGUSER=postgres
	# shellcheck disable=SC2086
	serve $as_user "$bin/postgres" -D "$PWD/data" -k "$PWD" -c listen_addresses= -c fsync=off
	wait_for sql -c 'select 1' >/dev/null
	# shellcheck disable=SC2086
	under $as_user "$bin/pgbench" -h "$PWD" -i -q -s 2 postgres >&2 || fail "pgbench -i: $?"
	# shellcheck disable=SC2086
	under $as_user "$bin/pgbench" -h "$PWD" -n -c 8 -j 4 -t 100 postgres >bench ||
		fail "pgbench: $?"
	cat bench >&2
	grep 'number of transactions' bench
	sql -c 'select count(*), (select sum(delta) from pgbench_history) = (select sum(abalance) from
		pgbench_accounts), (select sum(bbalance) from pgbench_branches) = (select sum(tbalance)
		from pgbench_tellers) from pgbench_history'
	sql -c 'set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0;
		select count(*), sum(aid) from pgbench_accounts'
	kill -INT "$server"
	ended 0
}
