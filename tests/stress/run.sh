#!/bin/sh
# Runs the stress program over many seeds, numbers of Ps and threads, and says what happened.
#
#   run.sh [--minutes N] [--seed S] [--procs "1 2 4"] [--seconds-per-seed N] [--seeds N]
#          [--native] [--self-test] [--bin PROGRAM] [--lib LIBRARY] [-- options of the program]
#
# Seeds count up from S; each runs for a few seconds at the next number of Ps of the list, every
# other time round with options of the library that are off the beaten track. One line a seed, the
# exact command of each that failed, and at the end "N passed, N failed". Default: two minutes.
#   --native     without the library: whatever fails here is the harness's own fault
#   --self-test  natively, and then sabotaged in each of the ways the harness must notice
# A failing seed's output and stacks stay in the directory named at the end.
set -u

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$here/../../build}
bin=
lib=
minutes=2
seed=
procs="1 2 4 20"
each=5
seeds=0
native=0
selftest=0

usage() { sed -n '2,13s/^# \{0,1\}//p' "$0"; exit "$1"; }

while [ $# -gt 0 ]; do
	case $1 in
	--minutes) minutes=$2; shift ;;
	--seed) seed=$2; shift ;;
	--seeds) seeds=$2; shift ;;
	--procs) procs=$2; shift ;;
	--seconds-per-seed) each=$2; shift ;;
	--bin) bin=$2; shift ;;
	--lib) lib=$2; shift ;;
	--native) native=1 ;;
	--self-test) selftest=1; native=1 ;;
	--help) usage 0 ;;
	--) shift; break ;;
	*) usage 2 ;;
	esac
	shift
done

bin=${bin:-$build/tests/stress/stress}
lib=${lib:-$build/libgmp.so}
[ -x "$bin" ] || { echo "stress: $bin is not built" >&2; exit 77; }
[ $native = 1 ] || [ -r "$lib" ] || { echo "stress: $lib is not built" >&2; exit 77; }
# A new day, a new set of seeds; the lines below say which, so that any can be run again.
seed=${seed:-$(( $(date +%s) / 86400 * 1000 ))}
out=$(mktemp -d "${TMPDIR:-/tmp}/gmp-stress-out.XXXXXX") || exit 77
now=$(date +%s)
end=$(( now + minutes * 60 ))
passed=0
failed=0
turn=0

# Options that change which paths of the library are taken; plain every other time.
variant() {
	case $(( $1 % 10 )) in
	1) echo "GMP_RETAKE_US=0" ;;
	3) echo "GMP_SLICE_US=1000" ;;
	5) echo "GMP_RETAKE_US=2000" ;;
	7) echo "GMP_PREEMPT=gate" ;;
	9) echo "GMP_SLICE_US=2000 GMP_RETAKE_US=5" ;;
	esac
}

# one SEED PROCS OPTIONS...: runs it, keeps its output if it failed
one() {
	s=$1 p=$2
	shift 2
	log=$out/$s
	if [ $native = 1 ]; then
		set -- env "$bin" "$@"
	else
		# shellcheck disable=SC2046
		set -- env GMP_MAXPROCS="$p" GMP_ON_BUG=abort GMP_STATS=1 $(variant "$s") \
			LD_PRELOAD="$lib" "$bin" "$@"
	fi
	set -- "$@" --seed "$s" --seconds "$each"
	timeout -k 10 $(( each * 6 + 300 )) "$@" --log "$log.stacks" >"$log.out" 2>&1
	rc=$?
	# Children print stats as well: ours is the one with most threads.
	stats=$(grep -o 'gmp: stats: .*' "$log.out" | sed 's/.*threads=\([0-9]*\).*/\1 &/' |
		sort -n | tail -1 | sed 's/^[0-9]* gmp: stats: //')
	figures=$(sed -n 's/.*seed [0-9]*: \(threads=.*\)/\1/p' "$log.out")
	if [ $rc = 0 ]; then
		passed=$(( passed + 1 ))
		echo "ok   seed $s P=$p $figures | $stats"
		rm -f "$log.out" "$log.stacks"
	else
		failed=$(( failed + 1 ))
		echo "FAIL seed $s P=$p status $rc"
		grep -v 'gmp: stats' "$log.out" | head -30 | sed 's/^/     /'
		echo "     again: $*"
	fi
	return $rc
}

# Each sabotage must be noticed with the exit status that stands for it.
sabotage() {
	what=$1 want=$2
	timeout -k 10 120 "$bin" --seed 1 --seconds 2 --threads 40 --mix sem,mutex,nap,pipe --quiet 3 \
		--sabotage "$what" --log "$out/$what.stacks" >"$out/$what.out" 2>&1
	rc=$?
	if [ $rc = "$want" ]; then
		passed=$(( passed + 1 ))
		echo "ok   sabotage $what is noticed: $(grep -m 1 -E 'FAIL|hang|crash' "$out/$what.out")"
		rm -f "$out/$what.out" "$out/$what.stacks"
	else
		failed=$(( failed + 1 ))
		echo "FAIL sabotage $what: status $rc, want $want"
	fi
}

if [ $selftest = 1 ]; then
	each=2
	seeds=5
	sabotage count 1
	sabotage eintr 1
	sabotage hang 3
	sabotage crash 4
fi

while :; do
	for p in $procs; do
		if [ "$seeds" -gt 0 ]; then
			[ $turn -lt "$seeds" ] || break 2
		else
			[ "$(date +%s)" -lt $end ] || break 2
		fi
		one $(( seed + turn )) "$p" "$@"
		turn=$(( turn + 1 ))
	done
done

echo "$passed passed, $failed failed"
if [ $failed = 0 ]; then
	rm -rf "$out"
	exit 0
fi
echo "outputs and stacks: $out"
exit 1
