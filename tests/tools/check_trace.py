#!/usr/bin/python3
"""check_trace.py FILE: is this what ui.perfetto.dev and chrome://tracing read, and can it be true?

Knows the Trace Event Format ("JSON Array/Object Format", Google) and what a trace of Ps and threads
must hold; knows nothing of the program that writes it.  Prints each fault; status 1 when there is one.
"""
import bisect
import collections
import json
import sys

NUMBER = (int, float)
TICK = 0.002  # us: two times rounded to ns may differ by that
# phase -> field -> type, besides name, ph and pid
FIELDS = {
    "M": {"args": dict},
    "X": {"tid": int, "ts": NUMBER, "dur": NUMBER, "cat": str},
    "B": {"tid": int, "ts": NUMBER},
    "E": {"tid": int, "ts": NUMBER},
    "C": {"ts": NUMBER, "args": dict},
    "s": {"tid": int, "ts": NUMBER, "id": int, "cat": str},
    "f": {"tid": int, "ts": NUMBER, "id": int, "cat": str},
}
NAMES = ("process_name", "thread_name")


class Checker:
    def __init__(self):
        self.faults = []
        self.names = {kind: {} for kind in NAMES}
        self.tracks = collections.defaultdict(list)  # (pid, tid) -> (begin, end, name)
        self.open = collections.defaultdict(list)    # (pid, tid) -> events B
        self.flows = collections.defaultdict(list)   # (cat, id) -> events in the file's order
        self.counters = collections.defaultdict(list)

    def fault(self, what, event):
        self.faults.append(f"{what}: {json.dumps(event)[:200]}")

    def fields(self, e):
        """True: it has all that its phase needs, so the others may look."""
        if not isinstance(e, dict) or e.get("ph") not in FIELDS:
            self.fault("no event of a known phase", e)
            return False
        wanted = {"name": str, "pid": int, **FIELDS[e["ph"]]}
        for field, kind in wanted.items():
            if field == "name" and e["ph"] == "E":
                continue
            value = e.get(field)
            if not isinstance(value, kind) or isinstance(value, bool):
                self.fault(f"'{field}' is missing or of a wrong type", e)
                return False
        if any(not e.get(k, 0) >= 0 for k in ("ts", "dur")):  # so that NaN is none
            self.fault("a time that cannot be", e)
            return False
        return True

    def event(self, e):
        if self.fields(e):
            {"M": self.metadata, "X": self.slice, "B": self.begin, "E": self.end,
             "C": self.counter, "s": self.flow, "f": self.flow}[e["ph"]](e)

    def metadata(self, e):
        name = e["args"].get("name")
        if e["name"] not in NAMES or not isinstance(name, str) or not name:
            self.fault("metadata that names nothing", e)
            return
        key = e["pid"] if e["name"] == "process_name" else (e["pid"], e.get("tid"))
        if self.names[e["name"]].setdefault(key, name) != name:
            self.fault("two names for one", e)

    def slice(self, e):
        self.tracks[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"], e["name"]))

    def begin(self, e):
        self.open[e["pid"], e["tid"]].append(e)

    def end(self, e):
        stack = self.open[e["pid"], e["tid"]]
        if not stack or stack[-1]["ts"] > e["ts"] or e.get("name", stack[-1]["name"]) != stack[-1]["name"]:
            self.fault("ends what did not begin", e)
            return
        b = stack.pop()
        self.tracks[e["pid"], e["tid"]].append((b["ts"], e["ts"], b["name"]))

    def counter(self, e):
        for series, value in e["args"].items():
            if isinstance(value, bool) or not isinstance(value, NUMBER) or not value >= 0:
                self.fault("a counter that is no count", e)
            self.counters[e["pid"], e["name"], series].append((e["ts"], e))

    def flow(self, e):
        self.flows[e["cat"], e["id"]].append(e)

    def finish(self):
        for stack in self.open.values():
            for e in stack:
                self.fault("never ends", e)
        for key, slices in self.tracks.items():
            self.check_track(key, sorted(slices))
        for pair in self.flows.values():
            self.check_flow(pair)
        for steps in self.counters.values():
            for (a, _), (b, e) in zip(steps, steps[1:]):
                if b < a - TICK:
                    self.fault("a counter goes back in time", e)
        for pid in {pid for pid, _ in self.tracks} | {pid for pid, _, _ in self.counters}:
            if pid not in self.names["process_name"]:
                self.fault("a process without a name", pid)

    def check_track(self, key, slices):
        """A thread is in one state, a P in the hands of one G: not even nested."""
        if key not in self.names["thread_name"]:
            self.fault("a track without a name", key)
        for a, b in zip(slices, slices[1:]):
            if b[0] < a[1] - TICK:
                self.fault(f"overlap on track {key}", (a, b))

    def check_flow(self, pair):
        if [e["ph"] for e in pair] != ["s", "f"]:
            self.fault("no start with one finish after it", pair)
            return
        s, f = pair
        if s["ts"] > f["ts"] + TICK or s["name"] != f["name"]:
            self.fault("a flow that cannot be", pair)
        for e in pair:
            slices = self.tracks[e["pid"], e["tid"]]
            i = bisect.bisect(slices, (e["ts"] + TICK,)) - 1
            if i < 0 or e["ts"] > slices[i][1] + TICK:
                self.fault("a flow that hangs on no slice", e)

    def one_place(self):
        """A G holds one P at a time: what the Ps' tracks say of it may not overlap either."""
        ps = {pid for pid, name in self.names["process_name"].items() if name.startswith("Ps ")}
        held = collections.defaultdict(list)
        for (pid, tid), slices in self.tracks.items():
            for begin, end, name in slices if pid in ps else ():
                held[name].append((begin, end, tid))
        for g, spans in held.items():
            spans.sort()
            for a, b in zip(spans, spans[1:]):
                if b[0] < a[1] - TICK:
                    self.fault(f"{g} holds two Ps", (a, b))


def check(text):
    """The faults of a trace, and its events."""
    def refuse(constant):
        raise ValueError(f"{constant} is no JSON")

    c = Checker()
    try:
        events = json.loads(text, parse_constant=refuse)
        events = events["traceEvents"] if isinstance(events, dict) else events
    except (ValueError, KeyError, TypeError) as e:
        return [f"no trace: {e}"], []
    if not isinstance(events, list) or not events:
        return ["no events"], []
    for e in events:
        c.event(e)
    for slices in c.tracks.values():
        slices.sort()
    c.finish()
    c.one_place()
    return c.faults, events


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as f:
        found, all_events = check(f.read())
    for line in found[:20]:
        print(line)
    print(f"{len(all_events)} events, {len(found)} faults")
    sys.exit(bool(found))
