#!/bin/sh
# Searches the models, loan.pml and idle.pml, through and through, in parts; and takes one thing
# after the other out of them, each of which must make them fail, as said.
#   sh tests/model/run.sh            `N passed, N failed`
#   sh tests/model/run.sh NAME...    these alone
# With a trail left in build/model/NAME: (cd build/model/NAME && spin -t -p *.pml)
set -u
cd "$(dirname "$0")/../.." || exit 1
top=$PWD
wanted=" $* "
started=0
log=build/model/results
mkdir -p build/model
: >$log

# search NAME EXPECTED FLAGS...: EXPECTED is "holds", or what pan says when it does not.
search()
{
	name=$1
	expected=$2
	shift 2
	dir=build/model/$name
	mkdir -p "$dir"
	cp "tests/model/$file" "$dir/"
	(cd "$dir" && spin -a "$@" "$file" && ${CC:-gcc} -Og -w -DSAFETY -DCOLLAPSE -DMEMLIM=3000 \
		-o pan pan.c && ./pan -m300000) >"$dir/log" 2>&1
	if [ "$expected" = holds ]; then
		grep -q 'errors: 0' "$dir/log" && ! grep -qE 'not completed|too small' "$dir/log"
	else
		grep -q "^pan:1: $expected" "$dir/log"
	fi && echo "ok   $name: $expected" || echo "FAIL: $name: not '$expected'; see $top/$dir/log"
}

# As many at a time as most machines have CPUs.
model()
{
	case $wanted in "  " | *" $1 "*) ;; *) return ;; esac
	search "$@" >>$log &
	started=$((started + 1))
	[ $((started % 2)) -ne 0 ] || wait
}

file=loan.pml
no_p="assertion violated ((hold"
untold="assertion violated (dated" # a change of hands
silent="assertion violated  !(silent" # an end
cut_short="assertion violated  !(" # in_call or pending

model loan holds
model symmetric holds -DSYMMETRIC
model preempt holds -DPREEMPT
model unseen holds -DUNSEEN
model resize holds -DRESIZE
model fork holds -DFORK
model trace holds -DTRACE -DUNSEEN
model here holds -DSYMMETRIC -DHERE
model birth holds -DBIRTH

model seizer_without_fence "$no_p" -DNO_LOAN_FENCE
model exit_reordered "$no_p" -DEXIT_REORDERED
model symmetric_without_fence "$no_p" -DSYMMETRIC -DNO_LIGHT_FENCE
model hold_without_serial "$no_p" -DNO_SERIAL
model sender_without_fence "$cut_short" -DPREEMPT -DNO_SIGNAL_FENCE
model entry_reordered "$cut_short" -DPREEMPT -DENTRY_REORDERED
model flights_alike "$cut_short" -DPREEMPT -DNO_FLIGHT
model doze_without_fence "invalid end state" -DNO_DOZE_FENCE
model trace_without_renewal "$untold" -DTRACE -DNO_RENEWAL
model trace_without_fence "$silent" -DTRACE -DUNSEEN -DNO_TRACE_FENCE
model fork_without_wipe "invalid end state" -DFORK -DNO_WIPE
model here_without_look "$no_p" -DSYMMETRIC -DHERE -DTRUST_CPU
model birth_without_serial "$no_p" -DBIRTH -DANEW

file=idle.pml
left="assertion violated ((stopping" # a G queued, a P idle
above="assertion violated ( !(idle" # the cap
runs="assertion violated (((owner"  # in a stopped world

model idle holds
model idle_stop holds -DSTOP
model idle_resize holds -DRESIZE
model idle_stop_resize holds -DSTOP -DRESIZE

model queueing_without_fence "$left" -DNO_PUSH_FENCE
model idle_without_look "$left" -DNO_RECHECK
model hand_on_without_chain "$left" -DNO_CHAIN
model start_without_fence "$left" -DSTOP -DNO_START_FENCE
model stop_without_fence "$runs" -DSTOP -DNO_STOP_FENCE
model claim_without_look "$runs" -DSTOP -DNO_SECOND_LOOK
model lend_without_fence "$above" -DRESIZE -DNO_LEND_FENCE
model idle_above_cap "$above" -DRESIZE -DNO_CAP_RECHECK
model own_p_alone "invalid end state" -DSTOP -DRESIZE -DCLAIM_OWN

wait
cat $log
passed=$(grep -c '^ok' $log)
echo "$passed passed, $((started - passed)) failed"
[ "$passed" -eq $started ]
