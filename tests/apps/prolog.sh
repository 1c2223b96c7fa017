# swi-prolog: engines in threads, message queues, a collector thread, thread signals.

app()
{
	under swipl -q -f none -g main -t halt "$here/prolog_work.pl" || fail "swipl ended with $?"
}
