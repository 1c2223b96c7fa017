# jemalloc with background threads of its own.

. "$here/beside.sh"

app()
{
	export MALLOC_CONF=background_thread:true,narenas:4,dirty_decay_ms:50
	beside libjemalloc.so.2
}
