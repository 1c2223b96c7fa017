# squid with cache_dir aufs: sixteen threads read its disk cache; the main thread only tries for the locks of their
# queues, and what it could not put there waits for its next event, maybe for a second.

limit=60

app()
{
	serve_files
	free_port
	mkdir cache
	chmod 777 . cache
	cat >conf <<END
http_port 127.0.0.1:$port
http_access allow all
cache_dir aufs $PWD/cache 50 4 4
cache_mem 1 MB
maximum_object_size_in_memory 1 KB
refresh_pattern . 1440 100% 1440
pid_filename $PWD/pid
cache_log $PWD/log
access_log stdio:$PWD/access
coredump_dir $PWD
shutdown_lifetime 1 seconds
netdb_filename none
pinger_enable off
END
	chmod 644 conf
	under squid -N -z -f "$PWD/conf" 2>/dev/null || fail "squid -z ended with $?"
	serve squid -N -f "$PWD/conf" -d 0
	wait_for curl -s -f -o /dev/null -x "127.0.0.1:$port" "http://127.0.0.1:$http/file/1"
	for i in $(seq 60); do
		curl -sS -Z --parallel-max 8 --fail --max-time 30 -x "127.0.0.1:$port" \
			"http://127.0.0.1:$http/file/[40-55:3]" -o "get-$i-#1" || fail "curl ended with $?"
	done
	cat get-* | cksum
	[ "$(grep -c ' TCP_HIT/200 ' access)" -ge 300 ] || fail "too few came from the disk"
	kill -TERM "$server"
	ended 0
	server=$origin
	kill -TERM "$server"
	ended 0
}
