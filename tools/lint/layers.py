#!/usr/bin/python3
"""Keeps the layers one way: asm <- runtime <- preload, and nothing of ours under examples/.

  layers.py SOURCE_ROOT [BUILD_DIR]

Checks the includes of every source file, and, with a build directory, the undefined symbols of the
two lower archives: runtime may need symbols of asm and mem{cpy,set,move,cmp}, asm needs nothing but
the calls of vfork upward.  Prints one line a fault; exit 1 when there is one.
"""
import os
import re
import subprocess
import sys

MAY_USE = {
    "asm": {"asm"},
    "runtime": {"asm", "runtime"},
    "preload": {"asm", "runtime", "preload"},
    "examples": set(),
}
COMPILER = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "limits.h", "stdalign.h",
            "immintrin.h", "x86intrin.h", "cpuid.h", "cet.h"}
UAPI = re.compile(r"^(linux|asm|asm-generic)/")
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')
MEM = {"memcpy", "memset", "memmove", "memcmp"}
# The names that the linker defines itself.
LINKER = {"_GLOBAL_OFFSET_TABLE_"}
UPWARD_OF_ASM = {"gmp_vfork_enter", "gmp_vfork_leave", "gmp_syscall_errno"}

faults = []


def fault(text):
    faults.append("gmp: layers: " + text)


def check_include(layer, where, kind, name):
    if kind == '"':
        top = name.split("/")[0]
        if "/" not in name:
            fault(f'{where}: "{name}" is not named from the root')
        elif top not in MAY_USE[layer]:
            fault(f'{where}: {layer}/ may not use "{name}"')
    elif layer in ("asm", "runtime") and name not in COMPILER and not UAPI.match(name):
        fault(f"{where}: {layer}/ may not use <{name}>: compiler and kernel headers only")
    elif layer == "examples" and name == "gmprt.h":
        fault(f"{where}: examples are unmodified programs, without a header of ours")


def check_sources(root):
    for layer in MAY_USE:
        for directory, _, files in os.walk(os.path.join(root, layer)):
            for f in sorted(files):
                if not f.endswith((".c", ".h", ".S", ".def")):
                    continue
                path = os.path.join(directory, f)
                with open(path, encoding="utf-8") as lines:
                    for n, line in enumerate(lines, 1):
                        m = INCLUDE.match(line)
                        if m:
                            where = f"{os.path.relpath(path, root)}:{n}"
                            check_include(layer, where, m.group(1), m.group(2))


def symbols(archive):
    """Defined and undefined names of an archive; undefined ones with the member that wants them."""
    out = subprocess.run(["nm", "-A", "-P", archive], capture_output=True, text=True, check=True)
    defined, undefined = set(), {}
    for line in out.stdout.splitlines():
        member, _, rest = line.rpartition(": ")
        fields = rest.split()
        if len(fields) < 2:
            continue
        if fields[1] in "Uwv":
            undefined.setdefault(fields[0], member)
        elif fields[1].isupper():
            defined.add(fields[0])
    return defined, undefined


def check_archive(archive, allowed):
    defined, undefined = symbols(archive)
    for name, member in sorted(undefined.items()):
        if name not in defined | allowed | LINKER:
            fault(f"{member} needs {name}, which is neither its own nor of a layer below")
    return defined


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    check_sources(sys.argv[1])
    if len(sys.argv) == 3:
        asm = os.path.join(sys.argv[2], "asm", "libasm.a")
        runtime = os.path.join(sys.argv[2], "runtime", "libruntime.a")
        of_asm = check_archive(asm, UPWARD_OF_ASM)
        check_archive(runtime, of_asm | MEM)
    print("\n".join(faults), end="\n" if faults else "")
    sys.exit(1 if faults else 0)


main()
