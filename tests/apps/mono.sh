# mono: its collector stops threads by signals of its own, its pool grows and shrinks.

app()
{
	under mcs -out:work.exe "$here/Work.cs" >&2 || fail "mcs ended with $?"
	under mono work.exe || fail "mono ended with $?"
}
