#!/bin/sh
# Asks every question of bench/ natively, under the library and under Go, side by side; prints a
# table and writes build/bench/results.json.
#   sh bench/run.sh              below 15 minutes
#   sh bench/run.sh --quick      2 minutes, rougher
#   sh bench/run.sh NAME...      these questions alone (`--list` names them)
#   GO=/path/to/go sh bench/run.sh
# The machine must be otherwise idle.  The rows under a CPU quota need root and a cgroup.
set -eu
cd "$(dirname "$0")/.."
case " $* " in
*" --help "* | *" -h "*) sed -n '2,/^set/s/^# \{0,1\}//p' bench/run.sh && exit 0 ;;
esac
sh tools/deps.sh build bench >&2
{
	[ -f build/build.ninja ] || meson setup build -Dtests=false
	ninja -C build
} >build-bench.log 2>&1 || { tail -n 30 build-bench.log >&2 && exit 1; }
rm -f build-bench.log
exec /usr/bin/python3 bench/run.py "$@"
