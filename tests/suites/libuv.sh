# libuv's own tests: event loops, processes, signals, file system work in a thread pool, threads.
# Its runner is a program like its tests: it makes a thread and processes, and is preloaded, too.

build_libuv()
{
	fetch libuv1
	[ ! -x "$source/build/uv_run_tests" ] || return 0
	echo "building libuv"
	(cmake -S "$source" -B "$source/build" -DCMAKE_BUILD_TYPE=RelWithDebInfo &&
		make -C "$source/build" -j2 uv_run_tests) >"$logs/libuv.build" 2>&1
}

# Its tests want to be run in the source directory.  It says `ok N - NAME # SKIP why`.
run_libuv()
{
	(
		cd "$cache/libuv1" || exit
		export UV_RUN_AS_ROOT=1 UV_TEST_TIMEOUT_MULTIPLIER=3
		if [ "$only" = '*' ]; then
			under build/uv_run_tests
		else
			build/uv_run_tests --list | while read -r test; do
				# shellcheck disable=SC2254
				case $test in $only) under build/uv_run_tests "$test" ;; esac
			done
		fi
	) >"$1/out" 2>&1 </dev/null
	sed -nE -e 's/^ok [0-9]+ - ([a-z0-9_]+)$/ok \1/p' -e 's/^not ok [0-9]+ - ([a-z0-9_]+).*/bad \1/p' \
		-e 's/^ok [0-9]+ - ([a-z0-9_]+) # SKIP.*/skip \1/p' "$1/out"
}
