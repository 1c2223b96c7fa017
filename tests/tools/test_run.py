"""gmp, gmp run: usage, environment, exit codes."""
import os
import stat
import tempfile

from harness import GMP, LIBRARY, environment, expect, fails, gmp, main, test


def shell(*options, script, env=None):
    return gmp("run", *options, "--", "sh", "-c", script, env=env)


@test
def no_or_unknown_subcommand_is_one_line():
    fails(gmp(), "no subcommand", "--help")
    fails(gmp("help", "nosuch"), "no subcommand 'nosuch'")
    fails(gmp("fly"), "'fly'", "--help")
    fails(gmp("help", "fly"), code=125)


@test
def help_and_version_go_to_stdout():
    for args in (("--help",), ("help",), ("--version",), ("run", "--help"), ("help", "run"),
                 ("doctor", "--help")):
        r = gmp(*args)
        expect(r, r.code == 0 and r.out and not r.err)
    for name in ("run", "doctor"):
        expect(name, "Examples:" in gmp(name, "--help").out)


@test
def help_of_the_command_is_the_commands():
    r = gmp("run", "ls", "--help")
    expect(r, r.code == 0 and "directory" in r.out)


@test
def a_full_disk_is_not_an_answer():
    with open("/dev/full", "w", encoding="ascii") as full:
        import subprocess
        done = subprocess.run([GMP, "--help"], stdout=full, stderr=subprocess.PIPE, text=True,
                              env=environment(), check=False)
    expect(done, done.returncode == 125 and "cannot write" in done.stderr)


@test
def options_reach_the_library():
    r = shell("-p", "3", "--slice-us=500", "--stats", "--preempt", "Gate",
              script="echo $GMP_MAXPROCS $GMP_SLICE_US $GMP_STATS $GMP_PREEMPT; echo $LD_PRELOAD")
    expect(r, r.out == f"3 500 1 Gate\n{os.path.realpath(LIBRARY)}\n" and not r.err)
    expect("-pN", shell("-p7", script="echo $GMP_MAXPROCS").out == "7\n")
    expect("--maxprocs", shell("--maxprocs=7", script="echo $GMP_MAXPROCS").out == "7\n")
    r = gmp("run", "-p", "3", "--help=1", "--", "true")
    expect(r, "GMP_MAXPROCS=3" in r.err)


@test
def an_earlier_preload_stays_behind_ours():
    r = shell(script="echo $LD_PRELOAD", env=environment(LD_PRELOAD="libm.so.6"))
    expect(r, r.out == f"{os.path.realpath(LIBRARY)}:libm.so.6\n")


@test
def bad_options_are_one_line():
    fails(gmp("run"), "no command")
    fails(gmp("run", "-p", "2"), "no command")
    fails(gmp("run", "-p"), "-p needs")
    fails(gmp("run", "--slice-us"), "--slice-us needs")
    for bad in ("0", "x", "-1", "4097", "", "1 ", "99999999999999999999"):
        fails(gmp("run", "-p", bad, "--", "true"), "-p '", "1..4096")
    fails(gmp("run", "--preempt=never", "--", "true"), "signal, gate, off")
    fails(gmp("run", "--nice", "--", "true"), "no option '--nice'")
    fails(gmp("run", "-x", "--", "true"), "no option '-x'")


@test
def exit_codes_are_those_of_env():
    expect("0", gmp("run", "true").code == 0)
    expect("7", shell(script="exit 7").code == 7)
    expect("a signal stays one", shell(script="kill -TERM $$").code == -15)
    fails(gmp("run", "no-such-command"), "cannot execute 'no-such-command'", code=127)
    fails(gmp("run", "/no/such/command"), code=127)
    fails(gmp("run", "/tmp"), "cannot execute '/tmp'", code=126)
    with tempfile.NamedTemporaryFile() as f:
        os.chmod(f.name, stat.S_IRUSR)
        fails(gmp("run", f.name), "cannot execute", code=126)


@test
def a_program_out_of_reach_is_named_and_runs():
    r = gmp("run", "/sbin/ldconfig", "--version")
    expect(r, r.code == 0 and r.out)
    fails(r, "static", code=0)
    r = gmp("run", "-q", "/sbin/ldconfig", "--version")
    expect(r, r.code == 0 and not r.err)


main()
