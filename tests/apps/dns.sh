# Two name servers with threads, unbound and bind, asked by dig (which has threads of libuv) and by a
# python client with known answers.

cases="unbound named"

records()
{
	for i in $(seq 200); do echo "h$i 60 IN A 10.0.$((i % 7)).$i"; done
}

start_unbound()
{
	cat >conf <<END
server:
	interface: 127.0.0.1@$port
	num-threads: 4
	so-reuseport: no
	username: ""
	chroot: ""
	directory: "$PWD"
	pidfile: "$PWD/pid"
	use-syslog: no
	do-daemonize: no
	local-zone: "test." static
$(records | sed 's/^\(h[0-9]*\)\(.*\)$/	local-data: "\1.test.\2"/')
remote-control:
	control-enable: no
END
	serve unbound -d -p -c conf
}

start_named()
{
	{
		echo '@ 60 IN SOA ns.test. root.test. 1 2 3 4 5'
		echo '@ 60 IN NS ns.test.'
		echo 'ns 60 IN A 127.0.0.1'
		records
	} >zone
	cat >conf <<END
options { directory "$PWD"; listen-on port $port { 127.0.0.1; }; listen-on-v6 { none; }; recursion no;
	pid-file "$PWD/pid"; session-keyfile "$PWD/key"; };
controls { };
zone "test" { type master; file "$PWD/zone"; };
END
	serve named -g -n 4 -c "$PWD/conf"
}

app()
{
	free_port
	"start_$case"
	wait_for dig +tries=1 +time=1 @127.0.0.1 -p "$port" h1.test A >/dev/null
	under "$python" "$here/dns_load.py" "$port" || fail "the load found wrong answers"
	for i in $(seq 200); do echo "h$i.test A"; done >names
	under dig @127.0.0.1 -p "$port" +short -f names >answers || fail "dig ended with $?"
	cksum <answers
	under dig @127.0.0.1 -p "$port" +tcp +short -f names | cksum
	kill -TERM "$server"
	ended 0
}
