# A Rust program and its compiler, whose code generation has threads and a job server.

limit=120

app()
{
	under /usr/bin/rustc --edition 2021 -O -C codegen-units=8 "$here/rust_work.rs" -o work >&2 ||
		fail "rustc ended with $?"
	under ./work || fail "the program ended with $?"
}
