"""A busy program for the tests of top and trace, under the library."""
import contextlib
import os
import subprocess
import time

from harness import LIBRARY, VICTIMS, environment


@contextlib.contextmanager
def busy(*args, preload=LIBRARY, **env):
    p = subprocess.Popen([os.path.join(VICTIMS, "busy"), *args], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, text=True,
                         env=environment(LD_PRELOAD=preload, GMP_MAXPROCS="2", **env))
    try:
        assert p.stdout.readline() == "ready\n"
        yield p
    finally:
        p.kill()
        p.wait()
        p.stdin.close()
        p.stdout.close()


def until(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("never: " + what)
        time.sleep(0.05)
