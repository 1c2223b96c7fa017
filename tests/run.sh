#!/bin/sh
# All that must hold before a change goes in: builds, lints, every test.
#   sh tests/run.sh              everything, below 20 minutes on 2 cores
#   sh tests/run.sh --quick      the same without clang, sanitizers and the long loads, below 3
#   sh tests/run.sh STAGE...     these stages alone (`--list` names them)
# Each stage has a time limit and a log.  The last line is `N passed, N failed` over all tests; a
# build and a lint count as one test each.
set -u
cd "$(dirname "$0")/.." || exit 1

# Nothing of a caller's settings may reach the tests.
unset LD_PRELOAD
for v in $(env | sed -n 's/^\(GMP_[A-Z_]*\)=.*/\1/p' | grep -v '^GMP_TEST_'); do unset "$v"; done
export LC_ALL=C

all="deps gcc clang lint model unit asan tsan fuzz asm preload tools apps stress"
quick=
stages=
for arg in "$@"; do
	case $arg in
	--quick) quick=1 ;;
	--list) echo "$all" && exit 0 ;;
	*)
		case " $all " in
		*" $arg "*) stages="$stages $arg" ;;
		*) echo "gmp: tests: no stage '$arg'; there are: $all" >&2 && exit 2 ;;
		esac
		;;
	esac
done
if [ -z "$stages" ]; then
	stages=$all
	[ -z "$quick" ] || stages="deps gcc lint model unit asm preload tools apps stress"
fi
export GMP_TEST_QUICK="$quick"

build=build
logs=$build/test-logs
passed=0
failed=0

# setup DIR OPTIONS...: configures DIR once; an existing one is kept up to date by ninja.
setup()
{
	dir=$1
	shift
	if [ -f "$dir/build.ninja" ]; then
		meson setup --reconfigure "$dir" -Dtests=true "$@"
	else
		meson setup "$dir" -Dtests=true "$@"
	fi
}

# suite DIR SUITE JOBS: one kind of test, with each program's own output in the log.
suite()
{
	meson test -C "$1" --no-rebuild --suite "libgmp:$2" --num-processes "$3" --verbose \
		--print-errorlogs
}

# step NAME COMMAND...: runs one of several checks of a stage, and counts it as a test.
step()
{
	name=$1
	shift
	if "$@"; then
		echo "1 passed, 0 failed"
	else
		echo "FAIL: $name"
		echo "0 passed, 1 failed"
	fi
}

sources()
{
	git ls-files -co --exclude-standard -- '*.c' '*.h' | while read -r f; do
		[ ! -f "$f" ] || echo "$f"
	done
}

format_is_right()
{
	sources | xargs clang-format --dry-run 2>&1 |
		sed -n 's/: warning: code should be.*/: clang-format would change it/p' >"$logs/format.txt"
	cat "$logs/format.txt"
	[ ! -s "$logs/format.txt" ]
}

# What the loader will see: libc is the only library needed, and the name is ours.
library_is_lean()
{
	readelf -dW "$build/libgmp.so" >"$logs/dynamic.txt" || return 1
	needed=$(sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' "$logs/dynamic.txt" |
		grep -v '^ld-linux-x86-64' | tr '\n' ' ')
	[ "$needed" = "libc.so.6 " ] || { echo "needs: $needed" && return 1; }
	grep -q 'SONAME.*\[libgmp-sched.so.0\]' "$logs/dynamic.txt" ||
		{ echo "SONAME is not libgmp-sched.so.0" && return 1; }
	if grep -q TEXTREL "$logs/dynamic.txt"; then
		echo "has text relocations" && return 1
	fi
	if nm -D --defined-only "$build/libgmp.so" | grep -E ' (_Unwind_|__gcc_|_?U?L?x86_64_|__gmp|mp[nzqf]_)'; then
		echo "exports what is not its own (above)" && return 1
	fi
	if nm -D "$build/libgmp.so" | grep -E ' U (_Unwind_|__gcc_)'; then
		echo "would bind to an unwinder in the process (above)" && return 1
	fi
	nm -D --defined-only "$build/libgmp.so" | awk '{ print $3 }' >"$logs/exports.txt"
	for f in vfork __vfork $(sed -n 's/^GMPRT_WEAK .*\(gmp_[a-z0-9_]*\)(.*/\1/p' runtime/gmprt.h); do
		grep -qx "$f" "$logs/exports.txt" || { echo "does not export $f" && return 1; }
	done
}

stage_deps()
{
	if [ -n "$quick" ]; then sh tools/deps.sh build tests; else sh tools/deps.sh build tests examples; fi
}

stage_gcc()
{
	CC=gcc setup $build && step gcc ninja -C $build
}

stage_clang()
{
	CC=clang CXX=clang++ setup build-clang && step clang ninja -C build-clang && suite build-clang asm 2
}

stage_lint()
{
	step format format_is_right
	step style sh tools/lint/style.sh .
	step layers /usr/bin/python3 tools/lint/layers.py . $build
	step pairs /usr/bin/python3 tools/lint/pairs.py .
	[ ! -f tools/lint/exports.py ] || step exports /usr/bin/python3 tools/lint/exports.py . $build
	step facts /usr/bin/python3 tools/lint/facts.py .
	step own_calls /usr/bin/python3 tools/lint/own_calls.py .
	step library library_is_lean
}

# Exhaustive searches of the protocol's model, and mutants that each must make it fail.
stage_model()
{
	sh tests/model/run.sh
}

stage_unit()
{
	suite $build unit 2
}

# Criterion keeps memory until it exits; what leaks in runtime/ it could not see anyway, for that
# maps its memory itself.
stage_asan()
{
	CC=gcc setup build-asan -Db_sanitize=address,undefined && ninja -C build-asan &&
		ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 \
			UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 suite build-asan unit 2
}

# TSan of this age cannot place its shadow under strong address randomization.
stage_tsan()
{
	CC=clang CXX=clang++ setup build-tsan -Db_sanitize=thread && ninja -C build-tsan &&
		TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1 \
			setarch -R meson test -C build-tsan --no-rebuild --suite libgmp:unit \
			--num-processes 2 --verbose --print-errorlogs
}

# Coverage-guided; the same runs each time.
stage_fuzz()
{
	sh tests/fuzz/run.sh
}

stage_asm()
{
	suite $build asm 2
}

# One at a time: these measure how long a thread waits for a P.
stage_preload()
{
	suite $build preload 1
}

# Some of these measure how long a command takes.
stage_tools()
{
	suite $build tools 1
}

stage_apps()
{
	suite $build apps 1
}

# First the harness itself (natively, and sabotaged), then many seeds under the library.
stage_stress()
{
	sh tests/stress/run.sh --self-test || return 1
	if [ -n "$quick" ]; then
		sh tests/stress/run.sh --seeds 4 --seconds-per-seed 4
	else
		# `sh tests/stress/run.sh --minutes 10` is the real soak.
		sh tests/stress/run.sh --minutes 2
	fi
}

# limit STAGE: seconds until a stage counts as hung.
limit()
{
	case $1 in
	deps) echo 600 ;;
	preload) echo 400 ;;
	apps) echo 400 ;;
	stress) echo 240 ;;
	*) echo 300 ;;
	esac
}

# Sums what test programs say of themselves: Criterion's synthesis and `N passed, N failed`.
count()
{
	awk '
	match($0, /Synthesis: Tested: [0-9]+ \| Passing: [0-9]+ \| Failing: [0-9]+/) {
		split(substr($0, RSTART), f, /[^0-9]+/); p += f[3]; n += f[2] - f[3]
	}
	match($0, /[0-9]+ passed, [0-9]+ failed$/) {
		split(substr($0, RSTART), f, /[^0-9]+/); p += f[1]; n += f[2]
	}
	END { print p + 0, n + 0 }' "$1"
}

# Run as a child under timeout(1), so that a hung stage dies with all it started.
if [ "${GMP_TEST_STAGE:-}" ]; then
	"stage_$GMP_TEST_STAGE"
	exit $?
fi

# What a reader of a failed log looks for first.
faults='^\[FAIL\]|^FAIL|^\[----\]   .*[a-z]|^ {5}stress: |error:|Sanitizer'
faults="$faults|gmp: (fatal|bug|style|layers|pairs|exports|facts|deps)"

run_stage()
{
	log=$logs/$1.log
	began=$(date +%s)
	GMP_TEST_STAGE=$1 timeout -k 10 "$(limit "$1")" sh tests/run.sh ${quick:+--quick} \
		>"$log" 2>&1 </dev/null
	rc=$?
	took=$(($(date +%s) - began))
	# shellcheck disable=SC2046
	set -- "$1" $(count "$log")
	ok=$2 bad=$3
	# A stage that ends badly without a failed test of its own (a crash, a hang) is one.
	if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
	if [ $((ok + bad)) -eq 0 ] && [ "$1" != deps ] && ! grep -q '^SKIP: ' "$log"; then
		bad=1
		echo "FAIL: no test ran" >>"$log"
	fi
	passed=$((passed + ok))
	failed=$((failed + bad))
	word=ok
	[ "$bad" -eq 0 ] || word=FAIL
	[ $rc -ne 124 ] && [ $rc -ne 137 ] || word=HUNG
	printf '%-5s %-8s %4d passed %3d failed %4d s\n' "$word" "$1" "$ok" "$bad" "$took"
	if [ "$bad" -ne 0 ]; then
		grep -nE "$faults" "$log" | head -n 25 | cut -c 1-200 | sed 's/^/      /'
		echo "      log: $log"
	fi
}

mkdir -p $logs
for s in $stages; do
	run_stage "$s"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
