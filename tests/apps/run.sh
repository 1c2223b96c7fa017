#!/bin/sh
# Real programs natively and under the library with 1 and 2 Ps: the results must be equal.
#   sh tests/apps/run.sh                 the short ones, which `sh tests/run.sh` runs, too
#   sh tests/apps/run.sh --all           all of them; installs the packages they need
#   sh tests/apps/run.sh redis xz ...    these alone (`--list` names them)
# A program whose script has a list of cases is run once for each; `cpython:test_queue` is one case.
# LIBGMP=path tests another build of the library, GMP_TEST_ENV='GMP_SLICE_US=500 ...' other settings
# of it; GMP_TEST_LIMIT=seconds is when a run counts as hung.  A hung run leaves the stacks of all
# its processes in the log directory, a failed one all it wrote.
# The last line is `N passed, N failed`; a mode of a program counts as one.
set -u
APPS_SOURCE=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$APPS_SOURCE/../.." && pwd)
LIBGMP=${LIBGMP:-$root/build/libgmp.so}
APPS_BUILD=${APPS_BUILD:-$root/build/tests/apps}
logs=$root/build/test-logs/apps
short="memcached redis python cpython:test_thread cpython:test_select perl
	xz zstd pigz curl sysbench openmp gdb jemalloc strace valgrind"

# set_of APP: the variables at the top of its script: cases, limit.
set_of()
{
	(
		cases='' limit=45 here=$APPS_SOURCE
		. "$APPS_SOURCE/${1%%:*}.sh"
		limit=${GMP_TEST_LIMIT:-$limit}
		case $1 in
		*:*) cases=$1 ;;
		*) cases=$(for c in ${cases:-""}; do echo "$1${c:+:$c}"; done) ;;
		esac
		eval "echo \$$2"
	)
}

all=$(cd "$APPS_SOURCE" && ls ./*.sh | sed 's,^\./,,; s/\.sh$//' | grep -vx -e run -e lib -e beside)
case ${1:-} in
--list) for a in $all; do set_of "$a" cases; done && exit 0 ;;
--all)
	sh "$root/tools/deps.sh" tests apps || exit 2
	apps=$all
	;;
*) apps=${*:-$short} ;;
esac
for a in $apps; do
	[ -f "$APPS_SOURCE/${a%%:*}.sh" ] && [ "$a" != run ] && [ "$a" != lib ] ||
		{ echo "gmp: apps: no program '$a'; there are:" $all >&2 && exit 2; }
done
[ -f "$LIBGMP" ] || { echo "gmp: apps: $LIBGMP is missing; run: ninja -C build" >&2 && exit 2; }
unset LD_PRELOAD
for v in $(env | sed -n 's/^\(GMP_[A-Z_]*\)=.*/\1/p' | grep -v '^GMP_TEST_'); do unset "$v"; done
export LC_ALL=C APPS_SOURCE APPS_BUILD LIBGMP APPS_WORK

# Some programs insist on a user other than root: that one must reach the library, too.  The copy
# also keeps a run on one library while the next is built.
work=$(mktemp -d)
APPS_WORK=$work
chmod 711 "$work"
cp "$LIBGMP" "$work/libgmp.so" || exit 2
LIBGMP=$work/libgmp.so
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
	dir=$work/$place.$2
	mkdir -p "$dir/cwd"
	began=$(date +%s%N)
	# A shell lets what it starts in the background ignore these two; programs must not see that.
	(cd "$dir/cwd" && exec setsid env --default-signal=INT,QUIT sh "$APPS_SOURCE/lib.sh" "$1" "$2") \
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
	native=$work/$place.native/out
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
for a in $(for a in $apps; do set_of "$a" cases; done); do
	line=
	limit=$(set_of "$a" limit)
	# Programs take a colon in a path for the end of it.
	place=$(echo "$a" | tr : -)
	wrong=
	for mode in native p1 p2; do
		rm -rf "${logs:?}/$place.$mode"
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
      logs: $logs/$place.$mode"
	done
	word=ok
	[ -z "$wrong" ] || word=FAIL
	printf '%-5s %-13s%s%s\n' "$word" "$a" "$line" "$wrong"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
