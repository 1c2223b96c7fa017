# mariadb with sysbench's mix of transactions and with increments that may not be lost: a thread per
# connection, InnoDB's background threads, a waiter behind every row lock.

limit=150

sql()
{
	mariadb --no-defaults -S "$PWD/sock" -N -B "$@"
}

oltp()
{
	under sysbench oltp_read_write --mysql-socket="$PWD/sock" --mysql-user=root --mysql-db=test \
		--tables=4 --table-size=1000 --threads=12 --events=400 --time=0 "$@" >oltp 2>&1 ||
		fail "sysbench $*: $(grep -m 1 -E 'FATAL|rror' oltp)"
	cat oltp >&2
}

app()
{
	user=
	[ "$(id -u)" -ne 0 ] || user=--user=root
	mariadb-install-db --no-defaults --auth-root-authentication-method=normal --datadir="$PWD/data" \
		$user --skip-test-db >install 2>&1 || fail "install: $(tail -n 1 install)"
	serve mariadbd --no-defaults --datadir="$PWD/data" --socket="$PWD/sock" --skip-networking \
		$user --pid-file="$PWD/pid" --innodb-buffer-pool-size=64M --tmpdir="$PWD"
	wait_for sql -e 'create database test' >/dev/null
	oltp prepare
	oltp run
	sed -n 's/^ *total number of events: */events /p' oltp
	sql test -e 'create table n (i int primary key, v int) engine=innodb; insert into n values (1, 0)'
	under mariadb-slap --no-defaults -S "$PWD/sock" --create-schema=test --concurrency=16 \
		--number-of-queries=1600 --query='update n set v = v + 1 where i = 1' >&2 ||
		fail "mariadb-slap ended with $?"
	sql test -e 'select v from n; check table n, sbtest1, sbtest2, sbtest3, sbtest4;
		select count(*) from sbtest1'
	mariadb-admin --no-defaults -S "$PWD/sock" shutdown
	ended 0
}
