# tcmalloc, whose locks are its own: futexes by inline system calls.

. "$here/beside.sh"

app()
{
	beside libtcmalloc_minimal.so.4
}
