# guile: threads and futures over a collector that stops threads by signals and marks in parallel.

app()
{
	GC_MARKERS=4 GUILE_AUTO_COMPILE=0 under guile "$here/guile_work.scm" || fail "guile ended with $?"
}
