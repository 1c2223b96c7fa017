"""A database with a thread for each connection: mariadb under sysbench."""
import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from ways import Figures, Way

CLIENTS = 256
NATIVE = Way("native", {})


def client(command):
    """Runs a client of the database, always natively; its output."""
    r = subprocess.run(command, env=NATIVE.env, text=True, capture_output=True, timeout=120,
                       check=False)
    if r.returncode:
        raise RuntimeError(f"{command[0]} ended with {r.returncode}: {r.stderr or r.stdout}")
    return r.stdout


def sysbench(step, seconds=0):
    return client(["sysbench", "oltp_point_select", "--mysql-socket=" + home.path + "/sock",
                   "--mysql-user=root", "--mysql-db=test", "--table-size=10000",
                   f"--threads={CLIENTS if seconds else 1}", f"--time={seconds}", step])


def home():
    """An empty database, made at the first use."""
    if not home.path:
        home.path = tempfile.mkdtemp(prefix="gmp-bench-")
        atexit.register(shutil.rmtree, home.path, True)
        client(["mariadb-install-db", "--no-defaults", "--auth-root-authentication-method=normal",
                "--datadir=" + home.path, "--user=root"])
    return home.path


home.path = None


def start(way):
    p = way.popen(["mariadbd", "--no-defaults", "--datadir=" + home(), "--user=root",
                   "--socket=" + home.path + "/sock", "--skip-networking", "--max-connections=400",
                   "--back-log=400",  # all clients connect at once
                   "--innodb-buffer-pool-size=64M"], stderr=subprocess.DEVNULL)
    ping = ["mariadb-admin", "--no-defaults", "-S", home.path + "/sock", "ping"]
    while subprocess.run(ping, env=NATIVE.env, check=False, capture_output=True).returncode:
        if p.poll() is not None:
            raise RuntimeError("mariadbd did not start")
        time.sleep(0.1)
    return p


def prepared():
    if not prepared.done and not os.path.exists(home() + "/test/sbtest1.frm"):
        p = start(NATIVE)
        client(["mariadb", "--no-defaults", "-S", home.path + "/sock", "-e",
                "create database if not exists test"])
        sysbench("prepare")
        stop(p)
    prepared.done = True


prepared.done = False


def stop(p):
    client(["mariadb-admin", "--no-defaults", "-S", home.path + "/sock", "shutdown"])
    p.wait(60)


def measure(way, seconds):
    """The server in its way; rate_per_s is queries."""
    out = Figures()
    try:
        prepared()
        p = start(way)
        try:
            text = sysbench("run", max(1, int(seconds)))
        finally:
            stop(p)
    except (RuntimeError, OSError, subprocess.TimeoutExpired) as why:
        print(f"gmp: bench: mariadb_256, {way.name}: {why}; no figures", file=sys.stderr)
        return out
    out["rate_per_s"] = float(re.search(r"queries: +[0-9]+ +\(([0-9.]+) per", text)[1])
    return out
