#!/usr/bin/python3
"""Holds the table, the sources, the tests and the documentation against what libc is known to do.

  facts.py SOURCE_ROOT             checks; one line a fault, exit 1 when there is one
  facts.py SOURCE_ROOT --write     writes docs/INTERCEPTED.md anew

preload/facts.csv has a line for each function of libc that can block, and for each that somebody
might think can, measured with glibc 2.36:
  name, family
  names    all names it goes by, with their versions
  class    how it may block, all that its row's expression may say: never may_wait will_wait
           compose, or try; callback: it runs code of the host's
  syscall  the kernel's name of the call that lasts
  cancel   yes: a cancellation point of libc
  restart  what a handler does to it: restarts always, with SA_RESTART, never; - not known, or no wait
  how      row, try, hand: a CALL, READ or VCALL, TRY or LOCK, HAND row of preload/calls.def
           source: no row that brackets, but defined all the same; why says what for
           pass:   not defined: it runs the host's code, whose own calls have gates
           never:  not defined: it cannot block
           number: a system call without a function, in preload/by_number.def
  why      one line

Checked: each row of the table has its line and agrees with it in names, class and number, and the
other way round; nothing is exported without a line; no `pass` or `never` is exported, or wanted by
a row; the numbers of by_number.def are those of the lines; a row
returns by a jump (RETURNS) if and only if it is in the kernel at each call; young.def is what is
newer than the oldest libc; a test row that is marked POINT is a cancellation point; the documentation is what --write would write.
"""
import csv
import glob
import os
import re
import sys

import exports
from exports import lines_of, read, unquote

CLASSES = {"NEVER": "never", "BRIEF": "may_wait", "MAY_WAIT": "may_wait",
           "MAY_READ": "may_wait", "MAY_WRITE": "may_wait", "READY": "will_wait",
           "WILL_WAIT": "will_wait", "COMPOSE": "compose"}
# Classes, and parts of one, by which a call may queue first: the row must be a READ.
QUEUES = ("MAY_READ", "QUEUES")
ORDER = ["never", "may_wait", "will_wait", "compose"]
HOW = {"row": ("CALL", "READ", "VCALL", "VARIADIC"), "try": ("TRY", "LOCK"), "hand": ("HAND",)}
# What libc does without the kernel, often: a free lock, what is in a buffer, the vDSO (2.41).
SPARED = re.compile(r"\b(compose|futex|readdir|readdir_r|stdio\w*|random)\b")
DOC = "docs/INTERCEPTED.md"
faults = []


def fault(text):
    faults.append("gmp: facts: " + text)


def facts(root):
    with open(os.path.join(root, "preload/facts.csv"), encoding="utf-8", newline="") as f:
        lines = list(csv.DictReader(f))
    names = [l["name"] for l in lines]
    for name in sorted({n for n in names if names.count(n) > 1}):
        fault("facts.csv: %s has two lines" % name)
    for l in lines:
        if l["how"] in ("source", "pass", "number") and not l["why"]:
            fault("facts.csv: %s: %s needs a reason" % (l["name"], l["how"]))
    return lines


def helpers(root):
    """The functions that class expressions call: name -> body."""
    found = {}
    for path in sorted(glob.glob(os.path.join(root, "preload", "*.[ch]"))):
        text = read(root, os.path.relpath(path, root))
        for m in re.finditer(r"u64 (\w+)\([^)]*\)\n{(.*?)^}", text, re.M | re.S):
            found[m[1]] = m[2]
    return found


def classes(expression, bodies, seen=()):
    """All that a class expression may come to."""
    found = set()
    for word in re.findall(r"\w+", expression):
        if word in CLASSES:
            found.add(CLASSES[word])
        elif word in bodies and word not in seen:
            found |= set(classes(bodies[word], bodies, seen + (word,)).split("/"))
    return "/".join(c for c in ORDER if c in found)


def queues(expression, bodies, seen=()):
    """Whether a class expression may come to one that queues first."""
    return any(word in QUEUES or
               (word in bodies and word not in seen and queues(bodies[word], bodies, seen + (word,)))
               for word in re.findall(r"\w+", expression))


def rows(root):
    """name -> kind, class, syscall, names (those of a version with it)."""
    bodies, found = helpers(root), {}
    for kind, args in lines_of(root):
        if kind in ("CALL", "READ", "VARIADIC"):
            found[args[1]] = [kind, classes(args[3], bodies), args[4], {args[1]}]
            if kind != "READ" and queues(args[3], bodies):
                fault("%s may queue first: it must be a READ row" % args[1])
        elif kind == "VCALL":
            name = unquote(args[2]) + unquote(args[4]) + unquote(args[3])
            found[args[1]] = [kind, classes(args[5], bodies), args[6], {name}]
        elif kind in ("TRY", "LOCK"):
            found[args[1]] = [kind, "try", args[4 if kind == "TRY" else 5], {args[1]}]
        elif kind == "HAND":
            found[args[1]] = [kind, None, None, {args[1]}]
        elif kind in ("ALIAS", "TRY_ALIAS"):
            found[args[1]][3].add(args[0])
        elif kind == "VALIAS":
            found[args[1]][3].add(unquote(args[2]) + unquote(args[4]) + unquote(args[3]))
    return found


def bare(names):
    return {n.split("@")[0] for n in names}


def check_row(line, row):
    name, (kind, cls, nr, names) = line["name"], row
    if kind not in HOW[line["how"]]:
        fault("%s is a %s row, facts.csv says %s" % (name, kind, line["how"]))
    if cls is not None and cls != line["class"]:
        fault("%s: its row's class may be %s, facts.csv says %s" % (name, cls, line["class"]))
    if nr is not None and nr != "SYS_" + line["syscall"]:
        fault("%s: its row says %s, facts.csv %s" % (name, nr, line["syscall"]))
    if kind == "HAND":
        return
    known = set(line["names"].split())
    if kind != "VCALL":
        known = bare(known)
    for n in sorted(known ^ names):
        fault("%s: the name %s is in %s only" % (name, n, "facts.csv" if n in known else
                                                 "the table"))


def check_table(lines, table, exported):
    for l in lines:
        if l["how"] in ("hand", "source"):
            for name in sorted(bare(l["names"].split()) - exported):
                fault("%s is not exported, facts.csv says %s" % (name, l["how"]))
        if l["how"] in HOW:
            if l["name"] in table:
                check_row(l, table[l["name"]])
            else:
                fault("%s is in facts.csv as %s, and no row" % (l["name"], l["how"]))
            continue
        if l["name"] in table:
            fault("%s is a row, facts.csv says %s" % (l["name"], l["how"]))
        there = bare(l["names"].split()) & exported
        if l["how"] in ("pass", "never") and there:
            fault("%s is exported, facts.csv says %s" % (" ".join(sorted(there)), l["how"]))
    known = set().union(*(bare(l["names"].split()) for l in lines))
    for name in sorted(exported - known):
        if not name.startswith("gmp_"):
            fault("%s is exported and has no line in facts.csv" % name)
    for name in sorted(set(table) - {l["name"] for l in lines}):
        fault("%s is a row and has no line in facts.csv" % name)


def check_numbers(root, lines):
    numbers = set(re.findall(r"^NR\((\w+),", read(root, "preload/by_number.def"), re.M))
    through = set(re.findall(r"THROUGH_LIBC\(__NR_(\w+),", read(root, "preload/special.c")))
    hand = set(re.findall(r"\bnr == SYS_(\w+)", read(root, "preload/special.c")))
    wanted = {l["syscall"]: l["name"] for l in lines
              if l["how"] in ("row", "try", "hand", "number") and l["syscall"]}
    for nr in sorted(set(wanted) - numbers - through - hand):
        fault("%s waits in %s, which is not in by_number.def" % (wanted[nr], nr))
    for nr in sorted(numbers - set(wanted)):
        fault("by_number.def: nothing in facts.csv waits in %s" % nr)


def check_returns(root, lines):
    """A row is among those that return by a jump just where libc cannot do without the kernel."""
    text = read(root, "preload/calls.def")
    part = text.split("#define RETURNS AFTER_SYSCALL")[1].split("#undef RETURNS")[0]
    jumps = set(re.findall(r"^(?:CALL|READ)\(\w+, (\w+)", part, re.M))
    for l in lines:
        spared = bool(SPARED.search(" ".join(l[k] for k in ("name", "family", "class", "syscall"))))
        if l["how"] == "row" and spared == (l["name"] in jumps):
            fault("%s is on the wrong side of RETURNS: libc makes its call %s"
                  % (l["name"], "only if it must" if spared else "each time"))


def is_young(names):
    """No version of it is as old as the oldest libc that we run with; none known: newer than all."""
    return all(tuple(int(n) for n in v.split(".")) > exports.FLOOR
               for v in re.findall(r"@GLIBC_([0-9.]+)", names))


def check_young(root, lines):
    have = re.findall(r"^YOUNG\((\w+)\)", read(root, "preload/young.def"), re.M)
    want = sorted(l["name"] for l in lines
                  if l["how"] in ("row", "try", "hand", "source") and is_young(l["names"]))
    for name in sorted(set(have) ^ set(want)):
        fault("%s is %s young.def" % (name, "not in" if name in want else "older than all of"))
    if have != sorted(have):
        fault("young.def is not sorted")



def check_tests(root, lines):
    cancel = {l["name"]: l["cancel"] for l in lines}
    for path in sorted(glob.glob(os.path.join(root, "tests/progs/preload/rows_*.c"))):
        for m in re.finditer(r"^ROW\((\w+), ([^,.]*)", read(root, os.path.relpath(path, root)),
                             re.M):
            if cancel.get(m[1]) == "no" and re.search(r"\bPOINT\b", m[2]):
                fault("%s: %s is no cancellation point" % (os.path.basename(path), m[1]))


HEAD = """# What is intercepted

Written by `tools/lint/facts.py . --write` from `preload/facts.csv`, which says what the words mean;
do not edit.  Facts of glibc 2.36 on x86-64.

%s

A function that this libc lacks is looked up at run time, and missing it is no error.  `dlsym` does not
find ours then.  A weak reference to it does, which the loader bound before we could know: such a call
fails with ENOSYS, and the three `arc4random` do their work.  Before glibc 2.34 libpthread, librt,
libresolv, libanl and libutil may come later, with a plug-in: until then their functions are found,
and fail with ENOSYS.

The library itself needs nothing newer than glibc 2.31, but for `dlsym` and its kin and
two `pthread_` functions, which glibc 2.34 moved into libc.so: build it on the kind of host that it
is to run on.

"""
TITLES = [("row try hand", "Bracketed", "name class syscall cancel restart why"),
          ("number", "Bracketed in `syscall(2)` alone", "name class why"),
          ("source", "Defined for another reason than blocking", "names why"),
          ("pass", "Passed through: they run the host's code", "names why"),
          ("never", "Not intercepted: they cannot block", "names why")]


def cell(line, column):
    if column == "names":
        return " ".join("`%s`" % n for n in sorted(bare(line["names"].split())))
    if column == "name":
        others = sorted(bare(line["names"].split()) - {line["name"]})
        return " ".join("`%s`" % n for n in [line["name"]] + others)
    return line[column]


def document(lines):
    counts = ["%d %s" % (sum(l["how"] in how.split() for l in lines),
                         title.split(":")[0].lower()) for how, title, _ in TITLES]
    out = HEAD % (", ".join(counts) + ".")
    for how, title, columns in TITLES:
        out += "## %s\n\n| family | %s |\n|---%s|\n" % (
            title, " | ".join(columns.split()), "|---" * len(columns.split()))
        for l in lines:
            if l["how"] in how.split():
                out += "| %s | %s |\n" % (l["family"],
                                          " | ".join(cell(l, c) for c in columns.split()))
        out += "\n"
    return out.rstrip("\n") + "\n"


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else "."
    lines = facts(root)
    path = os.path.join(root, DOC)
    if sys.argv[2:] == ["--write"]:
        with open(path, "w", encoding="utf-8") as f:
            f.write(document(lines))
        return 0
    exported = exports.table(root)
    exports.handwritten(root, exported)
    check_table(lines, rows(root), set(exported))
    check_numbers(root, lines)
    check_returns(root, lines)
    check_young(root, lines)
    check_tests(root, lines)
    with open(path, encoding="utf-8") as f:
        if f.read() != document(lines):
            fault("%s is not what facts.py --write writes" % DOC)
    print("\n".join(faults) if faults else "facts: %d lines agree" % len(lines))
    return 1 if faults else 0


sys.exit(main())
