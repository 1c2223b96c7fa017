"""Servers and real programs: those that a load of its own, or a quota, is run against."""
import os
import re
import subprocess
import sys
import tempfile
import time

import bars
import mariadb
from ways import BUILD, Figures, NoQuota, Way, parse, quota, watched

ALL = ("native", "library", "go")
C = ("native", "library")
# The load must not take its time from the server's CPUs when the server has a quota; else it shares.
QUESTIONS = {
    "server_free": (ALL, None),
    "server_quota_1": (ALL, 1),
    "server_quota_0.5": (ALL, 0.5),
    "server_quota_1.5": (ALL, 1.5),
}
PORTS = {"memcached": 21411, "redis": 21412, "nginx": 21413}


def load(port, connections, seconds, request):
    out = subprocess.run([os.path.join(BUILD, "bench_load"), str(port), str(connections),
                          str(seconds), request], capture_output=True, text=True, timeout=90,
                         check=False)
    return parse(out.stdout)


def stop(p):
    p.terminate()
    try:
        p.wait(5)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()


def serve(way, seconds):
    """The server of bench_server.c or server.go under a load of 64 connections."""
    p = way.popen([way.program("server")], stdout=subprocess.PIPE)
    try:
        question = p.stdout.readline().strip()
        port = int(p.stdout.readline().split()[1])
        out = load(port, 64, seconds, "0123456789abcdef")
        out.question = question
        return out
    finally:
        stop(p)


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


def wait_for(port):
    for _ in range(500):
        if subprocess.run(["sh", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], check=False,
                          executable="/bin/bash", stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.01)


def daemon(command, port, connections, request):
    def measure(way, seconds):
        p = way.popen(command, stdout=subprocess.DEVNULL)
        try:
            wait_for(port)
            return load(port, connections, seconds, request)
        finally:
            stop(p)
    return measure


def memcached(threads, connections):
    return daemon(["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(PORTS["memcached"]),
                   "-t", str(threads)], PORTS["memcached"], connections, "get k\r\n")


NGINX = """daemon off; worker_processes 2; pid %s/pid; error_log stderr crit; user root;
events { worker_connections 256; }
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:%d;
location / { return 200 "%s"; } } }
"""


def nginx(connections):
    def measure(way, seconds):
        with tempfile.TemporaryDirectory(prefix="gmp-bench-") as home:
            with open(home + "/conf", "w", encoding="ascii") as conf:
                conf.write(NGINX % (home, PORTS["nginx"], "x" * 400))
            return daemon(["nginx", "-p", home, "-c", home + "/conf", "-e", "stderr"],
                          PORTS["nginx"], connections, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")(
                              way, seconds)
    return measure


def timed(command):
    """Work of a fixed size, after one unmeasured run: its rate is runs a second."""
    def measure(way, seconds):
        out = Figures()
        way.popen(command(), stdout=subprocess.DEVNULL).wait()  # the input is made here as well
        ran, began = 0, time.monotonic()
        while ran == 0 or time.monotonic() - began < seconds:
            way.popen(command(), stdout=subprocess.DEVNULL).wait()
            ran += 1
        out["rate_per_s"] = ran / (time.monotonic() - began)
        return out
    return measure


def sysbench(test, threads):
    def measure(way, seconds):
        p = way.popen(["sysbench", test, f"--threads={threads}", f"--time={max(1, int(seconds))}",
                       "run"], stdout=subprocess.PIPE)
        text, _ = p.communicate(timeout=90)
        out = Figures()
        events = re.search(r"total number of events: +([0-9]+)", text)
        took = re.search(r"total time: +([0-9.]+)s", text)
        if events and took:
            out["rate_per_s"] = float(events[1]) / float(took[1])
        return out
    return measure


def corpus():
    """Four megabytes of the system's own text, the same for all ways."""
    if not corpus.path:
        corpus.file = tempfile.NamedTemporaryFile(prefix="gmp-bench-")
        text = b""
        for root, _, files in os.walk("/usr/include"):
            for f in sorted(files):
                with open(os.path.join(root, f), "rb") as source:
                    text += source.read()
            if len(text) > 4 << 20:
                break
        corpus.file.write(text[:4 << 20])
        corpus.file.flush()
        corpus.path = corpus.file.name
    return corpus.path


corpus.path = None

SQL = ("with recursive n(i) as (select 1 union all select i+1 from n where i<600000) "
       "select count(*), sum(i*i%7) from n;")
PYTHON = """
import queue, threading
q = queue.Queue(64)
def work():
    while q.get() is not None:
        sum(range(2000))
t = [threading.Thread(target=work) for _ in range(2)]
[x.start() for x in t]
for i in range(8000): q.put(i)
for x in t: q.put(None)
[x.join() for x in t]
"""

PROGRAMS = {
    "memcached_2": memcached(2, 16),
    "redis": daemon(["redis-server", "--port", str(PORTS["redis"]), "--bind", "127.0.0.1",
                     "--save", "", "--appendonly", "no"], PORTS["redis"], 16, "PING\r\n"),
    "xz_2": timed(lambda: ["xz", "-1", "-T2", "--block-size=1MiB", "-c", corpus()]),
    "sqlite": timed(lambda: ["sqlite3", ":memory:", SQL]),
    "python_2": timed(lambda: ["/usr/bin/python3", "-c", PYTHON]),
    "nginx": nginx(16),
    "memcached_32": memcached(32, 64),
    "mariadb_256": mariadb.measure,
    "sysbench_threads_64": sysbench("threads", 64),
    "sysbench_mutex_64": sysbench("mutex", 64),
    "sysbench_memory_16": sysbench("memory", 16),
}
QUESTIONS.update({"app_" + p: (C, None) for p in PROGRAMS})


def compare(measure, seconds):
    """Each way for two halves of the time, ABBA: the machine's own speed changes meanwhile."""
    halves = {w: [] for w in C}
    for w in C + C[::-1]:
        halves[w].append(watched(lambda w=w: measure(Way(w, {}), seconds / 2)))
    for first, last in halves.values():
        if first and last:
            last["rate_per_s"] = (first["rate_per_s"] + last["rate_per_s"]) / 2
    return {w: halves[w][1] for w in C}


def ask(name, quick):
    seconds = 2 if quick else 3
    if name.startswith("server"):
        return ask_server(name, seconds)
    if name[4:] in bars.LITTLE:
        out = compare(PROGRAMS[name[4:]], seconds)
    else:
        out = {w: watched(lambda w=w: PROGRAMS[name[4:]](Way(w, {}), seconds)) for w in C}
    for o in out.values():
        o.question = "How much does a real program get done, by its own account or ours?"
    return out
