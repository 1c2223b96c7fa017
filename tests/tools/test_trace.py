"""gmp trace: recording a running program, from its start, and every form of the result."""
import bisect
import collections
import json
import os
import subprocess
import tempfile
import xml.dom.minidom

from busy import busy, until
from harness import GMP, environment, expect, fails, gmp, main, test

work = tempfile.mkdtemp(prefix="gmp-trace-")


def at(name):
    return os.path.join(work, name)


# What each phase must have besides pid and name, by the Trace Event Format's own tables.
FIELDS = {"M": ("args",), "X": ("tid", "ts", "dur"), "C": ("ts", "args"),
          "s": ("tid", "ts", "id", "cat"), "f": ("tid", "ts", "id", "cat")}


def check_event(e):
    expect(e, e["ph"] in FIELDS and isinstance(e["pid"], int) and isinstance(e["name"], str))
    for field in FIELDS[e["ph"]]:
        expect((field, e), field in e)
    expect(e, all(isinstance(e.get(k, 0), int) for k in ("tid", "id")))
    expect(e, all(isinstance(e.get(k, 0), (int, float)) and e.get(k, 0) >= 0 for k in ("ts", "dur")))
    if e["ph"] == "M":
        expect(e, e["name"] in ("process_name", "process_sort_index", "thread_name",
                                "thread_sort_index"))
        expect(e, set(e["args"]) <= {"name", "sort_index"})
    elif e["ph"] == "C":
        expect(e, all(isinstance(v, (int, float)) for v in e["args"].values()))


def check_json(text):
    """The rules of the Trace Event Format: slices of a track nest, flows pair and are bound to slices."""
    events = json.loads(text)["traceEvents"]
    tracks, flows = collections.defaultdict(list), collections.defaultdict(dict)
    for e in events:
        check_event(e)
        if e["ph"] == "X":
            tracks[e["pid"], e["tid"]].append((e["ts"], e["ts"] + e["dur"]))
        elif e["ph"] in "sf":
            expect(e, e["ph"] not in flows[e["id"]])
            flows[e["id"]][e["ph"]] = e
    for track, slices in tracks.items():
        slices.sort()
        for a, b in zip(slices, slices[1:]):
            expect((track, a, b), b[0] >= a[1] - 0.002)
    for f in flows.values():
        expect(f, set(f) == {"s", "f"} and f["s"]["ts"] <= f["f"]["ts"])
        expect(f, f["s"]["cat"] == f["f"]["cat"] and f["s"]["name"] == f["f"]["name"])
        for e in f.values():
            slices = tracks[e["pid"], e["tid"]]
            i = bisect.bisect(slices, (e["ts"] + 0.002,)) - 1
            expect(("no slice to hang on", e), i >= 0 and e["ts"] <= slices[i][1] + 0.002)
    return events, flows


@test
def a_running_program_is_recorded():
    with busy() as p:
        r = gmp("trace", "-d", "0.5", "-o", at("t.json"), str(p.pid))
        expect(r, r.code == 0 and not r.err)
        events, flows = check_json(open(at("t.json")).read())
        names = {e["name"] for e in events}
        expect(names, {"running", "waits for a P", "clock_nanosleep", "idle Ps"} <= names | {"idle Ps"})
        expect("arrows", len(flows) > 10)
        expect("no file is left", not [n for n in os.listdir(f"/dev/shm/gmp-{os.getuid()}")
                                       if n.startswith(f"{p.pid}-") and "trace" in n])
        # It can be done again, and a summary names the calls.
        r = gmp("trace", "-d", "0.3", "--summary", str(p.pid))
        expect(r, r.code == 0 and " read" in r.out and " 2 Ps, " in r.out)


@test
def a_program_with_one_thread_is_recorded_from_its_next_on():
    with busy("alone") as p:
        r = gmp("trace", "-d", "0.2", "-o", at("none.json"), str(p.pid))
        fails(r, "one thread all the time")
        expect("no file is left", not [n for n in os.listdir(f"/dev/shm/gmp-{os.getuid()}")
                                       if n.startswith(f"{p.pid}-") and "trace" in n])
        recorder = subprocess.Popen([GMP, "trace", "-d", "2", "--summary", str(p.pid)], text=True,
                                    stdout=subprocess.PIPE, env=environment())
        until("it asks", lambda: [n for n in os.listdir(f"/dev/shm/gmp-{os.getuid()}")
                                  if n.startswith(f"{p.pid}-") and "trace" in n])
        p.stdin.write("\n")
        p.stdin.flush()
        out = recorder.communicate(timeout=30)[0]
        expect(out, recorder.returncode == 0 and " read" in out and " 2 Ps, " in out)


@test
def a_program_traces_itself_from_its_start_and_survives_a_kill():
    with busy(GMP_TRACE=at("killed"), GMP_TRACE_MB="4") as p:
        pid = p.pid
    r = gmp("trace", "--summary", at("killed"))
    expect(r, r.code == 0 and f"process {pid}, " in r.out and "without closing" in r.out)
    with busy(GMP_TRACE=at("whole"), GMP_TRACE_MB="4") as p:
        p.stdin.close()
        p.wait()
        p.stdin = open(os.devnull)
    r = gmp("trace", "--summary", at("whole"))
    expect(r, r.code == 0 and "without closing" not in r.out)
    check_json(gmp("trace", at("whole")).out)
    expect("the unused part is no room on the disk", os.stat(at("whole")).st_blocks * 512 < 3 << 20)


@test
def a_picture_is_an_xml_document():
    with busy() as p:
        gmp("trace", "-d", "0.2", "--raw", "-o", at("raw"), str(p.pid))
    r = gmp("trace", "--svg", "--from", "10", "--for", "5", at("raw"))
    expect(r, r.code == 0)
    xml.dom.minidom.parseString(r.out)
    expect(r, ">P 0<" in r.out and ">G 1<" in r.out and "prefers-color-scheme:dark" in r.out)
    r = gmp("trace", "--svg", "--from", "100000", at("raw"))
    expect(r, r.code == 125 and "ms long" in r.err)


@test
def a_cut_or_damaged_trace_does_no_harm():
    with busy(GMP_TRACE=at("good"), GMP_TRACE_MB="2"):
        pass
    data = open(at("good"), "rb").read()
    cases = {"empty": b"", "short": data[:5000], "head": data[:8192], "text": b"hello " * 4000,
             "version": data[:8] + b"\x09" + data[9:]}
    for name, content in cases.items():
        with open(at(name), "wb") as f:
            f.write(content)
        r = gmp("trace", "--summary", at(name))
        expect(r, r.code == 125 and r.err.count("\n") == 1)
    noise = bytearray(data)
    for i in range(8192, len(noise), 97):
        noise[i] ^= 0x5a
    with open(at("noise"), "wb") as f:
        f.write(noise)
    with open(at("cut"), "wb") as f:
        f.write(data[:3 * 8192 + 100])
    for name in ("noise", "cut"):
        for form in ("--summary", "--svg"):
            r = gmp("trace", form, at(name))
            expect(r, r.code in (0, 125) and r.err.count("\n") <= 1)


@test
def what_cannot_be_done_is_one_line():
    with busy() as p, busy(preload="") as other:
        for args, words in (([str(other.pid)], "does not run under the library"),
                            (["4194304"], "no process"), ([at("nowhere")], "cannot open"), ([work], "regular file"),
                            (["-o", "/nowhere/x", str(p.pid)], "cannot write"),
                            (["-d", "0.1", "-o", "/dev/full", str(p.pid)], "cannot write"),
                            (["--size", "1000", str(p.pid)], "not a number in 1..256"), ([], "no process id")):
            r = gmp("trace", *args)
            expect(r, r.code == 125 and r.err.count("\n") == 1 and words in r.err)


main()
