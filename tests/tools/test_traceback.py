"""SIGQUIT with GMP_TRACEBACK, and gmp_dump(): every goroutine, printed from within the program."""
import os
import re
import signal
import subprocess
import tempfile
import time

from harness import VICTIMS, Victim, environment, expect, gmp, main, test, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WAITS = os.path.join(VICTIMS, "waits")
STUCK = os.path.join(VICTIMS, "stuck")

# Who runs the tests in the background has it ignored, and the victims would inherit that.
signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def asleep(pid, call):
    """Until the main thread is in this system call."""
    def is_there():
        with open(f"/proc/{pid}/syscall", encoding="ascii") as f:
            return f.read().split()[0] == str(call)
    wait_until(f"asleep in {call}", is_there)


def quit_by_signal(victim):
    """Its dump; it must end with Go's status and have written nothing else."""
    os.kill(victim.pid, signal.SIGQUIT)
    out, err = victim.process.communicate(timeout=30)
    expect((victim.process.returncode, out, err), victim.process.returncode == 2 and not out)
    expect(err, re.match(r"SIGQUIT: quit\nPC=0x[0-9a-f]+ m=\d+ sigcode=-?\d+\n\n", err))
    return err


def blocks(text):
    """goroutine id -> its block."""
    return {int(m[1]): m[0] for m in
            re.finditer(r"^goroutine (\d+) \[.*?\n(?=\n|\Z)", text, re.M | re.S)}


@test
def sigquit_prints_every_kind_of_wait_and_ends_with_gos_status():
    with Victim(WAITS, "1", GMP_MAXPROCS="2", GMP_TRACEBACK="1") as v:
        asleep(v.pid, 0)
        at = dict(w.split("=") for w in v.ready.split() if "=" in w)
        by_name = {re.search(r'^thread \d+ "(\w+)"', b, re.M)[1]: b
                   for b in blocks(quit_by_signal(v)).values()}
        owner = r", held by goroutine 1 \(thread {}\)\n".format(at["main"])
        want = {
            "read": ("read", r"waits for fd \d+ \(pipe:"),
            "mutex": ("futex", "waits for mutex " + at["mutex"] + owner),
            "cond": ("futex", "waits for condition " + at["cond"] + "\n"),
            "rwlock": ("futex", "waits for rwlock " + at["rwlock"] +
                       owner.replace("held", "held for writing")),
            "sem": ("futex", "waits for semaphore " + at["sem"] + "\n"),
            "poll": ("poll", ""),
            "epoll": ("epoll_wait", ""),
            "recv": ("recvfrom", r"waits for fd \d+ \(socket:"),
            "semop": ("semtimedop|semop", ""),
            "futex": ("futex", ""),
            "wait4": ("wait4", ""),
            "sleep": ("clock_nanosleep", ""),
            "join": ("futex", r"waits for goroutine 2 \(thread \d+\) to end\n"),
        }
        for name, (call, text) in want.items():
            b = by_name[name]
            expect(b, re.match(rf"goroutine \d+ \[syscall: ({call}), locked to thread\]:\n", b))
            expect((name, b), re.search(text, b))
            expect((name, b), f"\nin_{name}(...)\n" in b and "\nrun(...)\n" in b)
        expect(by_name["waits"], "\nmain(...)\n" in by_name["waits"])


@test
def a_thousand_are_printed_and_notice_nothing():
    with Victim(WAITS, "82", GMP_MAXPROCS="2", GMP_TRACEBACK="2") as v:
        asleep(v.pid, 0)
        began = time.monotonic()
        os.kill(v.pid, signal.SIGQUIT)
        code, out, err = v.finish()
        took = time.monotonic() - began
        expect((code, out, err), code == 0 and "0 faults" in out)
        expect(f"{took} s", took < 2)  # a second for the dump, and one for the threads to end
        expect(err, len(blocks(err)) == int(v.ready.split()[1]) + 2 and "unavailable" not in err)
        expect(err, err.count("\nin_epoll(...)\n") == 82)


@test
def threads_that_compute_are_stopped_for_it():
    with Victim(STUCK, "spin", GMP_MAXPROCS="1", GMP_TRACEBACK="1") as v:
        asleep(v.pid, 202)
        text = quit_by_signal(v)
        expect(text, text.count("\nspin_here(...)\n") == 4 and "did not stop" not in text)
        expect(text, re.search(r"goroutine \d \[runnable, locked to thread\]:\n"
                               r'thread \d+ "stuck": waits for a P for \d+ ms\n', text))


@test
def a_deadlock_shows_who_holds_what():
    with Victim(STUCK, "deadlock", GMP_MAXPROCS="1", GMP_TRACEBACK="1") as v:
        text = quit_by_signal(v)
        line = r"\tgoroutine {} waits for mutex 0x\w+, held by goroutine {} .*\n"
        expect(text, re.search(r"^deadlock!\n" + line.format(2, 3) + line.format(3, 2), text, re.M))


@test
def a_wrecked_heap_is_no_hindrance():
    with Victim(STUCK, "heap", GMP_TRACEBACK="1", GMP_MAXPROCS="1") as v:
        asleep(v.pid, 202)
        text = quit_by_signal(v)
        expect(text, "\nread_for_ever(...)\n" in text and "\nmain(...)\n" in text)


@test
def the_loaders_lock_costs_the_stacks_but_not_the_dump():
    with Victim(STUCK, "loader", GMP_TRACEBACK="1", GMP_MAXPROCS="1") as v:
        began = time.monotonic()
        text = quit_by_signal(v)
        expect(text, sorted(blocks(text)) == [1, 2] and "stack unavailable" in text)
        expect("it gave up", time.monotonic() - began < 15)


@test
def a_program_of_one_thread_shows_that():
    script = "print('ready', flush=True); input()"
    with Victim("/usr/bin/python3", "-c", script, GMP_TRACEBACK="1") as v:
        asleep(v.pid, 0)
        text = quit_by_signal(v)
        expect(text, re.search(r'^thread \d+ \[no goroutine\]:\nthread \d+ "python3"\n', text,
                               re.M) and "\n_start(...)\n" in text)


@test
def the_programs_own_handler_wins():
    trap = "trap 'echo mine; exit 7' QUIT; echo ready; while :; do sleep 0.01; done"
    with Victim("/bin/sh", "-c", trap, GMP_TRACEBACK="1") as v:
        os.kill(v.pid, signal.SIGQUIT)
        out, err = v.process.communicate(timeout=30)
        expect((out, err), v.process.returncode == 7 and out == "mine\n" and not err)


@test
def without_the_option_sigquit_is_the_kernels():
    with Victim(STUCK, "pipe") as v:
        os.kill(v.pid, signal.SIGQUIT)
        out, err = v.process.communicate(timeout=30)
        expect(err, v.process.returncode == -signal.SIGQUIT and not err)


CALLS = """
#include <gmprt.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
static int fd[2];
static sem_t here;
static void *in_a_thread(void *arg)
{
	char c;
	sem_post(&here);
	return (void *)read(fd[0], &c, 1);
}
static int takes_its_own_dump(void)
{
	return gmp_dump ? gmp_dump(1) : -1;
}
int main(void)
{
	pthread_t t;
	int r;
	if (pipe(fd) || pthread_create(&t, NULL, in_a_thread, NULL))
		return 9;
	sem_wait(&here);
	r = takes_its_own_dump();
	/* The child that printed is no child of ours. */
	printf("returned %d, children %d\\n", r, wait(NULL) != -1);
	fflush(stdout);
	close(fd[1]);
	pthread_join(t, NULL);
	return 0;
}
"""


@test
def a_program_dumps_itself_and_goes_on():
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "calls")
        subprocess.run(["gcc", "-x", "c", "-Wall", "-I", os.path.join(ROOT, "runtime"), "-", "-o",
                        path, "-pthread"], input=CALLS, text=True, check=True)
        alone = subprocess.run([path], capture_output=True, text=True, env=environment(),
                               timeout=30, check=False)
        expect(alone, alone.stdout == "returned -1, children 0\n")
        r = gmp("run", "-p", "1", "--", path, env=environment(GMP_ON_BUG="abort"))
        found = blocks(r.out)
        expect(r, r.code == 0 and not r.err and sorted(found) == [1, 2])
        expect(r, "[running, locked to thread]" in found[1])
        expect(r, "in_a_thread(...)\n" in found[2] and "main(...)\n" in found[1])
        expect(r, "takes_its_own_dump(...)\n" in found[1])
        expect(r, r.out.endswith("\n\nreturned 0, children 0\n"))


main()
