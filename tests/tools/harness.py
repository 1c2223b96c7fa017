"""What the tests of the gmp command share: running it, checking it, counting.

Each test is a function with @test; its name is a sentence.  main() runs all, or those whose names
hold a word of the command line, and prints `N passed, N failed`.
"""
import os
import resource
import signal
import subprocess
import sys
import time
import traceback

BUILD = os.environ.get("BUILD_DIR", "build")
GMP = os.path.join(BUILD, "tools", "gmp")
LIBRARY = os.path.join(BUILD, "libgmp.so")
VICTIMS = os.path.join(BUILD, "tests", "tools")
DEADLINE = 30

tests = []


def test(function):
    tests.append(function)
    return function


def environment(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GMP_", "LD_PRELOAD"))}
    env.update(more)
    return env


class Result:
    def __init__(self, args, done):
        self.args, self.code, self.out, self.err = args, done.returncode, done.stdout, done.stderr

    def __str__(self):
        return f"gmp {' '.join(self.args)}: exit {self.code}\n-- out:\n{self.out}\n-- err:\n{self.err}"


def gmp(*args, env=None, **more):
    """Runs the command to its end."""
    done = subprocess.run([GMP, *args], env=env or environment(), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, errors="replace", timeout=DEADLINE,
                          check=False, **more)
    return Result(args, done)


def cpu_seconds():
    """CPU time of all commands so far: what a loaded machine does not make longer."""
    use = resource.getrusage(resource.RUSAGE_CHILDREN)
    return use.ru_utime + use.ru_stime


def expect(what, value):
    if not value:
        raise AssertionError(str(what))


def fails(result, *words, code=125):
    """One line on stderr, with these words in it, and the code."""
    expect(f"{result}\n-- wanted exit {code}", result.code == code)
    expect(f"{result}\n-- wanted one line", result.err.count("\n") == 1)
    expect(f"{result}\n-- wanted it to begin with gmp:", result.err.startswith("gmp: "))
    for word in words:
        expect(f"{result}\n-- wanted {word!r}", word in result.err)


class Victim:
    """A program in the background that prints a line when it is ready."""

    def __init__(self, *argv, preload=True, **env):
        if preload:
            env.setdefault("LD_PRELOAD", LIBRARY)
            env.setdefault("GMP_ON_BUG", "abort")
        self.process = subprocess.Popen(argv, env=environment(**env), stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        start_new_session=True)
        self.pid = self.process.pid
        self.ready = self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            os.killpg(self.pid, signal.SIGKILL)  # its children too, which hold our pipes
        except ProcessLookupError:
            pass
        if not self.process.stdout.closed:
            self.process.communicate(timeout=DEADLINE)

    def finish(self):
        """Ends it by closing its input; its exit code and what it said."""
        out, err = self.process.communicate(timeout=DEADLINE)
        return self.process.returncode, out, err


def wait_until(what, condition, seconds=DEADLINE, pause=0.005, explain=lambda: ""):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s\n{explain()}")
        time.sleep(pause)


def main():
    passed = failed = 0
    for function in tests:
        name = function.__name__.replace("_", " ")
        if len(sys.argv) > 1 and not any(word in name for word in sys.argv[1:]):
            continue
        try:
            function()
            passed += 1
        except Exception:  # whatever went wrong, the others still run
            failed += 1
            print(f"FAIL: {name}")
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)
