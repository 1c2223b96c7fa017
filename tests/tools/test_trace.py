"""gmp trace: recording a running program, from its start, and every form of the result."""
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import xml.dom.minidom

from busy import busy, until
import check_raw
from check_trace import check
from harness import GMP, environment, expect, fails, gmp, main, test

work = tempfile.mkdtemp(prefix="gmp-trace-")


def at(name):
    return os.path.join(work, name)


def checked(text):
    """Its events, without a fault by a checker that shares nothing with the writer."""
    faults, events = check(text)
    expect("\n".join(faults[:10]), not faults)
    return events


def first(events, **want):
    return next(e for e in events if all(e.get(k) == v for k, v in want.items()))


# What a wrong writer could do; each must be found: name -> (the change, words of the fault)
MUTANTS = {
    "a field is missing": (lambda es: first(es, ph="X").pop("dur"), "'dur' is missing"),
    "a time is a text": (lambda es: first(es, ph="X").update(ts="1"), "'ts' is missing or of a wrong type"),
    "a time before the begin": (lambda es: first(es, ph="X").update(ts=-1), "a time that cannot be"),
    "a phase of its own": (lambda es: first(es, ph="C").update(ph="Q"), "no event of a known phase"),
    "an unknown track": (lambda es: first(es, ph="X").update(tid=77777), "a track without a name"),
    "a process without a name": (lambda es: es.remove(first(es, name="process_name")),
                                 "a process without a name"),
    "a track without a name": (lambda es: es.remove(first(es, name="thread_name")),
                               "a track without a name"),
    "two names": (lambda es: es.append(dict(first(es, name="thread_name"), args={"name": "x"})),
                  "two names for one"),
    "a slice that lasts into the next": (lambda es: first(es, ph="X", cat="p").update(dur=1e9),
                                         "overlap on track"),
    "a thread in two states": (lambda es: es.append(dict(first(es, cat="running"), name="other")),
                               "overlap on track"),
    "a G on two Ps": (lambda es: es.append(dict(first(es, ph="X", cat="p"), tid=1 - first(
        es, ph="X", cat="p")["tid"])), "holds two Ps"),
    "an arrow without an end": (lambda es: es.remove(first(es, ph="f")), "no start with one finish"),
    "an arrow without a start": (lambda es: es.remove(first(es, ph="s")), "no start with one finish"),
    "an arrow back in time": (lambda es: first(es, ph="s").update(ts=1e12), "a flow that cannot be"),
    "an arrow with another's number": (lambda es: first(es, ph="f").update(id=987654),
                                       "no start with one finish"),
    "an arrow from nowhere": (lambda es: first(es, ph="s").update(tid=77777), "hangs on no slice"),
    "a negative counter": (lambda es: first(es, ph="C")["args"].update(n=-1), "that is no count"),
    "a counter back in time": (lambda es: es.append(dict(first(es, ph="C"))),
                               "a counter goes back in time"),
    "an end without a begin": (lambda es: es.append(dict(first(es, ph="X"), ph="E")),
                               "ends what did not begin"),
    "a begin without an end": (lambda es: es.append(dict(first(es, ph="X"), ph="B")), "never ends"),
}


@test
def the_checker_finds_what_a_wrong_writer_does():
    with busy() as p:
        text = gmp("trace", "-d", "0.3", str(p.pid)).out
    checked(text)
    for name, (mutate, words) in MUTANTS.items():
        document = json.loads(text)
        mutate(document["traceEvents"])
        faults, _ = check(json.dumps(document))
        expect((name, faults[:5]), any(words in f for f in faults))
    for broken in (text[:-3], "", "{}", "[]", '{"traceEvents": []}', text.replace('"dur":', '"dur":NaN,"x":', 1)):
        expect(broken[:60], check(broken)[0])


@test
def a_running_program_is_recorded():
    with busy() as p:
        r = gmp("trace", "-d", "0.5", "-o", at("t.json"), str(p.pid))
        expect(r, r.code == 0 and not r.err)
        events = checked(open(at("t.json")).read())
        names = {e["name"] for e in events}
        expect(names, {"running", "waits for a P", "clock_nanosleep", "idle Ps"} <= names | {"idle Ps"})
        expect("arrows", sum(e["ph"] == "s" for e in events) > 10)
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
    checked(gmp("trace", at("whole")).out)
    expect("the unused part is no room on the disk", os.stat(at("whole")).st_blocks * 512 < 3 << 20)


@test
def in_order_of_dates_no_p_has_two_gs():
    with busy(GMP_TRACE=at("dates"), GMP_TRACE_MB="64") as p:
        time.sleep(2)  # events to look at, the more the better
        p.stdin.close()
        p.wait()
        p.stdin = open(os.devnull)
    events, lost = check_raw.read(at("dates"))
    faults = check_raw.check(events)
    expect("\n".join(faults[:10]), not faults and not lost)
    expect("something was taken", sum(e.kind == "PROC_STEAL" for e in events) > 100)
    r = gmp("trace", "--summary", at("dates"))
    expect(r, r.code == 0 and not r.err and "not certain" not in r.out)
    # The checker finds what is missing, and what comes late.
    of_kind = lambda kind: next(i for i, e in enumerate(events[1000:], 1000) if e.kind == kind)
    for kind in ("PROC_STEAL", "GO_START"):
        i = of_kind(kind)
        expect(f"no {kind}", check_raw.check(events[:i] + events[i + 1:]))
    i = of_kind("PROC_STEAL")
    j = next(j for j in range(i, len(events)) if events[j][2:4] == ("GO_START", events[i].a))
    expect("late", check_raw.check(events[:i] + events[i + 1:j + 1] + [events[i]] + events[j + 1:]))


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
            expect(r, r.code in (0, 125) and r.err.count("\n") <= 1 and "bug" not in r.err)


@test
def what_fails_does_not_cost_an_old_result():
    with busy(GMP_TRACE=at("input"), GMP_TRACE_MB="1"):
        pass
    old = open(at("input"), "rb").read()
    r = gmp("trace", "-o", at("input"), at("input"))
    fails(r, "is the trace itself")
    r = gmp("trace", "-o", at("input"), "4194304")
    fails(r, "no process 4194304")
    r = gmp("trace", "-o", at("input"), at("nowhere"))
    fails(r, "cannot open")
    for form in ("--summary", "--svg", "--raw"):
        fails(gmp("trace", form, "-o", at("input"), "/etc/passwd"), "is not a trace")
    with subprocess.Popen(["sleep", "100"]) as sleep:
        r = gmp("trace", "-o", at("input"), str(sleep.pid))
        sleep.kill()
    fails(r, "does not run under the library")
    expect("untouched", open(at("input"), "rb").read() == old)


@test
def a_closed_output_is_not_the_trace_itself():
    with busy() as p:
        done = gmp("trace", "--summary", "-d", "0.1", str(p.pid), preexec_fn=lambda: os.close(1))
        fails(done, "cannot write the output")


@test
def who_records_can_be_told_to_end_and_the_program_records_for_the_next():
    with busy() as p:
        def recorded():
            with open(f"/proc/{p.pid}/maps", encoding="ascii") as f:
                return re.search(r"/gmp-.*trace", f.read())
        t = subprocess.Popen([GMP, "trace", "-d", "60", "--summary", str(p.pid)], text=True, env=environment(),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        until("it records", recorded)
        t.send_signal(signal.SIGTERM)
        out, err = t.communicate(timeout=30)
        expect((out, err), t.returncode == 0 and not err and out.startswith(f"process {p.pid}, "))
        expect("again", gmp("trace", "-d", "0.1", "--summary", str(p.pid)).code == 0)


@test
def what_cannot_be_done_is_one_line():
    os.mkfifo(at("fifo"))
    with busy() as p, busy(preload="") as other:
        for args, words in (([str(other.pid)], "does not run under the library"),
                            (["4194304"], "no process"), ([at("nowhere")], "cannot open"), ([work], "regular file"),
                            (["--raw", work], "regular file"), (["--raw", at("fifo")], "regular file"),
                            (["--raw", GMP], "is not a trace"),
                            (["-o", "/nowhere/x", str(p.pid)], "cannot write"),
                            (["-d", "0.1", "-o", "/dev/full", str(p.pid)], "cannot write"),
                            (["--size", "1000", str(p.pid)], "not a number in 1..256 (MB)"),
                            (["--size", "5s", "1"], "--size '5s'"), (["--for", "10s", "1"], "--for '10s'"),
                            (["--from", "1x", "1"], "(ms)"), (["-d", "1ms", "1"], "(s)"),
                            (["-o"], "-o needs a value"), (["--for"], "--for needs a value"),
                            (["1", "2"], "not also '2'"), (["--nonsense"], "no option '--nonsense'"), ([], "no process id")):
            r = gmp("trace", *args)
            expect(r, r.code == 125 and r.err.count("\n") == 1 and words in r.err)


main()
