# mimalloc, which frees across threads without locks and reads its options in a constructor.

. "$here/beside.sh"

app()
{
	beside libmimalloc.so.2
}
