#!/usr/bin/python3
"""Every memory-order pairing has all its sides and one entry in the book.

  pairs.py SOURCE_ROOT

A comment at an atomic operation names the pairing it is a side of: `@pair tag`.  A tag needs two
sides or more in asm/, runtime/ and preload/, and exactly one entry in docs/MEMORY_MODEL.md: a
heading `### tag` or a table row `| tag |` (backticks allowed).  An entry whose tag is gone from the
code is a fault too.  Prints one line a fault; exit 1 when there is one.
"""
import os
import re
import sys

SIDE = re.compile(r"@pair\s+([a-z][a-z0-9_]*)")
# A comment may break its line between the word and the tag.
BREAK = re.compile(r"@pair\s*\n\s*(?:\*|//)?\s*")
ENTRY = re.compile(r"^(?:#{2,4}\s+|\|\s*)(?:@pair\s+)?`?(?:@pair\s+)?([a-z][a-z0-9_]*)`?\s*(?:\||:|$)")
LAYERS = ("asm", "runtime", "preload")


def sides(root):
    found = {}
    for layer in LAYERS:
        for directory, _, files in os.walk(os.path.join(root, layer)):
            for f in sorted(files):
                if not f.endswith((".c", ".h", ".S", ".def")):
                    continue
                path = os.path.join(directory, f)
                with open(path, encoding="utf-8") as fp:
                    text = BREAK.sub("@pair ", fp.read())
                for m in SIDE.finditer(text):
                    line = text.count("\n", 0, m.start()) + 1
                    where = f"{os.path.relpath(path, root)}:{line}"
                    found.setdefault(m.group(1), []).append(where)
    return found


def entries(book):
    found = {}
    with open(book, encoding="utf-8") as lines:
        for n, line in enumerate(lines, 1):
            m = ENTRY.match(line)
            if m:
                found.setdefault(m.group(1), []).append(n)
    return found


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = sys.argv[1]
    book = os.path.join(root, "docs", "MEMORY_MODEL.md")
    if not os.path.exists(book):
        sys.exit("gmp: pairs: docs/MEMORY_MODEL.md is missing")
    code, doc, faults = sides(root), entries(book), []
    for tag, where in sorted(code.items()):
        if len(where) < 2:
            faults.append(f"{where[0]}: @pair {tag} has no other side")
        n = len(doc.get(tag, []))
        if n != 1:
            faults.append(f"docs/MEMORY_MODEL.md: {n} entries for @pair {tag}, want 1")
    for tag, lines in sorted(doc.items()):
        if tag not in code and tag not in HEADINGS:
            faults.append(f"docs/MEMORY_MODEL.md:{lines[0]}: @pair {tag} is nowhere in the code")
    for f in faults:
        print("gmp: pairs: " + f)
    sys.exit(1 if faults else 0)


# First cells of table headings, which look like entries.
HEADINGS = {"tag", "pair", "name", "order", "field"}

main()
