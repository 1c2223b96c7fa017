# apache2 with its worker and its event module: a pool of threads that hand connections to each other.

cases="worker event"

config()
{
	modules=/usr/lib/apache2/modules
	cat <<END
ServerRoot $PWD
ServerName localhost
Listen 127.0.0.1:$port
PidFile $PWD/pid
DocumentRoot $PWD/www
ErrorLog /dev/stderr
LogLevel warn
LoadModule mpm_${case}_module $modules/mod_mpm_$case.so
LoadModule authz_core_module $modules/mod_authz_core.so
LoadModule deflate_module $modules/mod_deflate.so
LoadModule filter_module $modules/mod_filter.so
Mutex default:$PWD
StartServers 2
ServerLimit 2
ThreadsPerChild 16
MaxRequestWorkers 32
KeepAlive On
MaxKeepAliveRequests 0
SetOutputFilter DEFLATE
User $(id -un)
Group $(id -gn)
END
}

app()
{
	free_port
	mkdir www
	for i in 1 2 3 4; do corpus "$((i * 70000))" "www/$i"; done
	config | { if [ "$(id -u)" -eq 0 ]; then sed 's/^User.*/User nobody/; s/^Group.*/Group nogroup/'; else cat; fi; } >conf
	chmod 755 . www
	serve apache2 -f "$PWD/conf" -D FOREGROUND
	wait_for curl -s -f -o /dev/null "http://127.0.0.1:$port/1"
	ab -q -k -n 1000 -c 16 "http://127.0.0.1:$port/1" >ab 2>&1 || fail "ab: $(tail -n 1 ab)"
	ab -q -n 300 -c 12 -H 'Accept-Encoding: gzip' "http://127.0.0.1:$port/4" >>ab 2>&1 ||
		fail "ab: $(tail -n 1 ab)"
	grep -E '^(Complete|Failed) requests|^HTML transferred' ab
	under curl -sS -Z --parallel-max 12 --compressed --fail "http://127.0.0.1:$port/[1-4]" -o 'get-#1' ||
		fail "curl ended with $?"
	cat get-* | cksum
	kill -WINCH "$server"
	ended 0
}
