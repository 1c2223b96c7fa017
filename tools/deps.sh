#!/bin/sh
# Installs the Debian packages that building, testing and the examples need and this system lacks.
#   sh tools/deps.sh build|tests|apps|examples|bench|suites|package|roots|inside...
# Says what it installs before it does; with nothing missing it prints one line and needs no root.
# This is the only list of packages in the project.
set -eu

build="gcc libc6-dev libncurses-dev libunwind-dev meson ninja-build pkg-config libdw-dev"
tests="$build tmux clang clang-format libclang-rt-14-dev libcriterion-dev liblzma-dev
	g++ libgmp-dev libgomp1 libasan8 libtsan2 libjemalloc2 binutils gdb python3 procps util-linux
	memcached redis-server redis-tools groff-base sysbench xz-utils zstd pigz curl perl golang-go
	libpython3.11-testsuite linux-perf mariadb-server spin strace valgrind"
suites="$build g++ cmake make dpkg-dev iproute2 util-linux"
roots="$build debootstrap util-linux"
# In a root of another release; what has its version in its name is not asked for.
inside="gcc g++ libc6-dev libncurses-dev libunwind-dev meson ninja-build pkg-config libdw-dev libcriterion-dev
	binutils gdb libgomp1 libgmp-dev python3 python3-setuptools procps"
bench="$build golang-go libgomp1 libopenblas0-pthread mariadb-server memcached nginx-light python3 redis-server sqlite3
	sysbench util-linux xz-utils"
apps="apache2-bin apache2-utils bind9 bind9-dnsutils chromium clang erlang-base ffmpeg fio g++ ghc git
	gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-tools guile-3.0 haproxy
	lbzip2 linux-perf libmimalloc2.0 libtcmalloc-minimal4 libboost-dev libboost-system-dev libboost-thread-dev libomp-14-dev
	libopenblas0-pthread libreoffice-calc libsqlite3-dev libtbb-dev libuv1-dev make
	mariadb-server mono-mcs mono-runtime nginx-light nodejs ocaml-nox openjdk-17-jdk-headless openssl
	p7zip-full pbzip2 plzip postgresql-15 python3-numpy qemu-system-x86 qemu-utils r-base-core ruby rustc sbcl squid stress-ng stunnel4
	swi-prolog-nox unbound varnish wrk x264"
examples="$build libunwind8 python3 procps memcached redis-server redis-tools"
package="$build debhelper dpkg-dev libgmp-dev"

fail()
{
	echo "gmp: deps: $*" >&2
	exit 1
}

[ $# -gt 0 ] || set -- build tests examples
want=
for set_name in "$@"; do
	case $set_name in
	build) want="$want $build" ;;
	tests) want="$want $tests" ;;
	apps) want="$want $apps" ;;
	examples) want="$want $examples" ;;
	package) want="$want $package" ;;
	bench) want="$want $bench" ;;
	suites) want="$want $suites" ;;
	roots) want="$want $roots" ;;
	inside) want="$want $inside" ;;
	*) fail "no set '$set_name'; use build, tests, apps, examples, bench, suites, package, roots or inside" ;;
	esac
done

command -v dpkg-query >/dev/null 2>&1 ||
	fail "not a Debian system; install the like of:" $want

missing=
for p in $(printf '%s\n' $want | sort -u); do
	status=$(dpkg-query -W -f '${db:Status-Abbrev}' "$p" 2>/dev/null || true)
	case $status in
	ii*) ;;
	*) missing="$missing $p" ;;
	esac
done
if [ -z "$missing" ]; then
	echo "gmp: deps: $*: all packages are there"
	exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null ||
		fail "not root and no sudo; run: apt-get install$missing"
	as_root="sudo -n"
fi
echo "gmp: deps: $*: installing$missing"

# Debian starts a service when it installs one.  A policy file forbids that for the time of the
# installation; one that is there already is somebody's own and stays.
policy=/usr/sbin/policy-rc.d
log=$(mktemp)
cleanup()
{
	rm -f "$log"
	[ -z "$policy" ] || $as_root rm -f "$policy"
}
if [ -e "$policy" ]; then
	policy=
else
	printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
	$as_root chmod 755 "$policy"
fi
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

apt()
{
	$as_root env DEBIAN_FRONTEND=noninteractive LD_PRELOAD= \
		apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 "$@" >>"$log" 2>&1
}
if ! apt update; then
	tail -n 5 "$log" >&2
	fail "apt-get update failed (above); is there a network and a package source"
fi
if ! apt install -y --no-install-recommends $missing; then
	tail -n 15 "$log" >&2
	fail "apt-get install failed (above) for$missing"
fi
echo "gmp: deps: $*: done"
