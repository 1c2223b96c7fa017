#!/usr/bin/python3
"""preload/own_calls.def names every system call that runtime/ makes.

  own_calls.py SOURCE_ROOT

A host's seccomp filter is asked about these before it comes into force: one that is missing ends
the host.  Prints one line a fault; exit 1 when there is one.
"""
import glob
import os
import re
import sys


def numbers(paths, pattern):
    found = set()
    for path in paths:
        with open(path, encoding="utf-8") as fp:
            found |= set(re.findall(pattern, fp.read()))
    return found


def main():
    root = sys.argv[1]
    made = numbers(glob.glob(os.path.join(root, "runtime", "os_*.c")), r"\b(?:__NR|SYS)_(\w+)")
    named = numbers([os.path.join(root, "preload", "own_calls.def")], r"(?m)^OWN\((\w+),")
    for name in sorted(made - named):
        print(f"preload/own_calls.def: {name} is missing; runtime/ makes it")
    sys.exit(bool(made - named))


main()
