# sqlite: connections in many threads and processes that fight for one file's locks, in each journal mode.

app()
{
	under "$python" "$here/sqlite_work.py" || fail "python ended with $?"
}
