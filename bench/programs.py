"""The real programs.  PROGRAMS[name](way) is a context in which the program is there, run that way; it
yields a function that lets it work for a while, its turn, and returns how much a second it did."""
import contextlib
import os
import re
import subprocess
import tempfile
import time

import mariadb
from ways import BUILD, parse

TURN_S = 0.1  # so many turns: a turn of two threads of a server differs by half with where they run
PORTS = {"memcached": 21411, "redis": 21412, "nginx": 21413}


def port_of(name, way):
    return PORTS[name] + (100 if way.name == "library" else 0)


def load(port, connections, seconds, request):
    out = subprocess.run([os.path.join(BUILD, "bench_load"), str(port), str(connections),
                          str(seconds), request], capture_output=True, text=True, timeout=90,
                         check=False)
    if out.returncode:
        raise RuntimeError(f"bench_load ended with {out.returncode}: {out.stderr.strip()}")
    return parse(out.stdout)


def stop(p):
    p.terminate()
    try:
        p.wait(5)
    except subprocess.TimeoutExpired:
        p.kill()
        p.wait()


def wait_for(port):
    for _ in range(500):
        if subprocess.run(["sh", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"], check=False,
                          executable="/bin/bash", stderr=subprocess.DEVNULL).returncode == 0:
            return
        time.sleep(0.01)


@contextlib.contextmanager
def daemon(way, command, port, connections, request):
    p = way.popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield lambda: load(port, connections, TURN_S, request)["rate_per_s"]
    finally:
        stop(p)


def memcached(threads, connections):
    def program(way):
        port = port_of("memcached", way)
        return daemon(way, ["memcached", "-u", "nobody", "-l", "127.0.0.1", "-p", str(port), "-t",
                            str(threads)], port, connections, "get k\r\n")
    return program


def redis(way):
    port = port_of("redis", way)
    return daemon(way, ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                        "--appendonly", "no"], port, 16, "PING\r\n")


NGINX = """daemon off; worker_processes 2; pid %s/pid; error_log stderr crit; user root;
events { worker_connections 256; }
http { access_log off; keepalive_requests 1000000000; server { listen 127.0.0.1:%d;
location / { return 200 "%s"; } } }
"""


@contextlib.contextmanager
def nginx(way):
    port = port_of("nginx", way)
    with tempfile.TemporaryDirectory(prefix="gmp-bench-") as home:
        with open(home + "/conf", "w", encoding="ascii") as conf:
            conf.write(NGINX % (home, port, "x" * 400))
        with daemon(way, ["nginx", "-p", home, "-c", home + "/conf", "-e", "stderr"], port, 16,
                    "GET / HTTP/1.1\r\nHost: a\r\n\r\n") as turn:
            yield turn


def timed(command):
    """Work of a fixed size, after one unmeasured run: its rate is runs a second."""
    @contextlib.contextmanager
    def program(way):
        def turn():
            began = time.monotonic()
            way.popen(command(), stdout=subprocess.DEVNULL).wait()
            return 1 / (time.monotonic() - began)
        turn()  # the input is made here as well
        yield turn
    return program


def sysbench(test, threads):
    @contextlib.contextmanager
    def program(way):
        def turn():
            p = way.popen(["sysbench", test, f"--threads={threads}", "--time=1", "run"],
                          stdout=subprocess.PIPE)
            text, _ = p.communicate(timeout=90)
            events = re.search(r"total number of events: +([0-9]+)", text)
            took = re.search(r"total time: +([0-9.]+)s", text)
            if not events or not took:
                raise RuntimeError(f"sysbench {test} ended with {p.returncode}")
            return float(events[1]) / float(took[1])
        yield turn
    return program


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
    "redis": redis,
    "xz_2": timed(lambda: ["xz", "-1", "-T2", "--block-size=1MiB", "-c", corpus()]),
    "sqlite": timed(lambda: ["sqlite3", ":memory:", SQL]),
    "python_2": timed(lambda: ["/usr/bin/python3", "-c", PYTHON]),
    "nginx": nginx,
    "memcached_32": memcached(32, 64),
    "mariadb_256": mariadb.program,
    "sysbench_threads_64": sysbench("threads", 64),
    "sysbench_mutex_64": sysbench("mutex", 64),
    "sysbench_memory_16": sysbench("memory", 16),
}
