"""gmp top: the page of a running program in all its forms, and of one that is gone."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import termios
import time
from threading import Timer

from busy import busy, until
from harness import DEADLINE, GMP, VICTIMS, Victim, environment, expect, gmp, main, test, wait_until

PAGES = f"/dev/shm/gmp-{os.getuid()}"


def pages(pid):
    names = os.listdir(PAGES) if os.path.isdir(PAGES) else []
    return [n for n in names if n.startswith(f"{pid}-")]


@test
def lines_say_what_happens():
    with busy() as p:
        r = gmp("top", "--batch", "-n", "2", "-d", "0.3", str(p.pid))
        lines = r.out.splitlines()
        expect(r, r.code == 0 and len(lines) == 2)
        expect(r, f"{p.pid} busy: gomaxprocs=2 " in lines[0])
        expect(r, re.search(r" threads=9 .* handoffs/s=[1-9]", lines[1]))


@test
def json_is_an_object_a_reading():
    with busy() as p:
        r = gmp("top", "--json", "-n", "2", "-d", "0.2", str(p.pid))
        first, second = map(json.loads, r.out.splitlines())
        expect(r, first["gomaxprocs"] == 2 and len(first["procs"]) == 2)
        expect(r, len(first["goroutines"]) == 8 and first["gs"] == 8)
        expect(r, second["handoffs"] > first["handoffs"])
        expect(r, {g["tid"] for g in first["goroutines"]} <=
               set(map(int, os.listdir(f"/proc/{p.pid}/task"))))
        states = first["running"] + first["runnable"] + first["in_call"] + first["stray"]
        expect(r, states + first["waiting"] == 8)


@test
def prometheus_can_be_scraped():
    with busy() as p:
        r = gmp("top", "--prometheus", str(p.pid))
        expect(r, r.code == 0)
        sample = re.compile(r'^[a-z_]+\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\} [0-9.e+-]+$')
        last, seen = {}, set()
        for line in r.out.splitlines():
            if line.startswith("# TYPE "):
                expect(line, line.split()[2] not in seen)
                seen.add(line.split()[2])
            elif not line.startswith("#"):
                expect(line, sample.match(line))
                if "_bucket{" in line:
                    expect(line, int(line.split()[-1]) >= last.get("bucket", 0))
                    last["bucket"] = int(line.split()[-1])
        expect(r, last["bucket"] > 0)
        # Those that docs/CONTAINERS.md lists beside Go's.
        for name, kind in (("gomaxprocs_threads", "gauge"), ("goroutines_goroutines", "gauge"),
                           ("goroutines_running_goroutines", "gauge"), ("goroutines_runnable_goroutines", "gauge"),
                           ("goroutines_not_in_go_goroutines", "gauge"), ("goroutines_waiting_goroutines", "gauge"),
                           ("threads_total_threads", "gauge"), ("latencies_seconds", "histogram")):
            expect((name, r), f"\n# TYPE gmp_sched_{name} {kind}\n" in "\n" + r.out)
        expect(r, "# TYPE gmp_handoffs_events_total counter\n" in r.out)


@test
def an_ended_program_is_said_and_leaves_nothing():
    with busy() as p:
        t = subprocess.Popen([GMP, "top", "--batch", "-d", "0.1", str(p.pid)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        t.stdout.readline()
        expect("a page", pages(p.pid))
        p.stdin.close()
        p.wait()
        _, err = t.communicate(timeout=20)
        expect(err, t.returncode == 0 and err.endswith(f"process {p.pid} ended\n"))
        expect("no page", not pages(p.pid))
        p.stdin = open(os.devnull)


@test
def a_program_that_executes_another_is_followed():
    with busy("exec", os.path.join(VICTIMS, "busy")) as p:
        t = subprocess.Popen([GMP, "top", "--json", "-d", "0.1", str(p.pid)], text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment())
        t.stdout.readline()
        p.stdin.write("x")
        p.stdin.flush()
        expect("the second one", p.stdout.readline() == "ready\n")
        until("it is shown again", lambda: json.loads(t.stdout.readline())["seconds"] == 0)
        p.stdin.close()
        p.wait()
        _, err = t.communicate(timeout=20)
        expect(err, t.returncode == 0 and err.endswith(f"process {p.pid} ended\n"))
        p.stdin = open(os.devnull)


@test
def processes_that_are_gone_make_room_for_others():
    """More than it can show, then none of them, then another one."""
    t = None
    try:
        with Victim(os.path.join(VICTIMS, "busy"), "crowd", "260", GMP_MAXPROCS="2") as many:
            expect(many.ready, many.ready == "ready\n")
            t = subprocess.Popen([GMP, "top", "--all", "--json", "-d", "0.05"], text=True,
                                 stdout=subprocess.PIPE, env=environment())
            shown = lambda: json.loads(t.stdout.readline())["pid"]  # it ends with t
            watch = Timer(DEADLINE, t.kill)
            watch.daemon = True
            watch.start()
            seen = set()
            wait_until("it is full", lambda: seen.add(shown()) or len(seen) >= 256, pause=0)
        with busy() as p:
            wait_until("another one is shown", lambda: shown() == p.pid, pause=0)
    finally:
        if t:
            t.kill()
            t.communicate()


@test
def a_page_left_by_exec_is_stale():
    with busy("exec", "/bin/sleep") as p:
        gmp("top", "--batch", "-n", "1", str(p.pid))
        p.stdin.write("x")
        p.stdin.flush()
        until("sleep runs", lambda: open(f"/proc/{p.pid}/comm").read() == "sleep\n")
        r = gmp("top", "--batch", str(p.pid))
        expect(r, r.code == 125 and r.err.count("\n") == 1 and "executed another" in r.err)


@test
def a_page_that_is_not_as_it_should_be_is_refused_by_all():
    with busy() as p:
        expect("a page", gmp("top", "--batch", "-n", "1", str(p.pid)).code == 0)
        with open(os.path.join(PAGES, pages(p.pid)[0]), "r+b") as f:
            f.write(b"\0\1\2\3\4\5\6\7")
        for args in (("top", "--batch"), ("set",), ("trace", "-d", "0.1")):
            r = gmp(*args, str(p.pid))
            expect(r, r.code == 125 and r.err.count("\n") == 1 and "page of another version" in r.err)


@test
def what_the_dead_left_goes_however_many_live():
    space = os.stat("/proc/self/ns/pid").st_ino
    with busy():
        pass  # the directory is there
    gone = subprocess.Popen(["true"])
    gone.wait()
    dead = os.path.join(PAGES, f"{gone.pid}-{space:x}")
    living = [os.path.join(PAGES, f"{os.getpid()}-{space:x}.{i}") for i in range(200)]
    try:
        # In the midst of them, whichever way the file system lists them.
        for path in living[:100] + [dead] + living[100:]:
            open(path, "w").close()
        for _ in range(10):  # each removes but a few, and there may be others
            with busy():
                if not os.path.exists(dead):
                    break
        expect("it is gone", not os.path.exists(dead))
        expect("they are there", all(map(os.path.exists, living)))
    finally:
        for path in living + [dead]:
            if os.path.exists(path):
                os.unlink(path)


@test
def a_stopped_program_shows_its_counters_and_no_state():
    """Nobody has asked it before it stopped: the state in its page is of no time."""
    with busy() as p:
        p.send_signal(signal.SIGSTOP)
        wait_until("stopped", lambda: " T " in open(f"/proc/{p.pid}/stat", encoding="ascii").read())
        r = gmp("top", "--batch", "-n", "1", str(p.pid))
        expect(r, r.code == 0 and "does not answer" in r.out)
        expect(r, " gomaxprocs=- " in r.out and " runqueue=- " in r.out and " handoffs/s=0 " in r.out)
        r = gmp("top", "--json", "-n", "2", "-d", "0.1", str(p.pid))
        for j in map(json.loads, r.out.splitlines()):
            expect(r, j["gomaxprocs"] is None and j["goroutines"] is None and j["created"] == 8)
            expect(r, j["answers"] is False and 0 <= j["seconds"] < DEADLINE)
        r = gmp("top", "--prometheus", str(p.pid))
        expect(r, "\ngmp_sched_goroutines_created_goroutines_total{" in r.out)
        expect(r, "\ngmp_sched_gomaxprocs_threads{" not in r.out)
        p.send_signal(signal.SIGCONT)
        r = gmp("top", "--json", "-n", "1", str(p.pid))
        expect(r, json.loads(r.out)["gomaxprocs"] == 2)


@test
def a_name_can_be_any_bytes():
    for name, as_json, as_label, as_line in (
            (b'\xff\xc3\xa9"\\\x1b[2J', '\ufffd\xe9"\\\x1b[2J', '\ufffd\xe9\\"\\\\\x1b[2J', '?\xe9"\\?[2J'),
            (b") Z 1\nx", ") Z 1", ") Z 1", ") Z 1")):
        with Victim(os.path.join(VICTIMS, "stuck"), "pipe", name) as v:
            for form, words in (("--json", None), ("--prometheus", f'{{pid="{v.pid}",name="{as_label}"}} '),
                                ("--batch", f"{v.pid} {as_line}: ")):
                done = subprocess.run([GMP, "top", form, *(() if "prom" in form else ("-n", "2", "-d", "0.1")),
                                       str(v.pid)], capture_output=True, env=environment(), check=True)
                out = done.stdout.decode()
                expect((out, done), not done.stderr and (words or "{") in out)
                for line in out.split("\n")[:-1] if not words else ():
                    expect(line, json.loads(line)["name"] == as_json)


@test
def another_users_file_of_that_name_is_not_its_page():
    space = os.stat("/proc/self/ns/pid").st_ino
    other = "/dev/shm/gmp--"  # sorts before any user's own
    with busy() as p:
        os.mkdir(other)
        try:
            with open(f"{other}/{p.pid}-{space:x}", "w", encoding="ascii") as f:
                f.write("not a page")
            r = gmp("top", "--batch", "-n", "1", str(p.pid))
            expect(r, r.code == 0 and " gomaxprocs=2 " in r.out)
        finally:
            shutil.rmtree(other)


def on_pty(*args, **env):
    """gmp on a terminal of its own, which is not its session's."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 30, 120, 0, 0))
    t = subprocess.Popen([GMP, *args], stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                         env=environment(TERM="vt100", **env))
    os.close(slave)
    return t, master


def shown(master, what):
    """All that is drawn until that is."""
    out = b""
    end = time.monotonic() + DEADLINE
    while what not in out:
        expect(out, select.select([master], [], [], max(0, end - time.monotonic()))[0])
        out += os.read(master, 65536)
    return out


@test
def a_terminal_that_is_hung_up_ends_it():
    with busy() as p:
        t, master = on_pty("top", "-d", "1000", str(p.pid))
        shown(master, b"clock_nanosleep")
        os.close(master)
        expect("exit code", t.wait(DEADLINE) == 0)


@test
def without_a_keyboard_it_prints_lines():
    with busy() as p:
        master, slave = pty.openpty()
        done = subprocess.run([GMP, "top", "-n", "1", str(p.pid)], stdin=subprocess.DEVNULL, stdout=slave,
                              check=True, env=environment(TERM="xterm"), timeout=DEADLINE)
        os.close(slave)
        expect(done, os.read(master, 4096).startswith(f"{p.pid} busy: ".encode()))
        os.close(master)


@test
def a_wide_name_is_shown_as_the_locale_can():
    name = "\u65e5\u672c\u8a9e"
    for locale, want in (("C.UTF-8", f"top: {name}, process"), ("C", "top: ?????????, process")):
        with Victim(os.path.join(VICTIMS, "stuck"), "pipe", name.encode()) as v:
            t, master = on_pty("top", str(v.pid), LC_ALL=locale)
            shown(master, want.encode())
            os.write(master, b"q")
            shown(master, b"")
            t.kill()
            t.wait()
            os.close(master)


@test
def what_cannot_be_read_is_one_line():
    with busy(preload="") as p:
        for args, words in (([str(p.pid)], "does not run under the library"),
                            (["4194304"], "no process 4194304"), (["x"], "not a process id"),
                            ([], "no process id"), (["-d", "x", "1"], "not a time"),
                            (["1", "2"], "not also '2'"), (["--all", "1"], "either one"), (["-d"], "needs a value"),
                            (["--prometheus", "-n", "2", "1"], "one reading"), (["a\nb"], "'a?b'"),
                            (["--nonsense"], "no option '--nonsense'")):
            r = gmp("top", "--batch", *args)
            expect(r, r.code == 125 and r.err.count("\n") == 1 and words in r.err)


@test
def without_a_page_it_says_so():
    with busy(GMP_PAGE="0") as p:
        r = gmp("top", "--batch", str(p.pid))
        expect(r, r.code == 125 and "cannot have a page" in r.err)


main()
