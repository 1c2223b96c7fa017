#!/bin/sh
# Builds the library and the examples, runs them and two real programs natively and with the library
# preloaded, and prints one table of what happened.  Ends with status 0 if all results are equal.
#   sh examples/run.sh
set -u
cd "$(dirname "$0")/.." || exit 1
root=$PWD
lib=$root/build/libgmp.so
python=/usr/bin/python3
limit=120

unset LD_PRELOAD
for v in $(env | sed -n 's/^\(GMP_[A-Z_]*\)=.*/\1/p'); do unset "$v"; done
export LC_ALL=C

work=$(mktemp -d) || exit 1
finish()
{
	trap '' INT TERM HUP
	[ ! -s "$work/server" ] || kill "$(cat "$work/server")"
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

build()
{
	sh tools/deps.sh build examples || exit 1
	echo "building the library and the examples in build/"
	targets=libgmp.so
	for p in starve echo spin pipeline openmp; do targets="$targets examples/$p"; done
	{
		[ -f build/build.ninja ] || meson setup build -Dtests=false
		# shellcheck disable=SC2086
		ninja -C build $targets
	} >"$work/build" 2>&1 || { tail -n 30 "$work/build" && exit 1; }
}

# preload PS COMMAND...: natively with no PS.  env(1) sets LD_PRELOAD for the command alone.
preload()
{
	ps=$1
	shift
	[ "$ps" != native ] || exec timeout "$limit" "$@"
	exec timeout "$limit" env GMP_MAXPROCS="$ps" GMP_STATS=1 LD_PRELOAD="$lib" "$@"
}

# figure NAME native|library: the value after NAME= in the output of that run.
figure()
{
	sed -n "s/^\(.* \)\{0,1\}$1=\([^ ]*\).*/\2/p" "$work/$2.out" | head -n 1
}

# stat NAME: a figure of the library's own line; a child's line has fewer threads.
stat()
{
	sed -n "s/^gmp: stats: .*threads=\([0-9]*\) .*/\1 &/p" "$work/library.err" | sort -rn |
		sed -n "1s/.* $1=\([0-9]*\).*/\1/p"
}

# timed FILE COMMAND...: runs it in a shell of its own; seconds go to FILE.time, the rest likewise.
timed()
{
	to=$1
	shift
	began=$(date +%s%N)
	("$@") >"$to.out" 2>"$to.err" </dev/null
	echo $? >"$to.status"
	awk "BEGIN { printf \"%.2f\", ($(date +%s%N) - $began) / 1e9 }" >"$to.time"
}

small()
{
	preload "$1" "$root/build/examples/$2"
}

# The load is native; it knows every answer in advance and prints how many it has checked.
memcached_loaded()
{
	user=
	[ "$(id -u)" -ne 0 ] || user="-u root"
	rm -f "$work/port"
	# shellcheck disable=SC2086
	(MEMCACHED_PORT_FILENAME=$work/port preload "$1" memcached -t 4 -l 127.0.0.1 -p -1 -U 0 $user) &
	server=$!
	echo $server >"$work/server"
	until [ -s "$work/port" ]; do
		kill -0 "$server" 2>/dev/null || exit 1
		sleep 0.02
	done
	port=$(sed -n 's/^TCP INET: //p' "$work/port")
	answers=$(timeout "$limit" "$python" tests/apps/memcached_load.py "$port") || echo "wrong answers"
	kill "$server"
	wait "$server" || exit 1
	rm "$work/server"
	echo "result: $answers"
	echo "answers=${answers##* }"
}

python_threads()
{
	preload "$1" "$python" tests/apps/python_work.py
}

# What is compared: the result lines of our examples, everything a real program prints.
results()
{
	if grep -q '^result: ' "$1.out"; then grep '^result: ' "$1.out"; else cat "$1.out"; fi
}

# row NAME PS COMMAND [ARG]: both runs and their line of the table.
row()
{
	name=$1 ps=$2 cmd=$3
	timed "$work/native" "$cmd" native "${4:-}"
	timed "$work/library" "$cmd" "$ps" "${4:-}"
	results "$work/native" >"$work/want"
	results "$work/library" >"$work/got"
	same=yes
	if [ "$(cat "$work/native.status" "$work/library.status" | tr '\n' ' ')" != "0 0 " ] ||
		[ ! -s "$work/want" ] || ! cmp -s "$work/want" "$work/got" || [ -z "$(stat parks)" ]; then
		same=NO
		different=$((different + 1))
	fi
	rows=$((rows + 1))
	printf '%-11s %-6s %8s %4s %8s s %8s s %10s %9s ms\n' "$name" "$same" "$(stat threads)" "$ps" \
		"$(cat "$work/native.time")" "$(cat "$work/library.time")" "$(stat handoffs)" \
		"$(stat maxwait | awk '{ printf "%.1f", $1 / 1000 }')"
	if [ $same = yes ]; then "tell_$name"; else explain; fi
	grep '^gmp: ' "$work/library.err" | grep -v '^gmp: stats: ' | sed 's/^/            /'
}

explain()
{
	for run in native library; do
		echo "            $run: status $(cat "$work/$run.status") (124: hung, killed), it printed:"
		tail -n 3 "$work/$run.out" "$work/$run.err" | grep . | cut -c 1-84 | sed 's/^/              /'
	done
}

tell()
{
	echo "            $*"
}

tell_starve()
{
	tell "beside 8 blocked readers the hog keeps $(figure hog_percent library) % of the time" \
		"(natively $(figure hog_percent native) %);"
	tell "a reader that is written to runs after $(figure wake_ms library) ms" \
		"(natively $(figure wake_ms native) ms)"
}

tell_echo()
{
	tell "$(figure per_second library) round trips a second over 64 connections" \
		"(natively $(figure per_second native))"
}

tell_spin()
{
	tell "$(figure times_the_best library) times the time one thread alone would need" \
		"(natively $(figure times_the_best native) times)"
}

tell_pipeline()
{
	tell "stages waited $(figure waits_for_work library) times for work and" \
		"$(figure waits_for_room library) for room" \
		"(natively $(figure waits_for_work native) and $(figure waits_for_room native))"
}

tell_openmp()
{
	tell "$(stat strays) times a thread was found blocked in a system call of libgomp's own," \
		"unannounced"
}

tell_memcached()
{
	tell "$(figure answers library) answers checked by the client, all right"
}

tell_python3()
{
	tell "queues, sockets, subprocesses, fork, timers, files: the same output, byte for byte"
}

build
rows=0
different=0
echo
printf '%-11s %-6s %8s %4s %10s %10s %10s %12s\n' program same threads Ps native library hand-offs \
	"longest wait"
row starve 1 small starve
row echo 2 small echo
row spin 2 small spin
row pipeline 1 small pipeline
row openmp 2 small openmp
row memcached 2 memcached_loaded
row python3 1 python_threads
echo
if [ "$different" -eq 0 ]; then
	echo "All $rows programs gave the same result with the library as without it."
else
	echo "$different of $rows programs did not give the same result: see NO above."
fi
[ "$different" -eq 0 ]
