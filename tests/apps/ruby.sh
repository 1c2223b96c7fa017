# ruby: threads under the interpreter's lock and its timer thread, queues, condition variables, ractors,
# child processes.

app()
{
	under ruby --disable-gems "$here/ruby_work.rb" || fail "ruby ended with status $?"
}
