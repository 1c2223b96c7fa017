# redis-server with four I/O threads that read and write, its background saving (fork), append-only
# file and lazy freeing (threads); redis-benchmark for pressure, redis_load.py checks every answer.

redis()
{
	redis-cli -s "$PWD/sock" "$@"
}

start_redis()
{
	serve redis-server --port 0 --unixsocket "$PWD/sock" --io-threads 4 --io-threads-do-reads yes \
		--save '' --appendonly yes --appendfsync everysec --enable-debug-command local \
		--lazyfree-lazy-user-del yes --dir "$PWD" --daemonize no --logfile "$PWD/log"
	wait_for redis --raw ping >/dev/null
}

app()
{
	start_redis
	redis-benchmark -s "$PWD/sock" -q -c 32 -n 1600 -P 16 --threads 2 -d 200 \
		-t set,get,incr,lpush,rpop,sadd,hset,zadd,mset >bench 2>&1 || fail "benchmark: $(cat bench)"
	grep -qi error bench && fail "benchmark: $(grep -i -m 1 error bench)"
	echo "counter $(redis get counter:__rand_int__)"
	redis bgsave >/dev/null
	python "$here/redis_load.py" "$PWD/sock" || fail "the load found wrong answers"
	redis bgrewriteaof >/dev/null
	wait_for quiet
	redis debug digest | tee digest
	redis shutdown nosave
	ended 0
	start_redis
	redis debug digest | cmp -s - digest || fail "the data set changed over a restart"
	redis shutdown save
	ended 0
}

quiet()
{
	redis info persistence | tr -d '\r' >info &&
		grep -q '^aof_rewrite_in_progress:0' info && grep -q '^rdb_bgsave_in_progress:0' info &&
		grep -q '^aof_rewrite_scheduled:0' info && grep -q '^rdb_last_bgsave_status:ok' info
}
