"""gmp set: a running program is scheduled as asked, or says why not."""
import os
import re
import shutil
import signal
import subprocess
import tempfile

from busy import busy, until
from harness import GMP, environment, expect, fails, gmp, main, test


def state(p):
    return gmp("set", str(p.pid))


@test
def what_is_set_is_in_force_at_once_and_stays():
    with busy(GMP_ON_BUG="abort") as p:
        r = state(p)
        expect(r, r.code == 0 and r.out == "maxprocs=2 slice_us=10000 preempt=signal\n")
        r = gmp("set", str(p.pid), "maxprocs=3", "slice_us=500", "preempt=off")
        expect(r, r.code == 0 and r.out == "maxprocs=3 slice_us=500 preempt=off\n" and not r.err)
        r = gmp("top", "--batch", "-n", "1", str(p.pid))
        expect(r, "gomaxprocs=3 " in r.out)
        r = gmp("set", str(p.pid), "preempt=signal")
        expect(r, r.code == 0 and r.out == "maxprocs=3 slice_us=500 preempt=signal\n")
        for n in (1, 8, 1, 4096, 2):
            r = gmp("set", str(p.pid), f"maxprocs={n}")
            expect(r, r.code == 0 and r.out.startswith(f"maxprocs={n} "))
            r = gmp("top", "--json", "-n", "1", str(p.pid))
            expect(r, f'"gomaxprocs":{n},' in r.out)
        expect("it lives", p.poll() is None)
        expect(state(p), state(p).out == "maxprocs=2 slice_us=500 preempt=signal\n")


@test
def preempt_off_stops_the_signals_and_signal_brings_them_back():
    def sent():
        r = gmp("top", "--prometheus", str(p.pid))
        return int(re.search(r"^gmp_preempts_signals_total\{.* (\d+)$", r.out, re.M)[1])

    with busy() as p:
        gmp("set", str(p.pid), "maxprocs=1", "slice_us=100")
        first = sent()
        until("signals are sent", lambda: sent() > first)
        gmp("set", str(p.pid), "preempt=gate")
        quiet = sent()
        gmp("top", "--batch", "-n", "2", "-d", "0.3", str(p.pid))  # it runs on meanwhile
        expect("no signal while preempt=gate", sent() <= quiet + 1)  # one may be under way
        gmp("set", str(p.pid), "preempt=signal")
        until("signals are sent again", lambda: sent() > quiet + 1)


@test
def a_program_started_without_the_signal_keeps_its_mode():
    with busy(GMP_PREEMPT="gate") as p:
        r = gmp("set", str(p.pid), "slice_us=700", "preempt=signal")
        fails(r, "preempt=gate still", "started without the signal")
        expect(r, r.out == "maxprocs=2 slice_us=700 preempt=gate\n")
        r = gmp("set", str(p.pid), "preempt=off")
        expect(r, r.code == 0 and r.out.endswith(" preempt=off\n"))


@test
def a_stopped_program_is_not_changed_later():
    with busy() as p:
        p.send_signal(signal.SIGSTOP)
        until("stopped", lambda: open(f"/proc/{p.pid}/stat").read().split(") ")[1][0] == "T")
        fails(gmp("set", str(p.pid), "maxprocs=1"), "does not answer", "nothing is changed")
        p.send_signal(signal.SIGCONT)
        expect(state(p), state(p).out.startswith("maxprocs=2 "))


@test
def a_program_with_one_thread_takes_it_over_with_its_next():
    with busy("alone") as p:
        r = state(p)
        expect(r, r.code == 0 and r.out == "maxprocs=2 slice_us=10000 preempt=signal\n" and not r.err)
        r = gmp("set", str(p.pid), "maxprocs=3")
        expect(r, r.code == 0 and "has one thread" in r.err and r.err.count("\n") == 1)
        expect(r, r.out == "maxprocs=2 slice_us=10000 preempt=signal\n")
        r = gmp("set", str(p.pid), "preempt=gate")  # and the other is not forgotten
        expect(r, r.code == 0 and "has one thread" in r.err)
        r = gmp("top", "--batch", "-n", "1", str(p.pid))
        expect(r, r.code == 0 and "gomaxprocs=2 idle=1 threads=1 " in r.out and "answer" not in r.out)
        p.stdin.write("\n")
        p.stdin.flush()
        expect("threads", p.stdout.readline() == "ready\n")
        expect(state(p), state(p).out == "maxprocs=3 slice_us=10000 preempt=gate\n")
        r = gmp("top", "--json", "-n", "1", str(p.pid))
        expect(r, '"gomaxprocs":3,' in r.out and '"gs":8,' in r.out)


@test
def words_stand_in_any_order():
    with busy() as p:
        r = gmp("set", "slice_us=2000", str(p.pid), "maxprocs=1")
        expect(r, r.code == 0 and r.out == "maxprocs=1 slice_us=2000 preempt=signal\n")


@test
def a_stale_page_is_said():
    with busy("exec", "/bin/sleep") as p:
        gmp("set", str(p.pid))
        p.stdin.write("x")
        p.stdin.flush()
        until("sleep runs", lambda: open(f"/proc/{p.pid}/comm").read() == "sleep\n")
        fails(gmp("set", str(p.pid), "maxprocs=1"), "executed another")


@test
def what_makes_no_sense_is_one_line():
    with busy(preload="") as other, busy() as p:
        pid = str(p.pid)
        for args, words in (([], "no process id"), (["x"], "not a process id"),
                            (["-z", pid], "no option '-z'"), ([pid, "-z"], "no option '-z'"),
                            (["maxprocs=1"], "no process id"), ([pid, pid], "not NAME=VALUE"),
                            (["4194304", "maxprocs=1"], "no process 4194304"),
                            ([str(other.pid), "maxprocs=1"], "does not run under the library"),
                            ([pid, "maxprocs"], "not NAME=VALUE"),
                            ([pid, "maxprocs=0"], "not a number in 1..4096 (count)"),
                            ([pid, "maxprocs=4097"], "not a number in 1..4096 (count)"),
                            ([pid, "maxprocs=-1"], "not a number in 1..4096 (count)"),
                            ([pid, "maxprocs="], "not a number in 1..4096 (count)"),
                            ([pid, "slice_us=99"], "not a number in 100..1000000 (us)"),
                            ([pid, "slice_us=1e3"], "not a number in 100..1000000 (us)"),
                            ([pid, "preempt=never"], "not one of signal, gate, off"),
                            ([pid, "trace=/tmp/x"], "cannot be set in a running program"),
                            ([pid, "nonsense=1"], "cannot be set in a running program")):
            fails(gmp("set", *args), words)
        expect(state(p), state(p).out == "maxprocs=2 slice_us=10000 preempt=signal\n")


@test
def a_program_of_another_user_is_refused():
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory() as d, busy() as p:
        os.chmod(d, 0o755)
        copy = shutil.copy(GMP, d)  # the build may lie where the other user cannot go
        done = subprocess.run([copy, "set", str(p.pid), "maxprocs=1"], user=12345, text=True,
                              capture_output=True, env=environment(), check=False)
        expect(done, done.returncode == 125 and done.stderr.count("\n") == 1 and
               "belongs to another user" in done.stderr)


main()
