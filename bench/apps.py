"""Servers and real programs: those that a load of its own, or a quota, is run against."""
import statistics
import subprocess
import sys
import time

import programs
from ways import Figures, NoQuota, Way, quota, watched

ALL = ("native", "library", "go")
C = ("native", "library")
# The load must not take its time from the server's CPUs when the server has a quota; else it shares.
QUESTIONS = {
    "server_free": (ALL, None),
    "server_quota_1": (ALL, 1),
    "server_quota_0.5": (ALL, 0.5),
    "server_quota_1.5": (ALL, 1.5),
}
QUESTIONS.update({"app_" + p: (C, None) for p in programs.PROGRAMS})


def serve(way, seconds):
    """The server of bench_server.c or server.go under a load of 64 connections."""
    p = way.popen([way.program("server")], stdout=subprocess.PIPE)
    try:
        question = p.stdout.readline().strip()
        port = int(p.stdout.readline().split()[1])
        out = programs.load(port, 64, seconds, "0123456789abcdef")
        out.question = question
        return out
    finally:
        programs.stop(p)


def ask_server(name, seconds):
    ways, cpus = QUESTIONS[name]
    out = {}
    for w in ways:
        try:
            with quota(cpus) as join:
                way = Way(w, env_of(w, cpus), None, join)
                out[w] = watched(lambda way=way: serve(way, seconds))
        except NoQuota as why:
            print(f"gmp: bench: {name}: {why}; skipped", file=sys.stderr)
            out[w] = Figures()
    return out


def env_of(way, cpus):
    """Go of Debian knows no quota: it gets the number of CPUs that newer ones would choose."""
    return {"GMP_MAXPROCS": str(max(2, int(cpus + 0.99)))} if way == "go" and cpus else {}


def take_turns(program, seconds):
    """The rates of a program's turns, by way.  Both are there all the time and have turns in the order
    native, library, library, native: the machine's own speed changes by the second."""
    rates, spent = {w: [] for w in C}, dict.fromkeys(C, 0.0)
    with program(Way(C[0], {})) as native, program(Way(C[1], {})) as library:
        turns = dict(zip(C, (native, library)))
        while min(spent.values()) < seconds:
            for w in C + C[::-1]:
                began = time.monotonic()
                rates[w].append(turns[w]())
                spent[w] += time.monotonic() - began
    return rates


def compare(name, seconds):
    try:
        rates = watched(lambda: take_turns(programs.PROGRAMS[name], seconds))
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as why:
        print(f"gmp: bench: {name}: {why}; no figures", file=sys.stderr)
        return {w: Figures() for w in C}
    out = {}
    for w in C:
        out[w] = Figures(rate_per_s=statistics.fmean(rates[w]), turns=len(rates[w]),
                         disturbed_pct=rates["disturbed_pct"])
        out[w].question = "How much does a real program get done, by its own account or ours?"
    return out


def ask(name, quick):
    seconds = 1 if quick else 2
    if name.startswith("server"):
        return ask_server(name, seconds)
    return compare(name[4:], seconds)
