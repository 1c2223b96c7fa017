# haproxy with four threads that share one epoll each, in front of a python server; queues and retries.

app()
{
	serve "$python" "$here/curl_server.py" port
	wait_for test -s port
	http=$(cat port) origin=$server
	free_port
	cat >conf <<END
global
	nbthread 4
	maxconn 200
defaults
	mode http
	timeout connect 20s
	timeout client 20s
	timeout server 20s
frontend f
	bind 127.0.0.1:$port
	compression algo gzip
	compression type application/octet-stream
	default_backend b
backend b
	balance leastconn
	server one 127.0.0.1:$http maxconn 5
	server two 127.0.0.1:$http maxconn 3
END
	serve haproxy -q -db -f conf
	wait_for curl -s -f -o /dev/null "http://127.0.0.1:$port/file/1"
	for i in 1 2; do
		under curl -sS -Z --parallel-max 16 --fail --max-time 60 "http://127.0.0.1:$port/file/[1-40]" \
			-o "get-$i-#1" || fail "curl ended with $?"
	done
	corpus 3000000 body
	under curl -sS --fail --max-time 60 -T body -H Expect: "http://127.0.0.1:$port/put" ||
		fail "curl -T ended with $?"
	cat get-* | cksum
	# SIGUSR1 is its orderly end.
	kill -USR1 "$server"
	ended 0
	server=$origin
	kill -TERM "$server"
	ended 0
}
