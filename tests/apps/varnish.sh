# varnish: a manager that compiles its configuration and a child with pools of threads, a thread for each
# request; a cache in front of a python server.

limit=90

app()
{
	serve_files
	free_port
	mkdir work
	chmod 755 .
	cat >vcl <<END
vcl 4.0;
backend default { .host = "127.0.0.1"; .port = "$http"; }
sub vcl_backend_response { set beresp.ttl = 100s; }
END
	serve varnishd -F -n "$PWD/work" -f "$PWD/vcl" -a "127.0.0.1:$port" -j none -s malloc,32M \
		-p thread_pool_min=10 -p thread_pool_max=60
	wait_for curl -s -f -o /dev/null "http://127.0.0.1:$port/file/1"
	for i in 1 2 3; do
		under curl -sS -Z --parallel-max 16 --fail --max-time 60 "http://127.0.0.1:$port/file/[1-40]" \
			-o "get-$i-#1" || fail "curl ended with $?"
	done
	under wrk -t 3 -c 20 -d 2 "http://127.0.0.1:$port/file/7" >wrk || fail "wrk ended with $?"
	cat wrk >&2
	grep -E 'Socket errors|Non-2xx' wrk
	cat get-* | cksum
	under varnishstat -n "$PWD/work" -1 -f MAIN.cache_miss -f MAIN.client_req_400 | awk '{ print $1, $2 }'
	kill -INT "$server"
	ended 0
	server=$origin
	kill -TERM "$server"
	ended 0
}
