"""GMP_CHECKDEAD: what is asleep for ever is called dead, and nothing else ever is."""
import os
import re

from harness import VICTIMS, Victim, expect, main, test

ASLEEP = os.path.join(VICTIMS, "asleep")
DEAD = {
    "locks": "pthread_mutex_lock", "conds": "", "sems": "", "barriers": "",
    "rwlocks": "pthread_rwlock", "joins": " to end\n", "main_ends": "pthread_mutex_lock",
}
ALIVE = ("timed_mutex", "timed_cond", "timed_sem", "naps", "handler", "sigwaits", "shared",
         "timer_thread", "computes", "futexes")
MESSAGE = "fatal error: all goroutines are asleep - deadlock!\n\n"


def run_all(kinds, **env):
    """All at once, for they take seconds each: kind -> exit status, output, errors."""
    victims = {k: Victim(ASLEEP, k, GMP_MAXPROCS="1", **env) for k in kinds}
    done = {}
    for kind, v in victims.items():
        with v:
            out, err = v.process.communicate(timeout=60)
            done[kind] = v.process.returncode, out, err
    return done


@test
def what_is_asleep_for_ever_is_dead():
    for kind, (code, out, err) in run_all(DEAD, GMP_CHECKDEAD="1").items():
        expect((kind, code, out, err), code == 2 and not out and err.startswith(MESSAGE))
        expect((kind, err), len(re.findall(r"^goroutine \d+ \[syscall: futex, locked to thread\]:$",
                                           err, re.M)) == (1 if kind == "main_ends" else 2))
        expect((kind, err), DEAD[kind] in err and "\nin_second(...)\n" in err)


@test
def the_ring_of_locks_is_named():
    _, _, err = run_all(["locks"], GMP_CHECKDEAD="1")["locks"]
    line = r"\tgoroutine {} waits for mutex 0x\w+, held by goroutine {} \(thread \d+\)\n"
    expect(err, re.search("^" + re.escape(MESSAGE) + "deadlock!\n" + line.format(1, 2) +
                          line.format(2, 1), err))
    _, _, err = run_all(["joins"], GMP_CHECKDEAD="1")["joins"]
    line = r"\tgoroutine {} waits for goroutine {} \(thread \d+\) to end\n"
    expect(err, re.search("deadlock!\n" + line.format(1, 2) + line.format(2, 1), err))


@test
def what_may_still_wake_is_left_alone():
    for kind, done in run_all(ALIVE, GMP_CHECKDEAD="1").items():
        expect((kind, *done), done == (0, "alive\n", ""))


@test
def without_the_option_nothing_is_said():
    with Victim(ASLEEP, "locks", GMP_MAXPROCS="1") as v:
        try:
            v.process.wait(timeout=2.5)
        except Exception:  # it waits for ever, as it would by itself
            return
        expect("still there", False)


main()
