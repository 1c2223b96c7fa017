# A Haskell program with the threaded run time system, and the compiler that made it.

limit=120

app()
{
	cp "$here/Main.hs" .
	under ghc -v0 -O1 -threaded -rtsopts -j4 Main.hs -o main >&2 || fail "ghc ended with $?"
	under ./main +RTS -N4 -A512k || fail "the program ended with $?"
	under ./main +RTS -N2 -C0.001 -qg || fail "the program ended with $?"
}
