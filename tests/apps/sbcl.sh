# sbcl: native threads whose collector stops the world by signals and by protected pages.

app()
{
	under sbcl --script "$here/sbcl_work.lisp" || fail "sbcl ended with $?"
}
