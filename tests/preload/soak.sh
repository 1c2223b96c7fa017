#!/bin/sh
# The semantics matrix over and over under pressure, until the time is up or a row differs.
#   soak.sh [--minutes N] [--rows "read poll ..."]
# Each row runs natively and then, beside three threads that compute, at one P and at two with slices
# of 100 to 1000 us.  The first difference ends it, with exit code 1: the row, both outputs and the
# environment are printed, and the stacks of what hung.  Default: ten minutes, all rows
# (`build/tests/preload/semantics --list`).
set -u
build=${BUILD:-$(dirname "$0")/../../build}
minutes=10
rows=
while [ $# -gt 0 ]; do
	case $1 in
	--minutes) minutes=$2 ;;
	--rows) rows=$2 ;;
	*) sed -n '2,7s/^# \{0,1\}//p' "$0" && exit 2 ;;
	esac
	shift 2 || exit 2
done
ninja -C "$build" >/dev/null || exit 1
# shellcheck disable=SC2086
exec "$build/tests/preload/soak" "$minutes" $rows
