#!/bin/sh
# Fuzzes what reads files that others write, with libFuzzer and the sanitizers.
#   sh tests/fuzz/run.sh [SECONDS]      60 when not said
# What it found is kept in build-fuzz/; a crash leaves its input there.
set -eu
cd "$(dirname "$0")/../.."
mkdir -p build-fuzz/corpus
clang -std=gnu17 -D_GNU_SOURCE -DLIBFUZZER -DGMP_DEBUG=1 -I. -g -O1 -fno-strict-aliasing \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	tests/fuzz/fuzz_cgroup.c runtime/cgroup.c -o build-fuzz/fuzz_cgroup
for own in '0::/a\n' '4:cpu,cpuacct:/a\n'; do
	for type in 'cgroup2 none rw' 'cgroup none rw,cpu,cpuacct'; do
		printf "$own"'\0001 2 0:3 / /m\\040n rw shared:4 - '"$type"'\n\0005 1\n\0001\n' \
			>"build-fuzz/corpus/$(printf '%s' "$own$type" | cksum | cut -d ' ' -f 1)"
	done
done
cd build-fuzz
exec ./fuzz_cgroup -max_total_time="${1:-60}" -max_len=20000 -print_final_stats=1 corpus
