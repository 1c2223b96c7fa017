#!/usr/bin/python3
"""check_raw.py FILE: the events of a trace file (gmp trace --raw, GMP_TRACE), in order of their dates.

In that order no P has two Gs and no G has two Ps, without any tolerance: that is what runtime/trace.h
promises, and what all pictures and tables rest on.  Reads the file by itself (runtime/trace_file.h says
how it looks, runtime/trace.def which events there are), knows nothing of tools/replay.c.
"""
import collections
import os
import re
import struct
import sys

CHUNK = 8192
HEAD = struct.Struct("<8sIIQiIQQQQQ")  # magic .. end
TAKEN_AT = 128
CHUNK_HEAD = struct.Struct("<IIiHHQQQH")
FIRST_EVENT = 64
EVENT = struct.Struct("<QBBHI")
NO_P = 0xffff
SYSMON = 0xffffffff

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def kinds():
    with open(os.path.join(ROOT, "runtime", "trace.def"), encoding="utf-8") as f:
        return ["NONE"] + re.findall(r"^EVENT\((\w+),", f.read(), re.M)


KINDS = kinds()
Event = collections.namedtuple("Event", "ticks mid kind a b")


def read(path):
    """All valid events in order of their dates, and how many chunks were overwritten."""
    with open(path, "rb") as f:
        data = f.read()
    head = HEAD.unpack_from(data)
    assert head[0] == b"gmptrac1" and head[2] == CHUNK, "no trace"
    begin = head[7]
    taken, = struct.unpack_from("<I", data, TAKEN_AT)
    events = []
    for off in range(CHUNK, min(len(data), head[3]) - CHUNK + 1, CHUNK):
        turn, mid, *_ = CHUNK_HEAD.unpack_from(data, off)
        if not turn:
            continue
        for at in range(off + FIRST_EVENT, off + CHUNK, EVENT.size):
            ticks, kind, tag, a, b = EVENT.unpack_from(data, at)
            if not ticks:
                continue
            assert tag == mid & 0xff and 0 < kind < len(KINDS) and ticks >= begin, (off, at, ticks, kind)
            events.append((ticks, turn, at, Event(ticks, mid, KINDS[kind], a, b)))
    events.sort()
    return [e[-1] for e in events], max(0, taken - (head[3] // CHUNK - 1))


class Books:
    """Who holds what.  of: P -> G, 0 = nobody; what is not in it was never spoken of."""

    def __init__(self):
        self.of, self.ps, self.gone, self.faults = {}, collections.defaultdict(set), set(), []

    def lose(self, p, g, e):
        if g in self.gone:
            self.faults.append(f"P {p} is given up by or taken from G {g}, which is no more: {e}")
        if self.of.get(p, g) != g:
            self.faults.append(f"P {p} is given up or taken from G {g}, and G {self.of[p]} has it: {e}")
            return
        self.ps[g].discard(p)
        self.of[p] = 0

    def gain(self, p, g, e):
        if self.of.get(p):
            self.faults.append(f"G {g} gets P {p}, which G {self.of[p]} has: {e}")
        if self.ps[g]:
            self.faults.append(f"G {g} gets P {p}, and has {self.ps[g]}: {e}")
        if g in self.gone:
            self.faults.append(f"G {g} gets P {p}, and is no more: {e}")
        self.of[p] = g
        self.ps[g].add(p)


def check(events):
    books, status_g = Books(), None
    for e in events:
        if e.kind == "GO_START":
            books.gain(e.a, e.b, e)
        elif e.kind in ("GO_STOP", "GO_BLOCK", "PROC_STEAL"):
            books.lose(e.a, e.b, e)
        elif e.kind == "GO_DESTROY":
            if books.ps[e.b]:
                books.faults.append(f"G {e.b} is no more, and has {books.ps[e.b]}: {e}")
            books.gone.add(e.b)
        elif e.kind == "GO_STATUS":
            status_g = e.b
        elif e.kind == "GO_STATUS_THREAD":
            # Of the trace's begin: what G has at this date, told before or not.
            p = e.a & 0x1fff
            if p != 0x1fff and p not in books.of:
                books.gain(p, status_g, e)
            if books.ps[status_g] != ({p} if p != 0x1fff else set()):
                books.faults.append(f"G {status_g} is said to have P {p}, and has {books.ps[status_g]}: {e}")
        elif e.kind == "PROC_STOP":
            if books.of.get(e.a):
                books.faults.append(f"P {e.a} is idle, and G {books.of[e.a]} has it: {e}")
            books.of[e.a] = 0
    return books.faults


def main():
    events, lost = read(sys.argv[1])
    faults = check(events)
    for line in faults[:20]:
        print(line)
    kinds_seen = collections.Counter(e.kind for e in events)
    print(f"{len(events)} events, {kinds_seen['GO_START']} starts, {kinds_seen['PROC_STEAL']} steals, "
          f"{lost} chunks lost, {len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
