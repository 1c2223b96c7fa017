#!/bin/sh
# Real programs natively and under the library with 1 and 2 Ps: the results must be equal.
#   sh tests/apps/run.sh                 all of them
#   sh tests/apps/run.sh redis xz ...    these alone (`--list` names them)
# LIBGMP=path tests another build of the library, GMP_TEST_ENV='GMP_SLICE_US=500 ...' other settings
# of it; GMP_TEST_LIMIT=seconds is when a run counts as hung.  A hung run leaves the stacks of all
# its processes in the log directory, a failed one all it wrote.
# The last line is `N passed, N failed`; a mode of a program counts as one.
set -u
APPS_SOURCE=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$APPS_SOURCE/../.." && pwd)
LIBGMP=${LIBGMP:-$root/build/libgmp.so}
APPS_BUILD=${APPS_BUILD:-$root/build/tests/apps}
limit=${GMP_TEST_LIMIT:-45}
logs=$root/build/test-logs/apps
all="memcached redis python perl xz zstd pigz curl sysbench openmp gdb jemalloc"

case ${1:-} in
--list) echo "$all" && exit 0 ;;
esac
apps=${*:-$all}
for a in $apps; do
	[ -f "$APPS_SOURCE/$a.sh" ] && [ "$a" != run ] && [ "$a" != lib ] ||
		{ echo "gmp: apps: no program '$a'; there are: $all" >&2 && exit 2; }
done
[ -f "$LIBGMP" ] || { echo "gmp: apps: $LIBGMP is missing; run: ninja -C build" >&2 && exit 2; }
LIBGMP=$(cd "$(dirname "$LIBGMP")" && pwd)/$(basename "$LIBGMP")
unset LD_PRELOAD
for v in $(env | sed -n 's/^\(GMP_[A-Z_]*\)=.*/\1/p' | grep -v '^GMP_TEST_'); do unset "$v"; done
export LC_ALL=C APPS_SOURCE APPS_BUILD LIBGMP APPS_WORK

work=$(mktemp -d)
APPS_WORK=$work
session=
trap 'trap "" INT TERM HUP; end_session; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

members()
{
	[ -z "$session" ] || ps -o pid= -s "$session" 2>/dev/null
}

end_session()
{
	for pid in $(members); do kill -KILL "$pid" 2>/dev/null; done
}

# The stacks of every process of a hung run, and what the library knows of its own state.
stacks()
{
	for pid in $(members); do
		echo "== $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
		grep -q libgmp "/proc/$pid/maps" 2>/dev/null || continue
		timeout 30 gdb -batch -p "$pid" -ex 'set pagination off' -ex 'thread apply all bt 16' \
			2>/dev/null </dev/null
	done
}

# one APP MODE: runs it in $dir/cwd; $verdict is ok or what is wrong, $seconds how long it took.
one()
{
	dir=$work/$1.$2
	mkdir -p "$dir/cwd"
	began=$(date +%s%N)
	(cd "$dir/cwd" && exec setsid sh "$APPS_SOURCE/lib.sh" "$1" "$2") \
		>"$dir/out" 2>"$dir/err" </dev/null &
	session=$!
	if timeout "$limit" tail -f -s 0.02 --pid="$session" /dev/null; then
		wait "$session"
		rc=$?
	else
		stacks >"$dir/stacks" 2>&1
		rc=hung
	fi
	seconds=$(awk "BEGIN { printf \"%.2f\", ($(date +%s%N) - $began) / 1e9 }")
	end_session
	session=
	verdict=$(judge "$1" "$2" "$rc")
}

# judge APP MODE STATUS: prints ok, or the first thing that is wrong.
judge()
{
	native=$work/$1.native/out
	if [ "$3" = hung ]; then
		echo "hung, killed after $limit s"
	elif [ "$3" -ne 0 ]; then
		echo "status $3: $(grep -m 1 -E '^FAIL|gmp: ' "$dir/err" || tail -n 1 "$dir/err")"
	elif [ ! -s "$dir/out" ]; then
		echo "printed nothing"
	elif [ "$2" = native ]; then
		echo ok
	elif ! cmp -s "$native" "$dir/out"; then
		echo "differs: $(diff "$native" "$dir/out" | sed -n 2p)"
	elif grep '^gmp: ' "$dir/err" | grep -qv '^gmp: stats: '; then
		echo "complained: $(grep '^gmp: ' "$dir/err" | grep -vm 1 '^gmp: stats: ')"
	elif ! grep -qE "^gmp: stats: maxprocs=${2#p} threads=[1-9]|^SCHED .* gomaxprocs=${2#p} " \
		"$dir/err"; then
		echo "was not preloaded: no statistics"
	else
		echo ok
	fi
}

passed=0
failed=0
mkdir -p "$logs"
for a in $apps; do
	line=
	wrong=
	for mode in native p1 p2; do
		rm -rf "${logs:?}/$a.$mode"
		one "$a" "$mode"
		line="$line  $(printf '%-6s %6.2f s' "$mode" "$seconds")"
		if [ "$verdict" = ok ]; then
			passed=$((passed + 1))
			rm -rf "$dir/cwd"
			continue
		fi
		failed=$((failed + 1))
		rm -rf "$dir/cwd"
		cp -r "$dir" "$logs/"
		wrong="$wrong
FAIL  $a $mode: $verdict
      logs: $logs/$a.$mode"
	done
	word=ok
	[ -z "$wrong" ] || word=FAIL
	printf '%-5s %-10s%s%s\n' "$word" "$a" "$line" "$wrong"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
