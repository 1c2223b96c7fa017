# Everything in the standard library that makes threads wait for each other, with results that do
# not depend on who ran when.  The interpreter passes its own lock between threads by a condition
# variable with a timeout, so all of this is many short waits.
import concurrent.futures
import hashlib
import multiprocessing
import os
import queue
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib


def pool(target, n, *args):
    threads = [threading.Thread(target=target, args=(i,) + args) for i in range(n)]
    for t in threads:
        t.start()
    return threads


def queues():
    """Four producers, four workers, one sum; bounded queues make both ends wait."""
    jobs, done = queue.Queue(8), queue.PriorityQueue()

    def produce(n):
        for i in range(150):
            jobs.put((n * 150 + i) * 2654435761 % 1000003)

    def work(_):
        while (job := jobs.get()) is not None:
            done.put(zlib.crc32(b"%d" % job))
            jobs.task_done()

    workers = pool(work, 4)
    for t in pool(produce, 4):
        t.join()
    jobs.join()
    for _ in workers:
        jobs.put(None)
    for t in workers:
        t.join()
    return sum(done.get() for _ in range(600))


def sockets():
    """A thread per connection on both sides; 40 connections, each message checked."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        def serve(conn):
            with conn:
                while data := conn.recv(65536):
                    conn.sendall(data[::-1])

        def accept():
            for _ in range(40):
                threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()

        sums = [0] * 40

        def talk(n):
            with socket.create_connection(server.getsockname()) as s:
                s.settimeout(60)
                for i in range(20):
                    data = bytes((n + i + j) % 256 for j in range(10 + n * i))
                    s.sendall(data)
                    got = b""
                    while len(got) < len(data):
                        got += s.recv(65536)
                    assert got == data[::-1]
                    sums[n] += zlib.crc32(got)

        acceptor = threading.Thread(target=accept)
        acceptor.start()
        for t in pool(talk, 40):
            t.join()
        acceptor.join()
    return sum(sums)


def processes():
    """Children started while other threads run, by three ways; their output is the result."""
    def child(n):
        p = subprocess.run([sys.executable, "-c", "import threading as t, sys\n"
                            "r = [0] * 4\n"
                            "def f(i): r[i] = i * %d\n"
                            "s = [t.Thread(target=f, args=(i,)) for i in range(4)]\n"
                            "[x.start() for x in s]; [x.join() for x in s]\n"
                            "print(sum(r), sys.stdin.read())" % n],
                           input="in %d" % n, capture_output=True, text=True, timeout=120)
        sys.stderr.write(p.stderr)
        return p.stdout.strip()

    stop = threading.Event()
    noise = pool(lambda _: [sum(range(2000)) for _ in iter(stop.is_set, True)], 2)
    with concurrent.futures.ThreadPoolExecutor(4) as ex:
        out = list(ex.map(child, range(8)))
    out.append(subprocess.run("echo one; exit 3", shell=True, stdout=subprocess.PIPE).stdout)
    out.append(os.popen("echo two").read())
    out.append(os.system("exit 5") >> 8)
    with multiprocessing.get_context("fork").Pool(3) as p:
        out.append(sum(p.map(abs, range(-500, 500))))
    stop.set()
    for t in noise:
        t.join()
    return out


def conditions():
    """A baton goes round a ring of 16 threads; a barrier and a semaphore at every turn."""
    baton, turn, order = threading.Condition(), [0], []
    barrier, seats = threading.Barrier(16), threading.BoundedSemaphore(3)

    def player(n):
        for lap in range(10):
            with baton:
                while turn[0] % 16 != n:
                    baton.wait()
                order.append(n)
                turn[0] += 1
                baton.notify_all()
            with seats:
                hashlib.sha256(b"x" * 100000).hexdigest()
            barrier.wait()

    for t in pool(player, 16):
        t.join()
    return order == list(range(16)) * 10


def timers():
    """Sleepers, timers, select and signals; every one fires, none early."""
    fired, early, lock = [], [], threading.Lock()
    hits = []
    signal.signal(signal.SIGALRM, lambda *_: hits.append(1))

    def due(n, at):
        with lock:
            fired.append(n)
            if time.monotonic() < at:
                early.append(n)

    timer = []
    for n in range(20):
        wait = 0.01 + n % 5 * 0.01
        timer.append(threading.Timer(wait, due, (n, time.monotonic() + wait)))
    signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
    for t in timer:
        t.start()
    r, w = os.pipe()
    threading.Timer(0.05, os.write, (w, b"x")).start()
    ready = select.select([r], [], [], 60)[0]
    for t in timer:
        t.join()
    while len(hits) < 3:
        time.sleep(0.01)
    signal.setitimer(signal.ITIMER_REAL, 0)
    return sorted(fired) == list(range(20)), early, ready == [r], os.read(r, 1)


def files():
    """Threads append to one file and read it back; compression lets go of the interpreter lock."""
    with tempfile.TemporaryFile() as f:
        fd, size = f.fileno(), 4096

        def write(n):
            for i in range(16):
                os.pwrite(fd, random.Random(n * 16 + i).randbytes(size), (n * 16 + i) * size)

        for t in pool(write, 8):
            t.join()
        os.fsync(fd)
        data = os.pread(fd, 8 * 16 * size, 0)
    with concurrent.futures.ThreadPoolExecutor(8) as ex:
        packed = list(ex.map(zlib.compress, [data[i::8] for i in range(8)]))
    return hashlib.sha256(b"".join(packed)).hexdigest()


for step in (queues, sockets, processes, conditions, timers, files):
    print(step.__name__, step(), flush=True)
print("threads left:", threading.active_count())
