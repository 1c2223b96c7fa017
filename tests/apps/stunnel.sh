# stunnel: a thread per connection, TLS both ways through two of them to a python server.

config()
{
	printf '%s\n' "foreground = yes" "pid =" "debug = 3" "[x]" "$@"
}

start()
{
	free_port
	"$1" >"$1.conf"
	serve stunnel "$1.conf"
	wait_for python -c "import socket; socket.create_connection(('127.0.0.1', $port))"
}

server_end()
{
	config "accept = 127.0.0.1:$port" "connect = 127.0.0.1:$http" "cert = $PWD/cert" "key = $PWD/key"
}

client_end()
{
	config "client = yes" "accept = 127.0.0.1:$port" "connect = 127.0.0.1:$tls" "verifyChain = yes" \
		"CAfile = $PWD/cert"
}

app()
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost -keyout key -out cert 2>log ||
		fail "no certificate: $(tail -n 1 log)"
	serve "$python" "$here/curl_server.py" port
	wait_for test -s port
	http=$(cat port) origin=$server
	start server_end
	tls=$port first=$server
	start client_end
	second=$server
	for i in 1 2; do
		under curl -sS -Z --parallel-max 12 --fail --max-time 60 "http://127.0.0.1:$port/file/[1-40]" \
			-o "get-$i-#1" || fail "curl ended with $?"
	done
	corpus 3000000 body
	under curl -sS --fail --max-time 60 -T body -H Expect: "http://127.0.0.1:$port/put" ||
		fail "curl -T ended with $?"
	cat get-* | cksum
	for server in "$second" "$first" "$origin"; do
		kill -TERM "$server"
		ended 0
	done
}
