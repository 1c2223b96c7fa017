"""gmp dump: programs in every kind of wait, deadlocked, spinning, stopped; and what it refuses."""
import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile

from harness import GMP, LIBRARY, VICTIMS, Victim, cpu_seconds, environment, expect, fails, gmp, main, test, wait_until

WAITS = os.path.join(VICTIMS, "waits")
STUCK = os.path.join(VICTIMS, "stuck")


def words(line):
    return dict(w.split("=") for w in line.split() if "=" in w)


def dump(pid):
    r = gmp("dump", "--json", str(pid))
    expect(r, r.code == 0 and not r.err)
    return json.loads(r.out)


def goroutines(d):
    """Without the threads that are none: sysmon's."""
    return [g for g in d["goroutines"] if g["goid"]]


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


def all_wait(pid):
    """The goroutines, once main, which said that the others wait, has begun to wait for one of them."""
    gs = []

    def wait():
        gs[:] = goroutines(dump(pid))
        return all("wait" in g for g in gs)
    wait_until("all wait", wait)
    return gs


# name of the thread -> the call, what kind of thing it waits for, and what is said of that
KINDS = {
    "read": ("read", "fd", r"pipe:\["),
    "mutex": ("pthread_mutex_lock", "mutex", "held by goroutine 1 "),
    "cond": ("pthread_cond_wait", "cond", "condition"),
    "rwlock": ("pthread_rwlock_wrlock", "rwlock", "held for writing by goroutine 1 "),
    "sem": ("sem_wait", "semaphore", "semaphore"),
    "poll": ("poll", "poll", r"pipe:\["),
    "epoll": ("epoll_wait", "fd", "eventpoll"),
    "recv": ("recv", "fd", "unix"),
    "semop": ("semop", "", ""),
    "futex": ("syscall_by_number", "futex", " = 0"),
    "wait4": ("waitpid", "pid", r"process \d+ to change"),
    "sleep": ("nanosleep", "time", "1000.000 s"),
    "join": ("pthread_join", "thread", r"goroutine \d+ "),
}


def check_wait(g):
    call, kind, text = KINDS[g["name"]]
    wait = g.get("wait", {"kind": "", "text": ""})
    expect(g, g["status"] == "syscall" and g["call"] == call and g["answered"])
    expect(g, wait["kind"] == kind and re.search(text, wait["text"]))
    expect(g, f"in_{g['name']}" in functions(g) and "run" in functions(g))
    mine = [f for f in g["frames"] if f["function"] == f"in_{g['name']}"][0]
    expect(mine, mine["file"].endswith("waits.c") and mine["line"] > 0)


@test
def every_kind_of_wait_is_named():
    with Victim(WAITS, "1", GMP_MAXPROCS="2") as v:
        reads(v.pid)
        at = words(v.ready)
        for _ in range(2):  # the second finds calls that the kernel began again after the first
            by_name = {g["name"]: g for g in dump(v.pid)["goroutines"]}
            for name in KINDS:
                check_wait(by_name[name])
        expect(by_name["wait4"], f"process {at['child']} " in by_name["wait4"]["wait"]["text"])
        expect(by_name["join"], by_name["join"]["wait"]["text"].startswith("goroutine 2 "))
        expect(by_name["mutex"], by_name["mutex"]["wait"]["owner"] == int(at["main"]))
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
        r = gmp("dump", "--json", str(v.pid), env=environment(MALLOC_PERTURB_="165"))
        took = cpu_seconds() - began
        expect(r, r.code == 0 and not r.err)
        expect(f"took {took} s", took < 1)
        gs = goroutines(json.loads(r.out))
        expect(len(gs), len(gs) == int(v.ready.split()[1]) + 2)
        crowd = [g for g in gs if g["name"] in KINDS]
        for name in KINDS:
            expect(name, sum(g["name"] == name for g in crowd) >= (1 if name == "join" else 81))
        for g in crowd:
            check_wait(g)
        code, out, err = v.finish()
        expect((code, out, err), code == 0 and "0 faults" in out)


@test
def a_wrecked_heap_is_no_hindrance():
    with Victim(STUCK, "heap", GMP_MAXPROCS="1") as v:
        gs = goroutines(dump(v.pid))
        expect(gs, len(gs) == 2 and "main" in functions(gs[0]) and "read_for_ever" in functions(gs[1]))
        expect(gs, gs[1]["wait"]["kind"] == "fd")


@test
def who_cannot_be_stopped_is_said_and_the_others_are_shown():
    with Victim(STUCK, "vfork", GMP_MAXPROCS="1") as v:
        r = gmp("dump", str(v.pid))
        expect(r, r.code == 0 and "; 1 did not answer\n" in r.out and "\nmain(...)\n" in r.out)
        expect(r, re.search(r"^goroutine 2 \[syscall: vfork, locked to thread\]:\n.*\n"
                            r"\tthread did not stop within the limit; stack unavailable\n", r.out, re.M))
        gs = goroutines(dump(v.pid))
        expect(gs, [g["answered"] for g in gs] == [True, False])


@test
def a_deadlock_shows_who_holds_what():
    with Victim(STUCK, "deadlock", GMP_MAXPROCS="1") as v:
        waits = [g for g in all_wait(v.pid) if g["wait"]["kind"] == "mutex"]
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
def a_container_shows_the_threads_numbers_that_we_know():
    """The program counts its threads from 1; in its locks and in the library stand those numbers."""
    with Victim("unshare", *([] if os.geteuid() == 0 else ["-Ur"]), "-pf", "--mount-proc", STUCK, "deadlock",
                GMP_MAXPROCS="2") as v:
        if not v.ready:
            print("skipped: no pid namespace can be made here")
            return
        with open(f"/proc/{v.pid}/task/{v.pid}/children", encoding="ascii") as f:
            pid = int(f.read())
        gs = all_wait(pid)
        expect(gs, {g["tid"] for g in gs} <= set(map(int, os.listdir(f"/proc/{pid}/task"))))
        expect(gs, len(gs) == 3 and all(g["answered"] and g["frames"] for g in gs))
        main_, a, b = gs
        expect(gs, a["wait"]["owner"] == b["tid"] and b["wait"]["owner"] == a["tid"])
        expect(gs, main_["wait"]["owner"] == a["tid"])
        text = gmp("dump", str(pid)).out
        expect(text, "deadlock!" in text and "did not answer" not in text)
        expect(text, f"held by goroutine 2 (thread {a['tid']})" in text)
        r = gmp("top", "--json", "-n", "1", str(pid))
        expect(r, {g["tid"] for g in json.loads(r.out)["goroutines"]} == {g["tid"] for g in gs})
        os.kill(pid, signal.SIGKILL)


@test
def a_library_whose_file_was_replaced_is_known_still():
    with tempfile.TemporaryDirectory() as d:
        old = shutil.copy(LIBRARY, d)
        with Victim(STUCK, "deadlock", LD_PRELOAD=old, GMP_MAXPROCS="2") as v:
            os.unlink(old)
            gs = all_wait(v.pid)
            expect(gs, len(gs) == 3 and [g["wait"]["kind"] for g in gs] == ["thread", "mutex", "mutex"])
            expect(gs, "lock_both" in functions(gs[1]))
            expect("top", gmp("top", "--batch", "-n", "1", str(v.pid)).code == 0)


@test
def a_name_can_be_any_bytes():
    with Victim(STUCK, "pipe", b"a)\"\\\n\x1b\xff\xc2\x9b \xc3\xa9") as v:
        name = 'a)"\\'  # /proc ends a name where its line ends
        expect("json", dump(v.pid)["goroutines"][0]["name"] == name)
        expect("stopped", not dump(v.pid)["stopped"])
        expect("text", f'thread {v.pid} "a)"\\"' in gmp("dump", str(v.pid)).out)
    with Victim(STUCK, "pipe", b"\x1b[2J\xff\xc2\x9b\xc3\xa9\"") as v:
        raw = subprocess.run([GMP, "dump", "--json", str(v.pid)], capture_output=True, env=environment(), check=True)
        expect(raw, json.loads(raw.stdout.decode())["goroutines"][0]["name"] == '\x1b[2J\ufffd\x9b\xe9"')
        expect("text", f'thread {v.pid} "?[2J??\xe9""' in gmp("dump", str(v.pid)).out)


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
        reads(v.pid)
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
