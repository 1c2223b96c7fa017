# curl with twelve transfers at a time (a resolver thread for each) from a python server with a
# thread per connection; both are under the library.

app()
{
	serve "$python" "$here/curl_server.py" port
	wait_for test -s port
	read -r port <port
	for i in 1 2; do
		under curl -sS -Z --parallel-max 12 --fail --max-time 60 \
			"http://localhost:$port/file/[1-40]" -o "get-$i-#1" || fail "curl ended with $?"
	done
	corpus 3000000 body
	under curl -sS --fail --max-time 60 -T body -H Expect: "http://localhost:$port/put" ||
		fail "curl -T ended with $?"
	under curl -sS -Z --max-time 60 "http://localhost:$port/none" "http://localhost:$port/slow" \
		-o none -o slow -w '%{http_code} %{size_download}\n' | sort
	cat get-* | cksum
	ls get-* | wc -l
	kill -TERM "$server"
	ended 0
}
