# memcached with four worker threads; every answer to the load is checked (memcached_load.py).

app()
{
	user=
	[ "$(id -u)" -ne 0 ] || user="-u root"
	export MEMCACHED_PORT_FILENAME="$PWD/port"
	serve memcached -t 4 -l 127.0.0.1 -p -1 -U 0 -m 64 -c 256 $user
	wait_for test -s port
	port=$(sed -n 's/^TCP INET: //p' port)
	python "$here/memcached_load.py" "$port" || fail "the load found wrong answers"
	kill -TERM "$server"
	ended 0
}
