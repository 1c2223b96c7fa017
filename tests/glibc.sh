#!/bin/sh
# The library with another glibc: a root of another Debian release, in which it is built with that
# release's compiler and libc and goes through its tests.
#   sh tests/glibc.sh bullseye                  glibc 2.31, the oldest; trixie: 2.41
#   sh tests/glibc.sh trixie unit semantics     these alone: suites, or tests of the suite `preload`
# Then the older of the two libraries, this build's and that one's, goes through the semantics matrix
# with the later glibc.  Needs a build here, to be root, and a quarter of an hour.  build/glibc/RELEASE is kept; remove it to begin anew.
set -u
cd "$(dirname "$0")/.." || exit 1
release=${1:-}
[ $# -gt 0 ] && shift
case $release in
'' | -*) sed -n '2,8s/^# \{0,1\}//p' "$0" && exit 2 ;;
esac
root=$PWD/build/glibc/$release
what=${*:-unit asm preload}

fail()
{
	echo "gmp: glibc: $*" >&2
	exit 1
}

# A root of its own in a mount namespace of its own; some tests make private mounts in it.
if [ "${GMP_TEST_INSIDE:-}" != "$release" ]; then
	sh tools/deps.sh roots || exit 1
	mkdir -p "$root"
	GMP_TEST_INSIDE=$release exec unshare -m sh "$0" "$release" "$@"
fi

inside()
{
	chroot "$root" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C sh -c "cd /src && $*"
}

mount --bind "$root" "$root" || fail "cannot mount; are you root"
[ -f "$root/made" ] || { debootstrap --variant=minbase "$release" "$root" && touch "$root/made"; } ||
	fail "no root of $release"
mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" || fail "cannot mount"
[ ! -f /etc/resolv.conf ] || cp /etc/resolv.conf "$root/etc/"
mkdir -p "$root/src"
git ls-files -co --exclude-standard | tar cf - -T - | tar xf - -C "$root/src"
inside sh tools/deps.sh inside || exit 1
# Debian 11's is too old for us, and another release's will do: it is Python.
case $(inside meson --version) in
0.*) (cd "$root/tmp" && apt-get download meson) && inside "dpkg -i /tmp/meson_*.deb" || fail "no meson" ;;
esac
inside "CC=gcc meson setup build && ninja -C build" || fail "does not build on $release"

[ "$what" != none ] || exit 0
failed=0
for t in $what; do
	case $t in
	unit | asm | preload) t="--suite libgmp:$t" ;;
	esac
	inside "meson test -C build --no-rebuild --num-processes 1 --print-errorlogs $t" || failed=1
done

# A library runs on its own glibc and on later ones: the older one's, under the later one's programs.
here=$(getconf GNU_LIBC_VERSION) there=$(inside getconf GNU_LIBC_VERSION)
cross="build/tests/preload/test_semantics --jobs 2"
if [ "$(printf '%s\n%s\n' "$here" "$there" | sort -V | head -n 1)" = "$here" ]; then
	mkdir -p "$root/src/older" && cp build/libgmp.so "$root/src/older/" &&
		inside "LIBGMP_SO=/src/older/libgmp.so $cross" || failed=1
else
	LIBGMP_SO="$root/src/build/libgmp.so" $cross || failed=1
fi
exit $failed
