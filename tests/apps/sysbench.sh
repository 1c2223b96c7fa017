# sysbench: many threads that yield while they hold locks, and many that fight for mutexes.

events()
{
	sed -n 's/^ *total number of events: */events /p'
}

app()
{
	under sysbench threads --threads=24 --thread-yields=50 --thread-locks=4 --events=2000 \
		--time=0 run >threads || fail "threads ended with status $?"
	events <threads
	under sysbench mutex --threads=24 --mutex-num=64 --mutex-locks=8000 --mutex-loops=2000 \
		run >mutex || fail "mutex ended with status $?"
	events <mutex
	under sysbench cpu --threads=8 --cpu-max-prime=2000 --events=2000 --time=0 run >cpu ||
		fail "cpu ended with status $?"
	events <cpu
	under sysbench memory --threads=8 --memory-block-size=64K --memory-total-size=400M run \
		>memory || fail "memory ended with status $?"
	events <memory
}
