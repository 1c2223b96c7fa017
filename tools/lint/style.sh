#!/bin/sh
# What clang-format does not see: files open with a comment, stay within 600 lines of 100 columns,
# functions within 40 lines, and shell scripts parse.  Usage: style.sh SOURCE_ROOT
# Prints one line a fault; exit 1 when there is one.
set -eu
cd "$1"
out=$(mktemp)
trap 'rm -f "$out"' EXIT

git ls-files -co --exclude-standard -- '*.c' '*.h' '*.S' '*.def' | while read -r f; do
	[ -f "$f" ] || continue
	expand -t 8 "$f" | awk -v f="$f" '
	NR == 1 && !/^\/[*\/]/ { print f ":1: opens without a comment on its idea" }
	length($0) > 100 { print f ":" NR ": " length($0) " columns, want 100 or less" }
	/^[{]$/ { start = NR }
	/^[}]/ && start { if (NR - start - 1 > 40) print f ":" start ": a function of " NR - start - 1 " lines, want 40 or less"; start = 0 }
	END { if (NR > 600) print f ": " NR " lines, want 600 or less" }'
done >"$out"
for f in .ci/run $(git ls-files -co --exclude-standard -- '*.sh'); do
	[ -f "$f" ] || continue
	sh -n "$f" || echo "$f: does not parse" >>"$out"
done
sed 's/^/gmp: style: /' "$out"
[ ! -s "$out" ]
