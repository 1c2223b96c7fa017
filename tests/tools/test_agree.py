"""gmp trace --summary beside what others measure on the same run: the program itself, and perf.

Counts are the same, exactly.  The program's own clock is read right outside of our brackets, the
kernel's tracepoints lie right inside: so the summary's times lie between the two.
"""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile

from harness import DEADLINE, LIBRARY, VICTIMS, environment, expect, gmp, main, test, wait_until

ROW = re.compile(r"^ *(\d+) +([\d.]+) +([\d.]+) +[\d.]+ +\d+ +([\d.]+)  (\w+)$", re.M)
COMPUTING = re.compile(r"([\d.]+) ms computing threads waited for a P")
US = 1e-3  # in ms


@contextlib.contextmanager
def directory():
    # Not in /tmp, which may be in memory: fsync is to take its time.
    with tempfile.TemporaryDirectory(prefix="gmp-agree-", dir="/var/tmp") as work:
        yield work


def preload(work):
    return {"LD_PRELOAD": os.path.abspath(LIBRARY), "GMP_MAXPROCS": "2", "GMP_ON_BUG": "abort",
            "GMP_TRACE": os.path.join(work, "trace")}


def ours(work):
    """call -> (count, ms in it, ms of one in the middle, ms for a P after it), and ms of waits for a P
    after no call."""
    r = gmp("trace", "--summary", os.path.join(work, "trace"))
    expect(r, r.code == 0 and not r.err)
    expect(r, "are lost" not in r.out)
    rows = {m[5]: (int(m[1]), float(m[2]), float(m[3]) * US, float(m[4])) for m in ROW.finditer(r.out)}
    return rows, float(COMPUTING.search(r.out)[1])


def beside_itself(threads, rounds):
    with directory() as work:
        r = subprocess.run([os.path.join(VICTIMS, "timed"), str(threads), str(rounds), os.path.join(work, "file")],
                           env=environment(**preload(work)), capture_output=True, text=True,
                           timeout=DEADLINE, check=True)
        rows, computing = ours(work)
    own_sum = our_sum = 0
    for line in r.stdout.splitlines():
        name, n, ns, middle = line.split()
        n, own, middle = int(n), int(ns) / 1e6, int(middle) / 1e6
        our_n, blocked, our_middle, waited = rows[name]
        print(f"{name:15} {threads} threads: itself {n:5} {own:9.2f} ms   gmp trace {our_n:5} {blocked:9.2f} ms "
              f"+ {waited:8.2f} ms for a P")
        expect((name, n, our_n), n == our_n)
        expect((name, own, blocked, waited), blocked + waited <= own * 1.001)
        if threads <= 2:  # a P for each
            expect((name, middle, our_middle), middle * 0.97 - 10 * US <= our_middle <= middle)
        own_sum, our_sum = own_sum + own, our_sum + blocked + waited
    # A preemption between the call's end and the clock is a wait after no call; the kernel's are nowhere.
    expect((own_sum, our_sum, computing), our_sum + computing >= own_sum * 0.9)


@test
def the_summary_agrees_with_what_a_program_measures_itself():
    beside_itself(2, 200)
    beside_itself(8, 100)


# ---- perf ----

def under_perf(work, calls, *command):
    """perf stat counts in the kernel; perf trace times, and may lose a call whose thread changes its CPU."""
    return ["perf", "stat", "-x,", "-e", ",".join("syscalls:sys_enter_" + c for c in calls), "-o",
            os.path.join(work, "stat"), "--",
            "perf", "trace", "-s", "--sort-events", "-m", "16384", "-e", ",".join(calls), "-o",
            os.path.join(work, "perf"), "--",
            "env", *(f"{k}={v}" for k, v in preload(work).items()), *command]


def counted(work):
    with open(os.path.join(work, "stat"), encoding="utf-8") as f:
        return {m[2]: int(m[1]) for m in re.finditer(r"^(\d+),,syscalls:sys_enter_(\w+),", f.read(), re.M)}


def timed(work):
    """call -> (count, ms), of all threads."""
    total = {}
    with open(os.path.join(work, "perf"), encoding="utf-8") as f:
        text = f.read()
    expect(text[:300], "LOST" not in text)
    for m in re.finditer(r"^ +(\w+) +(\d+) +\d+ +([\d.]+) +[\d.]+ ", text, re.M):
        n, ms = total.get(m[1], (0, 0))
        total[m[1]] = (n + int(m[2]), ms + float(m[3]))
    return total


def usable():
    why = "it is not installed"
    if shutil.which("perf"):
        r = subprocess.run(["perf", "stat", "-e", "syscalls:sys_enter_read", "perf", "trace", "-s", "-e", "read",
                            "true"], capture_output=True, text=True, check=False)
        why = r.stderr.strip().split("\n")[0]
        if r.returncode == 0:
            return True
    print(f"skipped: perf trace: {why}")
    return False


def compare(work, calls):
    exact, kernel, (rows, _) = counted(work), timed(work), ours(work)
    for call in calls:
        (n, ms), (our_n, our_ms, *_) = kernel[call], rows[call]
        print(f"{call:10} perf stat {exact[call]:6}   trace {n:6} {ms:9.1f} ms   gmp trace {our_n:6} {our_ms:9.1f} ms")
        expect((call, exact, our_n), exact[call] == our_n)
        if n != our_n:  # one lost makes another as long as both, and there is nothing to compare
            continue
        # Each tracepoint's own cost, and a CPU that is given away beside it, are in ours alone: a tenth on an
        # idle machine, a quarter where six threads wait for each CPU.
        expect((call, ms, our_ms), ms * 0.99 <= our_ms <= ms * 1.5 + n * 300 * US)


@test
def the_summary_of_sysbench_agrees_with_perf_trace():
    if not usable():
        return
    calls = ("pwrite64", "fsync")  # not pread64: sysmon's looks into /proc are in no bracket
    files = ["fileio", "--file-num=4", "--file-total-size=8M"]
    with directory() as work:
        subprocess.run(["sysbench", *files, "prepare"], cwd=work, check=True, stdout=subprocess.DEVNULL)
        run = ["sysbench", *files, "--file-test-mode=rndrw", "--threads=8", "--events=1000", "--time=0",
               "--file-fsync-freq=50", "run"]
        subprocess.run(under_perf(work, calls, *run), cwd=work, env=environment(),
                       check=True, stdout=subprocess.DEVNULL, timeout=60)
        compare(work, calls)


@contextlib.contextmanager
def mariadb(work, calls):
    """Runs one until the end of the block."""
    quiet = {"env": environment(), "cwd": work, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    user = ["--user=root"] if os.geteuid() == 0 else []
    common = ["--no-defaults", f"--datadir={work}/data", *user]
    subprocess.run(["mariadb-install-db", *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
                   check=True, timeout=60, **quiet)
    server = subprocess.Popen(under_perf(work, calls, "mariadbd", *common, f"--socket={work}/sock", "--skip-networking",
                                         f"--pid-file={work}/pid", "--innodb-buffer-pool-size=64M"),
                              start_new_session=True, **quiet)
    sql = ["mariadb", "--no-defaults", "-S", f"{work}/sock", "-e"]
    try:
        wait_until("mariadb answers", lambda: server.poll() is not None or subprocess.run(
            [*sql, "create database test"], check=False, **quiet).returncode == 0, pause=0.1)
        yield quiet
        subprocess.run(["mariadb-admin", "--no-defaults", "-S", f"{work}/sock", "shutdown"], check=True, **quiet)
        expect("mariadb ends well", server.wait(60) == 0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@test
def the_summary_of_mariadb_agrees_with_perf_trace():
    if not usable():
        return
    calls = ("pwrite64", "fdatasync")
    with directory() as work:
        with mariadb(work, calls) as quiet:
            for step in ("prepare", "run"):
                subprocess.run(["sysbench", "oltp_read_write", f"--mysql-socket={work}/sock", "--mysql-user=root",
                                "--mysql-db=test", "--tables=4", "--table-size=1000", "--threads=12", "--events=200",
                                "--time=0", step], check=True, timeout=60, **quiet)
        compare(work, calls)


main()
