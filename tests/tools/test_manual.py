"""Manual pages, completion and the gdb helper say what there is."""
import os
import re
import subprocess

from harness import BUILD, GMP, VICTIMS, Victim, environment, expect, gmp, main, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PAGES = [os.path.join(BUILD, "docs/man/gmp.1"), os.path.join(BUILD, "docs/man/libgmp-sched.7"),
         os.path.join(ROOT, "docs/man/gmprt.3")]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


@test
def the_pages_are_well_formed():
    for page in PAGES:
        done = subprocess.run(["groff", "-man", "-ww", "-z", page], capture_output=True, text=True,
                              check=False)
        expect((page, done.stderr), done.returncode == 0 and not done.stderr)


@test
def every_function_option_and_subcommand_has_its_place():
    header = read(os.path.join(ROOT, "runtime/gmprt.h"))
    page = read(PAGES[2])
    for name in re.findall(r"^GMPRT_WEAK [^(;]*?(\w+)\(", header, re.M):
        expect(name, len(re.findall(rf"\b{name}\b", page)) >= 2)
    options = re.findall(r"^(?:OPT|CHOICE)\((\w+)", read(os.path.join(ROOT, "runtime/opts.def")), re.M)
    page = read(PAGES[1])
    for name in options:
        expect(name, f".B GMP_{name.upper()}\n" in page)
    expect("a text's", ".B GMP_TRACE\nA text of at most 255 bytes; default: none.\n" in page)
    commands = re.findall(r"^SUBCOMMAND\((\w+)", read(os.path.join(ROOT, "tools/subcommands.def")), re.M)
    page = read(PAGES[0])
    for name in commands:
        expect(name, f".SS gmp {name}\n" in page)
        r = gmp(name, "--help")
        expect(r, r.code == 0 and "Examples:" in r.out and "Exit status:" in r.out)


def complete(*words):
    script = f". {ROOT}/tools/gmp.bash; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _gmp; " \
             "printf '%s\\n' \"${COMPREPLY[@]}\""
    done = subprocess.run(["bash", "-c", script, "x", os.path.abspath(GMP), *words], capture_output=True, text=True,
                          check=True, env=environment(), cwd=ROOT)
    return done.stdout.split("\n")[:-1]


@test
def completion_knows_subcommands_options_and_processes():
    expect("do", complete("do") == ["doctor"])
    expect("help d", {"doctor", "dump"} <= set(complete("help", "d")))
    expect("run --sl", complete("run", "--sl") == ["--slice_us"])
    expect("run tr", "true" in complete("run", "tru"))
    expect("dump --", "--json" in complete("dump", "--"))
    expect("set PID max", complete("set", "1", "max") == ["maxprocs="])
    expect("set PID preempt=g", complete("set", "1", "preempt", "=", "g") == ["gate"])
    expect("dump PID", str(os.getpid()) in complete("dump", ""))
    for option in ("--preempt", "="), ("--preempt",):
        expect(option, complete("run", *option, "g") == ["gate"])
    expect("run --pace=", sorted(complete("run", "--pace", "=")) == ["off", "on"])
    for before in ("--retake-us", "50"), ("-p", "2"), ("--preempt", "=", "gate"), ("--stats",), ("-q", "--"):
        expect(before, "true" in complete("run", *before, "tru"))
    for before in ("trace", "-o"), ("trace", "-d", "1"), ("run", "--trace", "="):
        expect(before, "README.md" in complete(*before, "READ"))
    expect("a number", complete("run", "-p", "") in ([], [""]))
    expect("set PID maxprocs=", complete("set", "1", "maxprocs", "=") in ([], [""]))
    expect("nothing of ours behind a command", complete("run", "true", "--sl") in ([], [""]))


@test
def gdb_lists_goroutines():
    with Victim(os.path.join(VICTIMS, "stuck"), "deadlock", GMP_MAXPROCS="1") as v:
        done = subprocess.run(["gdb", "-p", str(v.pid), "-batch", "-nx", "-ex",
                               f"source {ROOT}/tools/gmp-gdb.py", "-ex", "info gmp"],
                              capture_output=True, text=True, check=False, timeout=60,
                              env=environment(DEBUGINFOD_URLS=""))
        lines = [l for l in done.stdout.splitlines() if l.startswith("goroutine ")]
        expect(done, len(lines) == 3 and all("[syscall 202]" in l for l in lines))
        expect(done, "gomaxprocs=1 " in done.stdout)


main()
