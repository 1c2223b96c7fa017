# perl: interpreter threads, shared variables, queues, cond_wait, sockets, fork beside threads.

app()
{
	under perl "$here/perl_work.pl" || fail "perl ended with status $?"
}
