# stress-ng checks what the system calls give back, one stressor at a time, a fixed number of turns.
# Most of its stressors are processes; `pthread` runs beside each, so that the library is awake.

cases="futex pipe poll epoll sem sem-sysv mutex msg mq sock sockpair udp fork vfork clone signal sigsuspend
	sigq sigpipe sigrt timer timerfd itimer flock lockf nanosleep clock eventfd switch yield fifo exec
	wait kill sigfd sigchld sigsegv sigtrap sigio tee splice sendfile inotify aio readahead shm
	membarrier spawn daemon dnotify lease userfaultfd"
limit=120

app()
{
	k=3
	case $case in
	pthread) n=2000 ;;
	# Its threads are real-time ones: with two CPUs one process of them leaves a CPU to the rest.
	# One whose first thread makes all the turns at once complains.
	mutex) n=200000 k=1 ;;
	fork | vfork | clone | exec | spawn | daemon | unshare | mmapfork) n=60 ;;
	*) n=400 ;;
	esac
	under stress-ng --no-rand-seed --temp-path . --timeout 30 --verify --oomable "--$case" $k "--$case-ops" $n \
		--pthread 1 --pthread-ops 300 >log 2>&1
	rc=$?
	cat log >&2
	[ "$rc" -eq 0 ] || fail "status $rc: $(grep -m 1 -iE 'fail|error' log)"
	grep -c 'successful run completed' log
}
