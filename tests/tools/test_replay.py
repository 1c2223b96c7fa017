"""gmp trace FILE on traces made here, event by event: what tools/replay.c makes of each order of them."""
import json
import os
import tempfile

import check_raw
from check_trace import check
from harness import expect, gmp, main, test

PID = 4711
BEGIN = 1000
RATE = 10  # ticks a ns
RUNNING, IN_CALL = 2, 3
work = tempfile.mkdtemp(prefix="gmp-replay-")


def write(*events, taken=0, chunks=16):
    """A trace of these: (ns, thread, kind, a, b), in the order that they were written."""
    path = os.path.join(work, "trace")
    size = (1 + chunks) * check_raw.CHUNK
    data = bytearray(size)
    check_raw.HEAD.pack_into(data, 0, b"gmptrac1", 1, check_raw.CHUNK, size, PID, 1, 0, BEGIN, 0,
                             BEGIN + 10000000 * RATE, 10000000)
    room = (check_raw.CHUNK - check_raw.FIRST_EVENT) // check_raw.EVENT.size
    pieces = []
    for mid in sorted({e[1] for e in events}):
        own = [e for e in events if e[1] == mid]
        pieces += [(mid, own[i:i + room]) for i in range(0, len(own), room)]
    check_raw.struct.pack_into("<I", data, check_raw.TAKEN_AT, taken or len(pieces))
    for turn, (mid, piece) in enumerate(pieces, 1):
        off = turn * check_raw.CHUNK
        number = check_raw.SYSMON if mid == 0 else mid
        check_raw.CHUNK_HEAD.pack_into(data, off, turn, number, 100 + mid, 0, 0, mid, BEGIN, 0, check_raw.NO_P)
        for i, (ns, _, kind, a, b) in enumerate(piece):
            check_raw.EVENT.pack_into(data, off + check_raw.FIRST_EVENT + i * check_raw.EVENT.size,
                                      BEGIN + round(ns * RATE), check_raw.KINDS.index(kind), number & 0xff, a, b)
    with open(path, "wb") as f:
        f.write(data)
    return path


def shown(path, said=""):
    """What the Ps' tracks hold, (P, G, from, to) in us, and the arrows, (from, to) as threads."""
    r = gmp("trace", path)
    expect(r, r.code == 0 and said in r.err and r.err.count("\n") == bool(said))
    faults, events = check(r.out)
    expect("\n".join(faults), not faults)
    ps = sorted((e["tid"], int(e["name"][2:]), e["ts"], round(e["ts"] + e["dur"], 3))
                for e in events if e.get("cat") == "p")
    ends = {e["id"]: e["tid"] for e in events if e["ph"] == "f"}
    return ps, [(e["tid"], ends[e["id"]]) for e in events if e["ph"] == "s"]


def status(g, p, state):
    return [(0, 0, "GO_STATUS", 0, g), (0, 0, "GO_STATUS_THREAD", state << 13 | p, 100 + g)]


TWO_PS = (0, 0, "PROCS_CHANGE", 0, 2)


@test
def a_p_goes_from_hand_to_hand_with_an_arrow():
    ps, arrows = shown(write(
        TWO_PS, *status(1, 0, RUNNING), (1000, 2, "GO_RUNNABLE", 0, 2), (2000, 1, "GO_STOP", 0, 1),
        (2100, 1, "GO_UNBLOCK", 0, 2), (3000, 2, "GO_START", 0, 2), (4000, 2, "GO_STOP", 0, 2)))
    expect(ps, ps == [(0, 1, 0.0, 2.0), (0, 2, 3.0, 4.0)])
    expect(arrows, arrows == [(101, 102)])


@test
def order_is_by_the_clock_also_within_a_nanosecond():
    ps, _ = shown(write(
        TWO_PS, *status(2, 0, RUNNING), (1000.2, 2, "GO_STOP", 0, 2), (1000.4, 1, "GO_START", 0, 1),
        (2000.1, 1, "GO_STOP", 0, 1), (2000.3, 2, "GO_START", 0, 2), (3000, 2, "GO_STOP", 0, 2)))
    expect(ps, ps == [(0, 1, 1.0, 2.0), (0, 2, 0.0, 1.0), (0, 2, 2.0, 3.0)])


MISSING = [TWO_PS, *status(1, 0, IN_CALL), (2000, 1, "GO_START", 1, 1), (3000, 2, "PROC_STEAL", 0, 1),
           (3100, 2, "GO_START", 0, 2), (4000, 1, "GO_STOP", 1, 1), (5000, 2, "GO_STOP", 0, 2)]
BELIEVED = [(0, 1, 0.0, 2.0), (0, 2, 3.1, 5.0), (1, 1, 2.0, 4.0)]


@test
def a_p_that_was_not_given_up_is_said_and_not_hidden():
    ps, _ = shown(write(*MISSING), said="contradicts itself 1 times")
    expect(ps, ps == BELIEVED)
    r = gmp("trace", "--summary", write(*MISSING))
    expect(r, "at 1 places it is not certain who had a P" in r.out)
    # Where chunks were taken again that is how it must be.
    ps, _ = shown(write(*MISSING, taken=40))
    expect(ps, ps == BELIEVED)
    r = gmp("trace", "--summary", write(*MISSING, taken=40))
    expect(r, not r.err and "24 chunks" in r.out and "at 1 places" in r.out)


@test
def a_p_with_two_gs_is_said():
    ps, _ = shown(write(TWO_PS, (1000, 1, "GO_START", 0, 1), (2000, 2, "GO_START", 0, 2),
                        (3000, 1, "GO_STOP", 0, 1), (4000, 2, "GO_STOP", 0, 2)), said="contradicts itself 1 times")
    expect(ps, ps == [(0, 1, 1.0, 2.0), (0, 2, 2.0, 4.0)])


@test
def no_arrow_comes_from_a_thread_of_which_nothing_is_known():
    _, arrows = shown(write(TWO_PS, (900, 2, "GO_RUNNABLE", 0, 2), (1000, 1, "GO_UNBLOCK", 0, 2),
                            (2000, 2, "GO_START", 0, 2), (3000, 2, "GO_STOP", 0, 2)))
    expect(arrows, arrows == [])


@test
def what_was_so_at_the_begin_does_not_undo_what_came_before_it_was_told():
    late = [(500, 0, kind, a, b) for _, _, kind, a, b in status(1, 0, IN_CALL)]
    ps, _ = shown(write(TWO_PS, *late, (400, 2, "PROC_STEAL", 0, 1), (600, 2, "GO_START", 0, 2),
                        (1000, 2, "GO_STOP", 0, 2)))
    expect(ps, ps == [(0, 2, 0.6, 1.0)])


@test
def who_ends_has_no_p():
    ps, _ = shown(write(TWO_PS, (1000, 1, "GO_START", 0, 1), (2000, 1, "GO_DESTROY", 0, 1),
                        (5000, 2, "GO_START", 0, 2), (6000, 2, "GO_STOP", 0, 2)))
    expect(ps, ps == [(0, 1, 1.0, 2.0), (0, 2, 5.0, 6.0)])


@test
def an_end_is_told_by_whoever_finds_it():
    for finder in (0, 2):
        ps, _ = shown(write(TWO_PS, (500, 2, "GO_START", 1, 2), (1000, 1, "GO_START", 0, 1),
                            (2000, finder, "GO_DESTROY", 0, 1), (2500, 2, "GO_SYSCALL_BEGIN", 0, 1),
                            (4000, 2, "GO_SYSCALL_END", 0, 1), (5000, 2, "GO_STOP", 1, 2)))
        expect(ps, ps == [(0, 1, 1.0, 2.0), (1, 2, 0.5, 5.0)])
        gs = {e["tid"] for e in json.loads(gmp("trace", write(
            TWO_PS, (500, 2, "GO_START", 1, 2), (2000, finder, "GO_DESTROY", 0, 1),
            (2500, 2, "GO_SYSCALL_BEGIN", 0, 1), (4000, 2, "GO_SYSCALL_END", 0, 1))).out)["traceEvents"]
              if e.get("cat") == "call"}
        expect(gs, gs == {102})


@test
def who_spoke_before_its_p_was_told_has_that_p():
    late = [(500, 0, kind, a, b) for _, _, kind, a, b in status(1, 0, IN_CALL)]
    ps, _ = shown(write(TWO_PS, (400, 1, "GO_SYSCALL_BEGIN", 0, 0), *late, (800, 2, "PROC_STEAL", 0, 1),
                        (900, 2, "GO_START", 0, 2), (1000, 2, "GO_STOP", 0, 2)))
    expect(ps, ps == [(0, 1, 0.5, 0.8), (0, 2, 0.9, 1.0)])


@test
def a_number_of_ps_that_cannot_be_is_not_believed():
    path = write((0, 0, "PROCS_CHANGE", 0, 0xfffffff0), (1000, 1, "GO_START", 3, 1), (2000, 1, "GO_STOP", 3, 1))
    ps, _ = shown(path)
    expect(ps, ps == [(3, 1, 1.0, 2.0)])
    r = gmp("trace", "--summary", path)
    expect(json.dumps(r.out), " 4 Ps, " in r.out)


@test
def a_long_window_is_a_small_picture_of_the_same_colours():
    events = [(0, 0, "PROCS_CHANGE", 0, 8)]
    for g in range(1, 9):  # each runs a quarter of the time, for 0.5 us at a time
        events.append((g, g, "GO_START", g - 1, g))
        for us in range(0, 9600, 2):
            events += [(us * 1000 + 500 + g, g, "GO_SYSCALL_BEGIN", 0, g - 1),
                       (us * 1000 + 2000 + g, g, "GO_SYSCALL_END", 0, g - 1)]
    r = gmp("trace", "--svg", "--for", "10", write(*events, chunks=160))
    expect(len(r.out), r.code == 0 and len(r.out) < 2 << 20)
    drawn = {c: r.out.count(f'class="{c}"><title>') for c in ("run", "call")}
    expect(drawn, 5000 < sum(drawn.values()) and 0.2 < drawn["run"] / sum(drawn.values()) < 0.3)


main()
