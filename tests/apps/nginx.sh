# nginx with a thread pool that reads files, driven by curl's parallel transfers and by wrk's threads.

config()
{
	cat <<END
daemon off;
worker_processes 2;
error_log stderr warn;
pid $PWD/pid;
user root;
thread_pool default threads=8 max_queue=65536;
events { worker_connections 256; }
http {
	access_log off;
	aio threads;
	sendfile ${1:-off};
	directio 64k;
	output_buffers 2 32k;
	client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fast; uwsgi_temp_path u;
	scgi_temp_path scgi;
	server { listen 127.0.0.1:$port; root $PWD/www; }
}
END
}

app()
{
	free_port
	mkdir www
	for i in 1 2 3 4 5 6; do corpus "$((i * 300000))" "www/$i"; done
	config >nginx.conf
	[ "$(id -u)" -eq 0 ] || sed -i '/^user/d' nginx.conf
	serve nginx -p "$PWD" -c "$PWD/nginx.conf" -e stderr
	wait_for curl -s -f -o /dev/null "http://127.0.0.1:$port/1"
	for i in 1 2 3; do
		under curl -sS -Z --parallel-max 12 --fail "http://127.0.0.1:$port/[1-6]" -o "get-$i-#1" ||
			fail "curl ended with $?"
	done
	under wrk -t 4 -c 16 -d 2 "http://127.0.0.1:$port/2" >wrk || fail "wrk ended with $?"
	cat wrk >&2
	grep -E 'Socket errors|Non-2xx' wrk
	cat get-* | cksum
	kill -QUIT "$server"
	ended 0
}
