#!/usr/bin/python3
"""Runs the benchmarks natively, under the library and under Go, interleaved; see bench/run.sh.

A question is run in its ways one after the other, and that several times, so that what changes on the
machine in the meantime meets all ways alike; the median of the runs counts.  bench/bars.py says what
each figure must be.
"""
import json
import os
import statistics
import subprocess
import sys

import apps
import bars
from ways import BUILD, Way, run, setup_go, watched

TWO = {"GMP_MAXPROCS": "2"}
ONE = {"GMP_MAXPROCS": "1"}
ALL = ("native", "library", "go")
C = ("native", "library")

# name: program and arguments, ways, number of Ps, CPUs of the native way
QUESTIONS = {
    "call": ("call", [], ALL, TWO, None),
    "handoff": ("handoff", [], ALL, ONE, "0"),
    "wake": ("wake", [], ("native",), ONE, None),
    "hog": ("hog", [], ALL, ONE, None),
    "late": ("late", [], ALL, ONE, "0"),
    "pipe": ("pipe", [], ALL, TWO, None),
    "spin": ("spin", [], C, TWO, None),
    "dgemm_4x2": ("dgemm", ["4", "2"], C, TWO, None),
    "dgemm_8x4": ("dgemm", ["8", "4"], C, TWO, None),
    "dgemm_2x1": ("dgemm", ["2", "1"], ("native",), TWO, None),
    "dgemm_1x2": ("dgemm", ["1", "2"], ("native",), TWO, None),
    "idle": ("idle", [], C, TWO, None),
    "crowd_10": ("crowd", ["10"], C, ONE, None),
    "crowd_10000": ("crowd", ["10000"], C, {**ONE, "GMP_MAXTHREADS": "11000"}, None),
}


def ask(name):
    """One run of each way of a question: {way: {figure: value}}."""
    program, args, ways, env, cpus = QUESTIONS[name]
    return {w: watched(lambda w=w: run(Way(w, env, cpus), program, args)) for w in ways}


def middle(rounds):
    """The median of each figure over the rounds."""
    out = {}
    for way in rounds[0]:
        figures = [r[way] for r in rounds if r[way]]
        names = figures[0] if figures else {}
        out[way] = {n: statistics.median([f[n] for f in figures if n in f]) for n in names}
    return out


def show(name, result):
    ways = list(result)
    figures = dict.fromkeys(f for w in ways for f in result[w])
    print(f"\n{name}: {QUESTION_OF.get(name, '')}")
    print(f"  {'':28}" + "".join(f"{w:>14}" for w in ways))
    for f in figures:
        cells = (result[w].get(f) for w in ways)
        print(f"  {f:28}" + "".join(f"{'' if c is None else format(c, '.4g'):>14}" for c in cells))
    sys.stdout.flush()


QUESTION_OF = {}


def machine():
    cpu = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if "model name" in line]
    go = subprocess.run([setup_go.path, "version"], capture_output=True, text=True).stdout.split()
    return {"cpu": cpu[0], "cpus": len(os.sched_getaffinity(0)), "kernel": os.uname().release,
            "libc": os.confstr("CS_GNU_LIBC_VERSION"), "go": go[2] if go else None,
            "load": os.getloadavg()[0]}


def main(argv):
    quick = "--quick" in argv
    every = list(QUESTIONS) + list(apps.QUESTIONS)
    names = [a for a in argv if a not in ("--quick", "--list")] or every
    unknown = sorted(set(names) - set(every))
    if unknown:
        print(f"gmp: bench: no question or option '{unknown[0]}'; nothing is asked; there are:", *every,
              file=sys.stderr)
        return 2
    if "--list" in argv:
        print(" ".join(every))
        return 0
    os.environ["BENCH_EFFORT"] = "0.1" if quick else "0.4"
    setup_go()
    print("machine:", json.dumps(machine()))
    rounds = {n: [] for n in names}
    for _ in range(1 if quick else 3):
        for n in names:
            asked = apps.ask(n, quick) if n in apps.QUESTIONS else ask(n)
            rounds[n].append(asked)
            QUESTION_OF[n] = next((v.question for v in asked.values() if v), "")
    results = {n: middle(r) for n, r in rounds.items()}
    for n, r in results.items():
        show(n, r)
    met = bars.show(results)
    with open(os.path.join(BUILD, "results.json"), "w", encoding="utf-8") as out:
        json.dump({"machine": machine(), "quick": quick, "questions": QUESTION_OF,
                   "results": results, "rounds": rounds, "bars": met}, out, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
