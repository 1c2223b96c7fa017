"""Each subcommand as a user has it, in a real terminal: what it shows, and that all bad input is one line."""
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile

from busy import busy
from harness import GMP, LIBRARY, VICTIMS, expect, gmp, main, test, wait_until
from terminal import Terminal

BUSY = os.path.abspath(os.path.join(VICTIMS, "busy"))
NOBODY = 12345


@contextlib.contextmanager
def plain():
    """A program without the library, that leaves the CPUs to those who are looked at."""
    with subprocess.Popen(["sleep", "1000"]) as p:
        yield p.pid
        p.kill()


@contextlib.contextmanager
def stale():
    """A program that left its page when it executed another one, which has no library."""
    with busy("exec", "/bin/sleep", GMP_FOLLOW="0") as p:
        gmp("set", str(p.pid))
        p.stdin.write("x")
        p.stdin.flush()
        wait_until("sleep runs", lambda: open(f"/proc/{p.pid}/comm").read() == "sleep\n")
        yield p.pid


def traces(directory):
    """A good trace and what can become of one: file name -> words of the refusal."""
    at = lambda name: os.path.join(directory, name)
    with busy(GMP_TRACE=at("good"), GMP_TRACE_MB="1"):
        pass
    data = open(at("good"), "rb").read()
    bad = {"empty": (b"", "not a trace, or was cut off"),
           "cut": (data[:5000], "not a trace, or was cut off"),
           "head": (data[:8192], "has no events"),
           "text": (b"hello " * 4000, "is not a trace"),
           "version": (data[:8] + b"\x09" + data[9:], "of another version"),
           "corrupt": (data[:8192] + bytes(len(data) - 8192), "has no events")}
    for name, (content, _) in bad.items():
        with open(at(name), "wb") as f:
            f.write(content)
    return {at(name): words for name, (_, words) in bad.items()}


@test
def run_passes_the_terminal_on_and_has_the_exit_codes_of_env():
    with Terminal() as t, tempfile.TemporaryDirectory() as d:
        t.answers("gmp run -p 3 -- sh -c 'echo Ps: $GMP_MAXPROCS; exit 7'", "^Ps: 3$", code=7)
        t.answers(f"gmp run -p 2 --stats -- {BUSY} </dev/null", "^gmp: stats: maxprocs=2 ")
        t.begin("gmp run -p 1 -- cat")
        t.keys("heard", "Enter")
        t.shows("^heard$", times=2)  # the terminal's echo, and the answer
        t.keys("C-c")
        expect("ended by Ctrl-C", t.end()[0] == 130)
        t.begin("gmp run -p 1 -- cat")
        t.keys("C-z")
        expect("stopped by Ctrl-Z", t.end()[0] == 148)
        t.begin("fg")
        t.keys("C-d")
        expect("and goes on", t.end()[0] == 0)
        t.refuses("gmp run no-such-command", "cannot execute 'no-such-command'", code=127)
        t.refuses("gmp run /tmp", "cannot execute '/tmp'", code=126)
        t.refuses("gmp run -p 0 -- true", "1..4096")
        t.refuses("gmp run --nonsense -- true", "no option '--nonsense'")
        t.refuses("gmp run", "no command")
        for place, words in (("/dev/full", "no regular file"), ("/nowhere/x", "no such directory"),
                             (d, "running without a trace")):
            text = t.answers(f"gmp run --trace {place} -- {BUSY} </dev/null", words)
            expect(text, text.count("gmp: ") == 1)
        t.refuses("gmp fly", "'fly'")
        t.refuses("gmp run --help >/dev/full", "cannot write")


@test
def dump_prints_every_thread():
    with busy() as p, plain() as alone, stale() as left, Terminal() as t:
        t.answers(f"gmp dump {p.pid} | grep -c ^goroutine", "^8$")
        t.answers(f"gmp dump --json {p.pid} | grep -o '\"goid\":[1-9]' | wc -l", "^8$")
        p.send_signal(signal.SIGSTOP)
        t.answers(f"gmp dump {p.pid} | head -n 3", "the process is stopped")
        p.send_signal(signal.SIGCONT)
        refused_as_others_are(t, "dump", p.pid, alone)
        t.refuses(f"gmp dump {left}", "does not run under the library")
        t.refuses(f"gmp dump {p.pid} >/dev/full", "cannot write")


def refused_as_others_are(t, subcommand, pid, alone):
    """What no subcommand that looks at a process can do."""
    t.refuses(f"gmp {subcommand} 4194304", "no process 4194304")
    t.refuses(f"gmp {subcommand} {alone}", "does not run under the library")
    t.refuses(f"gmp {subcommand} x0", "x0")
    t.refuses(f"gmp {subcommand}", "no process id")
    if os.geteuid() != 0:
        t.refuses(f"gmp {subcommand} 1", "belongs to another user")
        return
    with tempfile.TemporaryDirectory() as d:
        os.chmod(d, 0o755)
        copy = shutil.copy(GMP, d)  # the build may lie where the other user cannot go
        t.refuses(f"setpriv --reuid={NOBODY} --clear-groups {copy} {subcommand} {pid}",
                  "belongs to another user")


@test
def set_changes_and_says():
    with busy() as p, plain() as alone, stale() as left, Terminal() as t:
        t.answers(f"gmp set {p.pid}", "^maxprocs=2 slice_us=10000 preempt=signal$")
        t.answers(f"gmp set {p.pid} maxprocs=1 && gmp set {p.pid}", "^maxprocs=1 ")
        refused_as_others_are(t, "set", p.pid, alone)
        t.refuses(f"gmp set {left} maxprocs=1", "executed another")
        t.refuses(f"gmp set {p.pid} maxprocs=0", "not a number in 1..4096 (count)")
        t.refuses(f"gmp set {p.pid} nonsense=1", "cannot be set")
        t.refuses(f"gmp set {p.pid} >/dev/full", "cannot write")
        p.send_signal(signal.SIGSTOP)
        t.refuses(f"gmp set {p.pid} maxprocs=2", "does not answer")
        p.send_signal(signal.SIGCONT)


@test
def trace_records_and_shows():
    with busy() as p, plain() as alone, stale() as left, \
            tempfile.TemporaryDirectory() as d, Terminal() as t:
        t.answers(f"gmp trace -d 0.2 -o {d}/t.json {p.pid} && head -n 1 {d}/t.json",
                  '^{"displayTimeUnit":"ns","traceEvents":\\[$')
        t.begin(f"gmp trace -d 60 --summary {p.pid}")
        wait_until("it records", lambda: maps_trace(p.pid))
        t.keys("C-c")
        status, text = t.end()
        expect(text, status == 0 and re.search(r" clock_nanosleep$", text, re.M))
        bad = traces(d)
        t.answers(f"gmp trace --summary {d}/good", f"^process [0-9]+, .* 2 Ps, ")
        for path, words in bad.items():
            t.refuses(f"gmp trace --summary {path}", words)
        refused_as_others_are(t, "trace -d 0.1", p.pid, alone)
        t.refuses(f"gmp trace -d 0.1 {left}", "executed another")
        t.refuses(f"gmp trace -o /dev/full {d}/good", "cannot write")
        t.refuses(f"gmp trace {d}/nowhere", "cannot open")


def maps_trace(pid):
    with open(f"/proc/{pid}/maps", encoding="ascii") as f:
        return re.search(r"/gmp-.*trace", f.read())


@test
def a_full_disk_costs_the_trace_and_not_the_program():
    if subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/dev/shm"],
                      check=False, stderr=subprocess.DEVNULL).returncode:
        print("skipped: no file system of one's own can be mounted here")
        return
    with Terminal() as t:
        t.begin("unshare -rm sh")
        t.set_prompt()
        t.run("mount -t tmpfs -o size=512k none /dev/shm")
        text = t.answers(f"gmp run -p 2 --trace /dev/shm/t -- {BUSY} </dev/null", "the disk is full")
        expect(text, text.count("gmp: ") == 1 and "ready" in text)
        t.run(f"sleep 60 | GMP_MAXPROCS=2 LD_PRELOAD={os.path.abspath(LIBRARY)} {BUSY} "
              ">/dev/shm/out 2>&1 & until grep -q ready /dev/shm/out; do :; done")
        t.answers("gmp set $!", "^maxprocs=2 ")
        t.refuses("gmp trace -d 0.1 $!", "no room for a trace of 64 MB")
        t.run("kill $!")
        t.run("exit 0")


@test
def doctor_says_what_can_be():
    with Terminal() as t:
        t.answers("gmp doctor true", "^ok +program: .* dynamic x86-64")
        t.answers("gmp doctor /sbin/ldconfig", "^FAIL +program: .*static", code=1)
        t.refuses("gmp doctor no-such-command", "cannot execute 'no-such-command'", code=127)
        t.refuses("gmp doctor --nonsense", "no option '--nonsense'")
        t.refuses("gmp doctor >/dev/full", "cannot write")


@test
def top_refuses_in_one_line_and_leaves_the_terminal_alone():
    with busy() as p, plain() as alone, stale() as left, Terminal() as t:
        t.answers(f"gmp top --batch -n 1 {p.pid}", f"^{p.pid} busy: gomaxprocs=2 ")
        refused_as_others_are(t, "top", p.pid, alone)
        t.refuses(f"TERM=nosuch gmp top {p.pid}", "cannot show a screen")
        t.refuses(f"gmp top {left}", "executed another")
        t.refuses(f"gmp top --batch -n 1 {p.pid} >/dev/full", "cannot write")


@test
def top_sorts_filters_resizes_and_quits():
    with busy() as p, Terminal(100, 24) as t:
        t.begin(f"gmp top -d 0.2 {p.pid}")
        t.shows("clock_nanosleep")
        t.shows(f"process {p.pid}$")
        t.keys("/", "read", "Enter")
        t.shows("busy *$", times=2)
        t.keys("F4", "Escape")
        t.shows("busy *$", times=8)
        t.keys(">", "r")
        t.keys("p")
        t.shows("GRANTS/s")
        t.keys("g")
        t.shows("CALLS/s")
        t.tmux("resize-window", "-x", "60", "-y", "12")
        t.until("smaller", lambda text: len(text.splitlines()) <= 12 and "q quit" in text)
        t.tmux("resize-window", "-x", "20", "-y", "5")
        t.until("tiny", lambda text: re.fullmatch(r"gmp top: .*\nPs .*\nGs .*\na second: .*\nq quit .*", text))
        t.tmux("resize-window", "-x", "500", "-y", "200")
        t.shows("  p Ps  ")
        t.shows("CALLS/s")
        t.keys("q")
        status, text = t.end()
        expect(text, status == 0 and "q quit" not in text)


@test
def top_ends_with_the_program_and_says_so():
    with busy() as p, Terminal() as t:
        t.begin(f"gmp top -d 0.2 {p.pid}")
        t.shows("clock_nanosleep")
        p.stdin.close()
        p.stdin = open(os.devnull)
        status, text = t.end()
        expect(text, status == 0 and f"process {p.pid} ended" in text)


main()
