# Another allocator preloaded beside the library, before it and after it.  Each replaces malloc, which
# the loader and the library's own set-up call, and some look for pthread_create with dlsym().

both_orders()
{
	ALSO=$allocator ALSO_FIRST=
	"$@"
	ALSO='' ALSO_FIRST=$allocator
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

# beside SONAME: work that allocates in many threads, under the allocator in both places.
beside()
{
	allocator=$(/sbin/ldconfig -p | sed -n "s/.*$1 .*x86-64.* => //p" | head -n 1)
	[ -n "$allocator" ] || fail "$1 is not installed"
	export PYTHONMALLOC=malloc
	both_orders python_twice
	corpus 12000000 data
	both_orders zstd_twice
}
