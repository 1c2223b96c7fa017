#!/bin/sh
# Builds the Debian packages from this tree, installs them, uses them, purges them; needs root and
# `sh tools/deps.sh build tests package`.  Takes about a minute; not part of tests/run.sh, because it
# changes the system (and puts it back).  The last line is `N passed, N failed`.
set -eu
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'dpkg -P libgmp-sched-dev libgmp-sched >/dev/null 2>&1; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM HUP

passed=0
failed=0
# check WHAT COMMAND...
check()
{
	what=$1
	shift
	if "$@" >"$work/out" 2>&1; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAIL: $what"
		sed 's/^/  /' "$work/out"
	fi
}

mkdir "$work/src"
git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t "$work/src" 2>/dev/null || true
check "dpkg-buildpackage" sh -c "cd '$work/src' && dpkg-buildpackage -us -uc -b"
check "install" dpkg -i "$work"/libgmp-sched_*_amd64.deb "$work"/libgmp-sched-dev_*_amd64.deb
dpkg -L libgmp-sched libgmp-sched-dev >"$work/files"

check "GNU MP's development files are there too" dpkg -s libgmp-dev
check "doctor" gmp doctor true
check "run" sh -c '[ "$(gmp run -p 3 -- sh -c "echo \$GMP_MAXPROCS")" = 3 ]'
check "the library is the installed one" sh -c 'gmp doctor | grep -q /libgmp-sched/libgmp.so'
check "-lgmp is still GNU MP" sh -c "echo '#include <gmp.h>
int main(void) { mpz_t a; mpz_init(a); mpz_clear(a); return 0; }' |
	cc -x c - -o '$work/mp' -lgmp && gmp run '$work/mp'"
example=/usr/share/doc/libgmp-sched-dev/examples/snapshot.c
check "pkg-config and the example" sh -c "cc '$example' -o '$work/snapshot' -pthread \
	\$(pkg-config --cflags --libs gmprt) && '$work/snapshot' && gmp run -p 2 -- '$work/snapshot'"
check "a dump from within" sh -c 'GMP_TRACEBACK=1 gmp run -- python3 -c \
	"import os; os.kill(os.getpid(), 3)"; [ $? = 2 ]'
check "pkg-config names the library" sh -c '[ -f "$(pkg-config --variable=preload gmprt)" ]'
for page in 1/gmp.1 7/libgmp-sched.7 3/gmprt.3; do
	check "manual page $page" test -f "/usr/share/man/man$page.gz"
done

check "purge" dpkg -P libgmp-sched-dev libgmp-sched
# Directories that others share stay, of course.
left()
{
	while read -r f; do
		case $f in
		*gmp-sched*) [ ! -e "$f" ] || echo "$f" ;;
		*) [ ! -f "$f" ] || echo "$f" ;;
		esac
	done <"$work/files"
}
check "nothing is left" sh -c "[ -z '$(left)' ] || { echo '$(left)'; exit 1; }"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
