# ocaml: system threads that take turns at one master lock.

app()
{
	cp "$here/ocaml_work.ml" work.ml
	under ocamlopt -I +threads unix.cmxa threads.cmxa work.ml -o work >&2 || fail "ocamlopt ended with $?"
	under ./work || fail "the program ended with $?"
}
