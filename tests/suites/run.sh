#!/bin/sh
# Test suites that others wrote, built from Debian's source packages: each of their tests runs
# natively and under the library with 1 and 2 Ps, and none may fail that passes natively.
#   sh tests/suites/run.sh                      all of them, below 40 minutes on 2 cores
#   sh tests/suites/run.sh libuv                one suite (`--list` names them)
#   sh tests/suites/run.sh nptl 'tst-cancel*'   those of its tests that match
# Sources and builds are kept in build/suites; remove that to fetch them anew.  LIBGMP=path tests
# another build of the library, GMP_TEST_ENV='GMP_SLICE_US=500 ...' other settings of it.
# The last line is `N passed, N failed`; a test in one mode counts as one.  A test that fails
# natively is named and counts as neither.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
LIBGMP=${LIBGMP:-$root/build/libgmp.so}
cache=$root/build/suites
logs=$root/build/test-logs/suites
all="libuv nptl"

if [ "${1:-}" = --list ]; then echo "$all" && exit 0; fi
suites=${1:-$all}
only=${2:-*}
for s in $suites; do
	case " $all " in
	*" $s "*) ;;
	*) echo "gmp: suites: no suite '$s'; there are: $all" >&2 && exit 2 ;;
	esac
done
[ -f "$LIBGMP" ] || { echo "gmp: suites: $LIBGMP is missing; run: ninja -C build" >&2 && exit 2; }
LIBGMP=$(cd "$(dirname "$LIBGMP")" && pwd)/$(basename "$LIBGMP")
unset LD_PRELOAD
for v in $(env | sed -n 's/^\(GMP_[A-Z_]*\)=.*/\1/p' | grep -v '^GMP_TEST_'); do unset "$v"; done
export LC_ALL=C

fail()
{
	echo "gmp: suites: $*" >&2
	exit 1
}

# The system's own package sources, asked for source packages; its lists stay as they are.
apt_setup()
{
	mkdir -p "$cache/apt/parts" "$cache/apt/lists/partial" "$cache/apt/archives/partial"
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ ! -f "$f" ] || sed -n 's/^deb /deb-src /p' "$f"
	done >"$cache/apt/parts/system.list"
	for f in /etc/apt/sources.list.d/*.sources; do
		[ ! -f "$f" ] || sed 's/^Types:.*/Types: deb-src/' "$f" >"$cache/apt/parts/${f##*/}"
	done
}

apt()
{
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$cache/apt/parts" \
		-o Dir::State::lists="$cache/apt/lists" -o Dir::Cache="$cache/apt" \
		-o APT::Sandbox::User=root "$@"
}

# fetch PACKAGE: its source in $source.
fetch()
{
	source=$cache/$1
	[ ! -d "$source" ] || return 0
	echo "fetching the source of $1"
	apt_setup
	# An archive that has no sources makes this fail, and does not matter.
	apt update >"$cache/apt/log" 2>&1 || true
	rm -rf "$cache/new"
	mkdir -p "$cache/new"
	(
		cd "$cache/new" && apt --download-only source "$1" &&
			dpkg-source --no-check -x "$1"_*.dsc "$1"
	) >>"$cache/apt/log" 2>&1 || {
		tail -n 5 "$cache/apt/log" >&2
		fail "the source of $1 cannot be had (above)"
	}
	mv "$cache/new/$1" "$source"
}

# under CMD...: natively, or preloaded with 1 or 2 Ps, as $mode says.  A shell lets what it starts
# in the background ignore two signals; programs must not see that.
under()
{
	case $mode in
	native) env --default-signal=INT,QUIT "$@" ;;
	# shellcheck disable=SC2086
	*) env --default-signal=INT,QUIT GMP_MAXPROCS="${mode#p}" GMP_ON_BUG=abort ${GMP_TEST_ENV:-} \
		LD_PRELOAD="$LIBGMP" "$@" ;;
	esac
}

# compare SUITE MODE: of the tests that passed natively, who passed and who did not.
compare()
{
	awk -v suite="$1" -v mode="$2" '
		NR == FNR { native[$2] = $1; next }
		native[$2] != "ok" { next }
		$1 == "ok" { ok++; next }
		{ bad++; print "FAIL  " suite " " $2 " " mode ": " ($1 == "bad" ? "fails" : "was skipped") }
		{ delete native[$2] }
		END { print ok + 0, bad + 0 > "/dev/stderr" }' "$logs/$1.native" "$logs/$1.$2"
}

# A suite's file defines build_SUITE, with its build in $cache, and run_SUITE, which runs the tests
# that match $only in $mode and prints a line for each: ok, bad or skip, and its name.
for s in $suites; do . "$here/$s.sh"; done

# Some of the tests talk to addresses that are not ours to talk to: they get a network of their own.
if [ -z "${GMP_TEST_ISOLATED:-}" ]; then
	sh "$root/tools/deps.sh" suites || exit 2
	mkdir -p "$cache" "$logs"
	for s in $suites; do "build_$s" || fail "$s cannot be built"; done
	user=
	[ "$(id -u)" -eq 0 ] || user=-r
	export GMP_TEST_ISOLATED=1
	exec unshare -n $user sh "$0" "$suites" "$only"
fi
ip link set lo up || fail "no network of our own"
mode=p1
[ "$(GMP_HELP=1 under true 2>&1 | grep -c '^GMP_MAXPROCS=1 ')" -eq 1 ] || fail "$LIBGMP does not load"

passed=0
failed=0
for s in $suites; do
	for mode in native p1 p2; do
		began=$(date +%s)
		rm -rf "${logs:?}/$s.$mode" "${logs:?}/$s.$mode.d"
		mkdir "$logs/$s.$mode.d"
		"run_$s" "$logs/$s.$mode.d" >"$logs/$s.$mode"
		took=$(($(date +%s) - began))
		echo "$s $mode: $(grep -c '^ok' "$logs/$s.$mode") ok," \
			"$(grep -c '^bad' "$logs/$s.$mode") failed," \
			"$(grep -c '^skip' "$logs/$s.$mode") skipped, $took s"
		if [ $mode = native ]; then
			sed -n 's/^bad /      fails natively, does not count: /p' "$logs/$s.native"
			continue
		fi
		compare "$s" "$mode" 2>"$logs/count"
		read -r ok bad <"$logs/count"
		passed=$((passed + ok))
		failed=$((failed + bad))
	done
done
echo "logs: $logs"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
