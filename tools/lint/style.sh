#!/bin/sh
# What clang-format does not see: files open with a comment, stay within 600 lines of 100 columns,
# functions within 40 lines, and shell scripts parse.  Usage: style.sh SOURCE_ROOT
# Prints one line a fault; exit 1 when there is one.
set -eu
export LC_ALL=C
cd "$1"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

# One process for all files: starting thousands of them is what takes the time.
git ls-files -co --exclude-standard -- '*.c' '*.h' '*.S' '*.def' | while read -r f; do
	[ ! -f "$f" ] || echo "$f"
done | xargs awk '
	# Columns as a reader sees them: a tab goes to the next multiple of 8.
	function width(line, n, at) {
		for (n = 0; (at = index(line, "\t")); line = substr(line, at + 1))
			n = n + at - 1 + 8 - (n + at - 1) % 8
		return n + length(line)
	}
	function end() {
		if (lines > 600) print file ": " lines " lines, want 600 or less"
	}
	FNR == 1 {
		end(); file = FILENAME; start = 0
		if ($0 !~ /^\/[*\/]/) print file ":1: opens without a comment on its idea"
	}
	{ lines = FNR }
	length($0) > 12 && (n = width($0)) > 100 { print file ":" FNR ": " n " columns, want 100 or less" }
	/^[{]$/ { start = FNR }
	/^[}]/ && start {
		if (FNR - start - 1 > 40)
			print file ":" start ": a function of " FNR - start - 1 " lines, want 40 or less"
		start = 0
	}
	END { end() }' >"$out"
for f in .ci/run $(git ls-files -co --exclude-standard -- '*.sh'); do
	[ -f "$f" ] || continue
	sh -n "$f" || echo "$f: does not parse" >>"$out"
done
sed 's/^/gmp: style: /' "$out"
[ ! -s "$out" ]
