#!/bin/sh
# The two pictures in README.md: examples/pipeline for 10 ms, first with a P for every thread, which
# leaves all choices to the kernel, then with 2.  Usage: make.sh [BUILD_DIR]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
build=${1:-$here/../../build}
[ -x "$build/tools/gmp" ] || { echo "gmp: pictures: nothing is built in $build" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for procs in 8 2; do
	GMP_MAXPROCS=$procs GMP_TRACE=$work/trace LD_PRELOAD=$build/libgmp.so \
		"$build/examples/pipeline" >"$work/out"
	"$build/tools/gmp" trace --svg --for 10 -o "$here/pipeline-$procs.svg" "$work/trace"
done
