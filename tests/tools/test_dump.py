"""gmp dump: programs in every kind of wait, deadlocked, spinning, stopped; and what it refuses."""
import ctypes
import json
import os
import re
import signal
import subprocess

from harness import VICTIMS, Victim, cpu_seconds, environment, expect, fails, gmp, main, test, wait_until

WAITS = os.path.join(VICTIMS, "waits")
STUCK = os.path.join(VICTIMS, "stuck")


def words(line):
    return dict(w.split("=") for w in line.split() if "=" in w)


def dump(pid):
    r = gmp("dump", "--json", str(pid))
    expect(r, r.code == 0 and not r.err)
    return json.loads(r.out)


def functions(g):
    return [f["function"] for f in g["frames"]]


def address(text):
    return int(text, 16)


def reads(pid):
    """Until the main thread, which said that all others wait, waits for its input itself."""
    def asleep():
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            return f.read().split()[:2] == ["0", "0x0"]
    wait_until("main reads", asleep)


@test
def every_kind_of_wait_is_named():
    with Victim(WAITS, "1", GMP_MAXPROCS="2") as v:
        reads(v.pid)
        at = words(v.ready)
        d = dump(v.pid)
        by_name = {g["name"]: g for g in d["goroutines"]}
        main_tid = int(at["main"])
        want = {
            "read": ("read", "fd", "pipe:["),
            "mutex": ("pthread_mutex_lock", "mutex", "held by goroutine 1 "),
            "cond": ("pthread_cond_wait", "cond", "condition"),
            "rwlock": ("pthread_rwlock_wrlock", "rwlock", "held for writing by goroutine 1 "),
            "sem": ("sem_wait", "semaphore", "semaphore"),
            "poll": ("poll", "poll", "pipe:["),
            "epoll": ("epoll_wait", "fd", "eventpoll"),
            "recv": ("recv", "fd", "unix"),
            "semop": ("semop", "", ""),
            "futex": ("syscall_by_number", "futex", " = 0"),
            "wait4": ("waitpid", "pid", f"process {at['child']} to change"),
            "sleep": ("nanosleep", "time", "1000.000 s"),
            "join": ("pthread_join", "thread", "goroutine 2 "),
        }
        for name, (call, kind, text) in want.items():
            g = by_name[name]
            wait = g.get("wait", {"kind": "", "text": ""})
            expect(g, g["status"] == "syscall" and g["call"] == call and g["answered"])
            expect(g, wait["kind"] == kind and text in wait["text"])
            expect(g, f"in_{name}" in functions(g) and "run" in functions(g))
            mine = [f for f in g["frames"] if f["function"] == f"in_{name}"][0]
            expect(mine, mine["file"].endswith("waits.c") and mine["line"] > 0)
        expect(by_name["mutex"], by_name["mutex"]["wait"]["owner"] == main_tid)
        for name, key in (("mutex", "mutex"), ("cond", "cond"), ("rwlock", "rwlock"),
                          ("sem", "sem"), ("futex", "word")):
            expect(name, by_name[name]["wait"]["object"] == address(at[key]))
        code, out, err = v.finish()
        expect((code, out, err), code == 0 and "0 faults" in out)


@test
def a_thousand_threads_take_a_second_and_notice_nothing():
    with Victim(WAITS, "82", GMP_MAXPROCS="2") as v:
        reads(v.pid)
        began = cpu_seconds()
        # As meson has it: a command that takes more memory than it needs pays for all of it.
        r = gmp("dump", str(v.pid), env=environment(MALLOC_PERTURB_="165"))
        took = cpu_seconds() - began
        expect(r, r.code == 0 and "did not answer" not in r.out)
        heads = re.findall(r"^goroutine \d+ \[syscall: (\w+), locked to thread\]:$", r.out, re.M)
        expect(r, len(heads) == int(v.ready.split()[1]) + 2)
        for call in ("read", "pthread_mutex_lock", "sem_wait", "epoll_wait", "nanosleep"):
            expect(call, heads.count(call) >= 82)
        expect(f"took {took} s", took < 1)
        code, out, err = v.finish()
        expect((code, out, err), code == 0 and "0 faults" in out)


@test
def a_deadlock_shows_who_holds_what():
    with Victim(STUCK, "deadlock", GMP_MAXPROCS="1") as v:
        waits = [g for g in dump(v.pid)["goroutines"] if g.get("wait", {}).get("kind") == "mutex"]
        expect(waits, len(waits) == 2)
        a, b = waits
        expect(waits, a["wait"]["owner"] == b["tid"] and b["wait"]["owner"] == a["tid"])
        locks = {address(w) for w in v.ready.split()[1:]}
        expect(waits, {a["wait"]["object"], b["wait"]["object"]} == locks)
        text = gmp("dump", str(v.pid)).out
        waits_for = r"\tgoroutine {} waits for mutex 0x(\w+), held by goroutine {} .*\n"
        ring = re.search(r"^deadlock!\n" + waits_for.format(2, 3) + waits_for.format(3, 2), text,
                         re.M)
        expect(text, ring and {address(a) for a in ring.groups()} == locks)
        expect(text, re.search(r"^goroutine 1 \[syscall: pthread_join, locked to thread\]:\n"
                               r"thread \d+ \"stuck\": waits for goroutine 2 ", text, re.M))


@test
def one_that_spins_runs_and_the_others_wait_for_a_p():
    with Victim(STUCK, "spin", GMP_MAXPROCS="1") as v:
        d = dump(v.pid)
        spinners = [g for g in d["goroutines"] if "spin_here" in functions(g)]
        expect(d, len(spinners) == 4)
        expect("no ring", "deadlock!" not in gmp("dump", str(v.pid)).out)
        states = sorted(g["status"] for g in spinners)
        expect(states, states.count("runnable") >= 2 and set(states) <= {"runnable", "running"})
        text = gmp("dump", str(v.pid)).out
        expect(text, "waits for a P for" in text)


@test
def a_stopped_process_is_dumped_and_stays_stopped():
    def state():
        with open(f"/proc/{v.pid}/stat", encoding="ascii") as f:
            return f.read().rsplit(")")[1].split()[0]
    with Victim(STUCK, "spin", GMP_MAXPROCS="1") as v:
        os.kill(v.pid, signal.SIGSTOP)
        wait_until("stopped", lambda: state() == "T")
        r = gmp("dump", str(v.pid))
        expect(r, r.code == 0 and "the process is stopped" in r.out and "spin_here" in r.out)
        expect("json", dump(v.pid)["stopped"])
        expect("still stopped", state() == "T")
        os.kill(v.pid, signal.SIGCONT)
        wait_until("runs", lambda: state() != "T")


@test
def a_program_with_one_thread_has_nothing_scheduled():
    with Victim("/bin/sh", "-c", "echo ready; read x; exit 0") as v:
        r = gmp("dump", str(v.pid))
        expect(r, r.code == 0 and "no second thread yet" in r.out and "no goroutine, in read]" in r.out)


@test
def what_cannot_be_dumped_is_one_line():
    fails(gmp("dump"), "no process id")
    fails(gmp("dump", "x"), "'x' is not a process id")
    fails(gmp("dump", "0"), "not a process id")
    fails(gmp("dump", "-1"), "no option '-1'")
    fails(gmp("dump", "1", "2"), "one process at a time")
    fails(gmp("dump", "--limit", "no", "1"), "--limit")
    fails(gmp("dump", "99999999"), "no process 99999999")
    fails(gmp("dump", str(os.getpid())), "does not run under the library")
    ended = subprocess.Popen(["true"])
    wait_until("zombie", lambda: " Z " in open(f"/proc/{ended.pid}/stat", encoding="ascii").read())
    fails(gmp("dump", str(ended.pid)), "has ended")
    ended.wait()
    fails(gmp("dump", str(ended.pid)), "no process")


@test
def another_users_process_is_refused():
    if os.geteuid() != 0:
        return
    with Victim(STUCK, "spin") as v:
        fails(gmp("dump", str(v.pid), user=12345), "belongs to another user (uid 0)")


@test
def a_process_under_a_debugger_is_refused():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    with Victim(STUCK, "spin") as v:
        expect("seize", libc.ptrace(0x4206, v.pid, None, None) == 0)
        fails(gmp("dump", str(v.pid)), f"is being traced by process {os.getpid()}")


main()
