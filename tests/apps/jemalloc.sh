# jemalloc preloaded beside the library, before it and after it, with its own background threads: it
# looks for pthread_create with dlsym(), and allocates while the library sets itself up.

both_orders()
{
	ALSO=$jemalloc ALSO_FIRST=
	"$@"
	ALSO='' ALSO_FIRST=$jemalloc
	"$@"
}

python_twice()
{
	under "$python" "$here/python_work.py" || fail "python ended with status $?"
}

zstd_twice()
{
	under zstd -q -T4 -3 -B1048576 -c data >data.zst || fail "zstd ended with status $?"
	cksum <data.zst
}

app()
{
	jemalloc=$(/sbin/ldconfig -p | sed -n 's/.*libjemalloc\.so\.2 .*x86-64.* => //p' | head -n 1)
	[ -n "$jemalloc" ] || fail "libjemalloc.so.2 is not installed"
	export MALLOC_CONF=background_thread:true,narenas:4,dirty_decay_ms:50 PYTHONMALLOC=malloc
	both_orders python_twice
	corpus 12000000 data
	both_orders zstd_twice
}
