# CPython's own tests of threads, processes, sockets and signals.  The children that they start have
# the library, too, but must be silent, so only the first process prints statistics.  What the kernel
# at hand cannot do fails natively, and must then fail alike.

cases="test_threading test_thread test_threadsignals test_threading_local test_queue
	test_subprocess test_signal test_eintr test_asyncio test_concurrent_futures test_fork1 test_select
	test_selectors test_poll test_epoll test_ssl test_multiprocessing_fork
	test_multiprocessing_forkserver test_faulthandler test_posix test_pty test_fcntl test_io
	test_socketserver test_httpservers test_imaplib test_logging test_urllib2_localnet
	test_xmlrpc test_smtplib test_context test_gc test_os test_time test_wait4
	test_sched test_socket"
limit=400

app()
{
	export TMPDIR=$PWD
	# That one asks for the network and stays on this machine; others would leave it.
	use=
	case $case in
	test_socketserver) use="-u network" ;;
	test_socket) use="-i ThreadedVSOCKSocketStreamTest" ;; # of virtual machines: in some it never ends
	esac
	# shellcheck disable=SC2086
	under "$python" -B "$here/cpython_main.py" -v $use "$case" >log 2>&1 </dev/null
	cat log >&2
	grep -q '^Ran [1-9]' log || fail "no test ran: $(tail -n 1 log)"
	sed -nE 's/^Ran ([0-9]+) tests? in .*/\1 tests/p; /^(OK|FAILED|ERROR:|FAIL:)/p' log | sort
}
