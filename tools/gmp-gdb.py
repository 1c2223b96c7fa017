"""gdb: `source gmp-gdb.py`, then `info gmp` lists the goroutines of a program under the library.

Works on running programs and core files.  Needs the library's debug information.
"""
import gdb

STATUS = ("idle", "runnable", "running", "syscall", "waiting", "dead")
HOLD = ("kept", "asked", "lost", "?")
CALL_NONE = 0xffff


def word(value):
    """The plain value of a wrapped atomic."""
    return int(value["v"])


def threads_by_tid():
    inferior = gdb.selected_inferior()
    return {t.ptid[1] or t.ptid[2]: t for t in inferior.threads()}


def live(sched):
    m = sched["allm"]["v"]
    while int(m):
        if word(m["live"]):
            yield m
        m = m["alllink"]


class InfoGmp(gdb.Command):
    """List goroutines: id, status, P, system call, thread.  `thread N` then `bt` for the stack."""

    def __init__(self):
        super().__init__("info gmp", gdb.COMMAND_STATUS)

    def invoke(self, arg, from_tty):
        try:
            sched = gdb.parse_and_eval("'runtime/proc.c'::sched")
        except gdb.error:
            try:
                sched = gdb.parse_and_eval("sched")
                sched["allm"]
            except gdb.error as e:
                raise gdb.GdbError(f"gmp: no library, or no debug information of it: {e}")
        threads = threads_by_tid()
        print(f"gomaxprocs={word(sched['gomaxprocs'])} idleprocs={word(sched['npidle'])} "
              f"waiting={word(sched['nwait'])}")
        for m in sorted(live(sched), key=lambda m: int(m["g"]["goid"])):
            g, tid = m["g"], int(m["tid"])
            status, hold, call = word(g["status"]), word(g["hold"]), word(g["callno"]) & CALL_NONE
            text = STATUS[status] if status < len(STATUS) else "?"
            if text == "syscall" and call != CALL_NONE:
                text += f" {call}"
            p = "-" if HOLD[hold & 3] == "lost" else str((hold & 0xffffffff) >> 2)
            thread = threads.get(tid)
            name = f"Thread {thread.num} \"{thread.name}\"" if thread else "no thread"
            print(f"goroutine {int(g['goid'])} [{text}] p={p} tid={tid} {name}")


InfoGmp()
