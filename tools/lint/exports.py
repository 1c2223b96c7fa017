#!/usr/bin/python3
"""Keeps the interposition table, the sources and the built library in step.

  exports.py [SOURCE_ROOT [BUILD_DIR]]

The names that may be exported are:
  - preload/calls.def and the files that it includes: all rows but REAL, and the lines that give
    them other names;
  - preload/*.c: EXPORT_ALIAS lines, and statements that say both EXPORT and __asm__("name");
  - asm/*.S: FUNC_EXPORT, and .set of another name for one;
  - runtime/gmprt.h: GMPRT_WEAK declarations (the optional API).
Every one of them must be exported by BUILD_DIR/libgmp.so, with the version its row gives it and no
version otherwise, and nothing else may be.  In the table: no name twice, each family opened once,
every alias's target a row of the kind that its macro wants.  What the library needs of libc must be
as old as FLOOR.  Prints one line a fault; exit 1 when there is one.
"""
import os
import re
import subprocess
import sys

ROWS = ("CALL", "READ", "VCALL", "VARIADIC", "TRY", "LOCK", "TAKE", "DROP", "HAND", "HOOK",
        "REAL")
# What other names are of.
TARGET = {"ALIAS": ("CALL", "READ", "VARIADIC"), "TRY_ALIAS": ("TRY", "LOCK"),
          "LOCK_ALIAS": ("TAKE", "DROP"), "VALIAS": ("VCALL",)}

# The newest version of libc's symbols that the library may need, and what 2.34 moved into libc.so
# from libpthread and libdl: built there or later, it needs these from there (README.md, Limits).
FLOOR = (2, 31)
MOVED = {"dladdr", "dladdr1", "dlerror", "dlopen", "dlsym", "dlvsym",
         "pthread_attr_setstacksize", "pthread_key_create", "pthread_setspecific"}

faults = []


def fault(text):
    faults.append("gmp: exports: " + text)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return re.sub(r"/\*.*?\*/", lambda m: "\n" * m[0].count("\n"), f.read(), flags=re.S)


def split(text):
    """The arguments of a macro, which may hold commas in parentheses or strings."""
    args, depth, start = [], 0, 0
    for i, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            args.append(text[start:i])
            start = i + 1
    return [" ".join(a.split()) for a in args + [text[start:]]]


def lines_of(root):
    """The table's lines in order: (macro, arguments)."""
    text = re.sub(r'^#include "(.*)"$', lambda m: read(root, m[1]), read(root, "preload/calls.def"),
                  flags=re.M)
    text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$|^\tROW\(.*$", "", text, flags=re.M)
    for m in re.finditer(r"^(\w+)\((.*?)\)(?=\s*(?:\Z|^\w+\())", text, flags=re.M | re.S):
        yield m[1], split(m[2])


def unquote(text):
    return text.strip('"')


def table(root):
    """Exported name -> version suffix ("" for none); checks the table itself."""
    rows, exported, families = {}, {}, set()
    for kind, args in lines_of(root):
        if kind == "FAMILY":
            if args[0] in families:
                fault("calls.def: family %s is opened twice" % args[0])
            families.add(args[0])
            continue
        if not families:
            fault("calls.def: %s(%s) stands before the first FAMILY" % (kind, args[0]))
        if kind in TARGET:
            if rows.get(args[1]) not in TARGET[kind]:
                fault("calls.def: %s(%s): %s is no %s row" %
                      (kind, args[0], args[1], " or ".join(TARGET[kind])))
            name, version = args[0], ""
            if kind == "VALIAS":
                name, version = unquote(args[2]), unquote(args[4]) + unquote(args[3])
        elif kind in ROWS:
            if args[1] in rows:
                fault("calls.def: %s is a row twice" % args[1])
            rows[args[1]] = kind
            if kind == "REAL":
                continue
            name, version = args[1], ""
            if kind == "VCALL":
                name, version = unquote(args[2]), unquote(args[4]) + unquote(args[3])
        else:
            fault("calls.def: no such macro: %s" % kind)
            continue
        add(exported, name, version, "calls.def")
    return exported


def add(exported, name, version, where):
    versions = exported.setdefault(name, set())
    if version in versions or (versions and not (version and all(versions))):
        fault("%s: %s%s is exported twice" % (where, name, version))
    versions.add(version)


def handwritten(root, exported):
    """What the sources export by themselves."""
    for name in sorted(os.listdir(os.path.join(root, "preload"))):
        if not name.endswith(".c"):
            continue
        path = "preload/" + name
        text = read(root, path)
        text = re.sub(r"^[ \t]*#(?:.*\\\n)*.*$", "", text, flags=re.M)
        for m in re.finditer(r"\bEXPORT_ALIAS\((\w+),", text):
            add(exported, m[1], "", path)
        for m in re.finditer(r"[^;{}]*\bEXPORT\b[^;{}]*;", text):
            label = re.search(r'__asm__\s*\(\s*"(\w+)"\s*\)', m[0])
            if label:
                add(exported, label[1], "", path)
    for name in sorted(os.listdir(os.path.join(root, "asm"))):
        if name.endswith(".S"):
            text = read(root, "asm/" + name)
            for m in re.finditer(r"^\s*FUNC_EXPORT\s+(\w+)", text, re.M):
                add(exported, m[1], "", "asm/" + name)
            for m in re.finditer(r"^\s*\.set\s+(\w+),\s*(\w+)", text, re.M):
                if m[2] in exported:
                    add(exported, m[1], "", "asm/" + name)
    if os.path.exists(os.path.join(root, "runtime/gmprt.h")):
        for m in re.finditer(r"^GMPRT_WEAK [^(;]*?(\w+)\(", read(root, "runtime/gmprt.h"), re.M):
            add(exported, m[1], "", "gmprt.h")


def built(library):
    """Exported name -> versions, as the loader sees them."""
    out = subprocess.run(["readelf", "--dyn-syms", "-W", library], check=True,
                         capture_output=True, text=True).stdout
    found = {}
    for line in out.split("\n"):
        col = line.split()
        if len(col) != 8 or col[4] not in ("GLOBAL", "WEAK") or col[6] in ("UND", "ABS"):
            continue
        name, at, version = re.match(r"([^@]+)(@*)(.*)", col[7]).groups()
        found.setdefault(name, set()).add(at + version)
    return found


def needs(library):
    """Nothing newer than the floor is needed: newer functions are looked up at run time."""
    out = subprocess.run(["objdump", "-T", library], check=True, capture_output=True,
                         text=True).stdout
    for m in re.finditer(r"\*UND\*\s+\S+\s+\(?GLIBC_([0-9.]+)\)?\s+(\w+)", out):
        version = tuple(int(n) for n in m[1].split("."))
        if version > FLOOR and not (m[2] in MOVED and version == (2, 34)):
            fault("%s@GLIBC_%s is needed, which is newer than %s" %
                  (m[2], m[1], ".".join(map(str, FLOOR))))


def compare(exported, found):
    for name in sorted(exported.keys() | found.keys()):
        want, have = exported.get(name, set()), found.get(name, set())
        for version in sorted(want - have):
            fault("%s%s is in the tables, but the library does not export it" % (name, version))
        for version in sorted(have - want):
            fault("%s%s is exported, but is in no table and has no EXPORT" % (name, version))


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    library = os.path.join(sys.argv[2] if len(sys.argv) > 2 else os.path.join(root, "build"),
                           "libgmp.so")
    exported = table(root)
    handwritten(root, exported)
    if not os.path.exists(library):
        fault("%s does not exist; build first" % library)
    else:
        compare(exported, built(library))
        needs(library)
    print("\n".join(faults) if faults else
          "exports: %d names, as the tables say" % len(exported))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
