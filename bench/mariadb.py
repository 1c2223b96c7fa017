"""A database with a thread for each connection: mariadb under sysbench."""
import contextlib
import re
import subprocess
import tempfile
import time

from ways import Way

CLIENTS = 256
NATIVE = Way("native", {})


def client(command):
    """Runs a client of the database, always natively; its output."""
    r = subprocess.run(command, env=NATIVE.env, text=True, capture_output=True, timeout=120,
                       check=False)
    if r.returncode:
        raise RuntimeError(f"{command[0]} ended with {r.returncode}: {r.stderr or r.stdout}")
    return r.stdout


def sysbench(home, step, seconds=0):
    return client(["sysbench", "oltp_point_select", f"--mysql-socket={home}/sock",
                   "--mysql-user=root", "--mysql-db=test", "--table-size=10000",
                   f"--threads={CLIENTS if seconds else 1}", f"--time={seconds}", step])


def admin(home, *what):
    return client(["mariadb-admin", "--no-defaults", f"-S{home}/sock", *what])


def wait_for(p, home):
    while p.poll() is None:
        with contextlib.suppress(RuntimeError):
            admin(home, "ping")
            return
        time.sleep(0.1)
    raise RuntimeError("mariadbd did not start")


@contextlib.contextmanager
def server(way, home):
    p = way.popen(["mariadbd", "--no-defaults", f"--datadir={home}", "--user=root",
                   f"--socket={home}/sock", "--skip-networking", "--max-connections=400",
                   "--back-log=400",  # all clients connect at once
                   "--innodb-buffer-pool-size=64M"], stderr=subprocess.DEVNULL)
    try:
        wait_for(p, home)
        yield
        admin(home, "shutdown")
        p.wait(60)
    finally:
        p.kill()
        p.wait()


@contextlib.contextmanager
def program(way):
    """The server in its way, with a table; a rate is queries."""
    with tempfile.TemporaryDirectory(prefix="gmp-bench-") as home:
        client(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                f"--datadir={home}", "--user=root"])
        with server(way, home):
            client(["mariadb", "--no-defaults", f"-S{home}/sock", "-e",
                    "create database if not exists test"])
            sysbench(home, "prepare")
            yield lambda: rate(sysbench(home, "run", 1))


def rate(text):
    return float(re.search(r"queries: +[0-9]+ +\(([0-9.]+) per", text)[1])
