"""How a program is run: natively, under the library, as its Go counterpart; in a CPU quota or not."""
import contextlib
import os
import resource
import shutil
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.path.join(ROOT, "build", "bench")
LIBRARY = os.path.join(ROOT, "build", "libgmp.so")
LIMIT_S = 120


class NoQuota(Exception):
    pass


class Figures(dict):
    """What a run said: figures by name, and its question."""
    question = ""


def setup_go():
    """Builds the Go counterparts; without a Go that way stays empty."""
    setup_go.path = os.environ.get("GO") or shutil.which("go") or "false"
    sources = os.path.join(ROOT, "bench", "go")
    for f in sorted(os.listdir(sources)):
        if f == "bench.go":
            continue
        made = subprocess.run(
            [setup_go.path, "build", "-o", os.path.join(BUILD, "go_" + f[:-3]),
             os.path.join(sources, f), os.path.join(sources, "bench.go")], check=False)
        if made.returncode:
            print(f"gmp: bench: {f} cannot be built; no figures of Go", file=sys.stderr)


class Way:
    """A command's prefix and environment for one way of running it."""

    def __init__(self, name, env, cpus=None, join=None):
        self.name = name
        self.env = {k: v for k, v in os.environ.items() if not k.startswith(("GMP_", "LD_PRELOAD"))}
        self.prefix = []
        self.join = join  # a cgroup.procs file that the command moves itself to
        if name == "library":
            self.env.update(env, LD_PRELOAD=LIBRARY)
        elif name == "go" and "GMP_MAXPROCS" in env:
            self.env["GOMAXPROCS"] = env["GMP_MAXPROCS"]
        elif cpus:
            self.prefix = ["taskset", "-c", cpus]

    def program(self, name):
        return os.path.join(BUILD, ("go_" if self.name == "go" else "bench_") + name)

    def popen(self, command, **more):
        command = self.prefix + command
        if self.join:
            # env -S: the shell must not run under the library itself.
            command = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', self.join] + self.exported(command)
            env = {k: v for k, v in self.env.items() if k != "LD_PRELOAD"}
        else:
            env = self.env
        return subprocess.Popen(command, env=env, text=True, stdin=subprocess.DEVNULL, **more)

    def exported(self, command):
        preload = self.env.get("LD_PRELOAD")
        return ["env", "LD_PRELOAD=" + preload] + command if preload else command


def parse(text):
    lines = text.splitlines()
    out = Figures()
    out.question = lines[0] if lines else ""
    for line in lines[1:]:
        name, _, value = line.partition(" ")
        with contextlib.suppress(ValueError):
            out[name] = float(value)
    return out


def run(way, program, args):
    """Runs bench_PROGRAM (or go_PROGRAM) to its end."""
    path = way.program(program)
    if not os.path.exists(path):
        return Figures()
    p = way.popen([path] + args, stdout=subprocess.PIPE)
    try:
        text, _ = p.communicate(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        p.kill()
        text, _ = p.communicate()
        print(f"gmp: bench: {way.name} {program} did not end", file=sys.stderr)
    if p.returncode:
        print(f"gmp: bench: {way.name} {program} ended with {p.returncode}", file=sys.stderr)
    return parse(text)


def busy_s():
    """CPU time that all on this machine have used, and that our children have."""
    with open("/proc/stat", encoding="ascii") as stat:
        user, nice, system, _, _, irq, softirq = map(int, stat.readline().split()[1:8])
    mine = resource.getrusage(resource.RUSAGE_CHILDREN)
    everybody = (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")
    return everybody, mine.ru_utime + mine.ru_stime


def watched(ask):
    """The figures of ask(), and how much of a CPU others used meanwhile: above a few per cent the
    figures are worth little."""
    began, (all_0, mine_0) = time.monotonic(), busy_s()
    out = ask()
    if out:
        all_1, mine_1 = busy_s()
        others = (all_1 - all_0) - (mine_1 - mine_0)
        out["disturbed_pct"] = max(0.0, 100 * others / (time.monotonic() - began))
    return out


def quota_files(cpus, path):
    """The files that give a cgroup of version 1 or 2 so many CPUs."""
    if os.path.exists(os.path.join(path, "cpu.cfs_quota_us")):
        return {"cpu.cfs_period_us": "100000", "cpu.cfs_quota_us": str(int(cpus * 100000))}
    return {"cpu.max": f"{int(cpus * 100000)} 100000"}


def make_cgroup(cpus):
    """A new cgroup with a quota, or None where none can be made."""
    for root in ("/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup"):
        path = os.path.join(root, f"gmp-bench-{os.getpid()}")
        try:
            os.mkdir(path)
        except OSError:
            continue
        try:
            for f, text in quota_files(cpus, path).items():
                with open(os.path.join(path, f), "w", encoding="ascii") as out:
                    out.write(text)
            return path
        except OSError:
            remove_cgroup(path)  # this hierarchy has no cpu controller
    return None


@contextlib.contextmanager
def quota(cpus):
    """Yields the cgroup.procs of a group with that quota; None without one (cpus None)."""
    path = make_cgroup(cpus) if cpus else None
    if cpus and not path:
        raise NoQuota("no cgroup with a CPU quota can be made here")
    try:
        yield path and os.path.join(path, "cgroup.procs")
    finally:
        if path:
            remove_cgroup(path)


def remove_cgroup(path):
    """Those who left it may need a moment to be gone."""
    for _ in range(200):
        try:
            os.rmdir(path)
            return
        except OSError:
            subprocess.run(["sleep", "0.01"], check=False)
