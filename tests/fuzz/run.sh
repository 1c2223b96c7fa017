#!/bin/sh
# Fuzzes what reads text that others write, with libFuzzer and the sanitizers.
#   sh tests/fuzz/run.sh                     each target a fixed number of runs, the same each time
#   sh tests/fuzz/run.sh SECONDS [TARGET]    goes on from what earlier runs found, in build-fuzz/
# A crash leaves its input in build-fuzz/, and the line says where.
set -u
cd "$(dirname "$0")/../.." || exit 1
flags="-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all"
seconds=${1:-}
bad=0
mkdir -p build-fuzz
case $seconds in
*[!0-9]*) echo "gmp: fuzz: '$seconds' is no number of seconds" >&2 && exit 2 ;;
esac
grep -q "^${2:-.*} " tests/fuzz/targets ||
	{ echo "gmp: fuzz: no target '$2'; there are:" $(cut -d ' ' -f 1 tests/fuzz/targets) >&2 && exit 2; }
if ! printf 'int LLVMFuzzerTestOneInput(const char *at, long n) { return 0; }\n' |
	clang $flags -x c - -o build-fuzz/try 2>build-fuzz/try.txt; then
	echo "SKIP: clang has no libFuzzer here"
	echo "0 passed, 0 failed"
	exit 0
fi

one()
{
	name=$1
	shift
	dir=build-fuzz/$name
	clang -std=gnu17 -D_GNU_SOURCE -DGMP_DEBUG=1 -I. -g -O1 -fno-strict-aliasing $flags \
		"tests/fuzz/fuzz_$name.c" "$@" -o "$dir.bin" || return 1
	[ "$seconds" ] || rm -rf "$dir"
	mkdir -p "$dir"
	if [ "$seconds" ]; then set -- "-max_total_time=$seconds"; else set -- -runs=100000 -seed=1; fi
	"$dir.bin" "$@" -max_len=9000 -print_final_stats=1 -verbosity=0 \
		-artifact_prefix="$dir-" "$dir" "tests/fuzz/corpus/$name"
}

while read -r target; do
	[ "${2:-${target%% *}}" = "${target%% *}" ] || continue
	if one $target; then
		echo "1 passed, 0 failed"
	else
		echo "FAIL: fuzz ${target%% *}"
		echo "0 passed, 1 failed"
		bad=1
	fi
done <tests/fuzz/targets
exit $bad
