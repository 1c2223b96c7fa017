"""gmp doctor: the host, and every kind of program that cannot be preloaded."""
import os
import shutil
import struct
import subprocess
import tempfile

from harness import environment, expect, fails, gmp, main, test


def doctor(path, *words, code=1):
    r = gmp("doctor", path)
    expect(r, r.code == code and not r.err)
    said = [line for line in r.out.splitlines() if "program: " in line]
    for word in words:
        expect(f"{r}\n-- wanted {word!r}", any(word in line for line in said))
    expect(f"{r}\n-- wanted FAIL", (code == 1) == any(line.startswith("FAIL") for line in said))


def build(directory, name, *flags):
    path = os.path.join(directory, name)
    subprocess.run(["cc", "-x", "c", "-", "-o", path, *flags], input="int main(void){return 0;}",
                   text=True, check=True)
    return path


def write(directory, name, data):
    path = os.path.join(directory, name)
    with open(path, "wb") as f:
        f.write(data)
    os.chmod(path, 0o755)
    return path


@test
def the_host_is_fit_and_the_cap_is_the_librarys():
    r = gmp("doctor")
    expect(r, r.code == 0 and not r.err and "FAIL" not in r.out)
    for word in ("host:", "membarrier:", "/proc:", "seccomp:", "library:", "cap:"):
        expect(f"{r}\n-- wanted {word}", r.out.count(word) == 1)
    cpus = len(os.sched_getaffinity(0))
    r = gmp("doctor", preexec_fn=lambda: os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]))
    expect(r, "cap: 1 Ps, because of" in r.out and "affinity: 1 CPUs" in r.out)
    r = gmp("doctor", env=environment(GMP_MAXPROCS="37"))
    expect(r, f"cap: 37 Ps, because of GMP_MAXPROCS; affinity: {cpus} CPUs" in r.out)
    r = gmp("doctor", env=environment(GMP_MAXPROCS="many"))
    expect(r, r.code == 0 and "note" in r.out and "GMP_MAXPROCS='many'" in r.out)
    expect(r, f"cap: {cpus} Ps, because of the " in r.out)


@test
def programs_that_can_be_preloaded():
    doctor("true", "dynamic x86-64", code=0)
    with tempfile.TemporaryDirectory() as d:
        doctor(write(d, "script", b"#!/bin/sh\n"), "script for /bin/sh", "dynamic", code=0)
        doctor(write(d, "py", b"#! /usr/bin/env -S perl -w\n"), "script for", "perl", code=0)


@test
def programs_that_cannot_are_told_why():
    with tempfile.TemporaryDirectory() as d:
        doctor(build(d, "static", "-static"), "is static")
        doctor(build(d, "asan", "-fsanitize=address"), "sanitizer (")
        doctor(build(d, "tsan", "-fsanitize=thread"), "sanitizer (")
        go = build(d, "go")
        subprocess.run(["objcopy", "--add-section", f".go.buildinfo={go}", go], check=True)
        doctor(go, "is a Go program")
        doctor(build(d, "musl", "-Wl,-dynamic-linker,/lib/ld-musl-x86_64.so.1"), "musl")
        with open(build(d, "plain"), "rb") as f:
            plain = bytearray(f.read())
        plain[18:20] = struct.pack("<H", 183)
        doctor(write(d, "arm", bytes(plain)), "machine 183")
        doctor(write(d, "i386", b"\x7fELF\x01\x01\x01" + bytes(9) + struct.pack("<HH", 2, 3) +
                     bytes(32)), "32-bit")
        doctor(write(d, "cut", bytes(plain[:40])), "cut")
        doctor(write(d, "text", b"hello\n"), "no ELF program")
        doctor(write(d, "script", b"#!/no/such/interpreter\n"), "without an interpreter")
        script = write(d, "static-script", f"#!{d}/static\n".encode())
        doctor(script, "is static")


@test
def a_set_user_id_program_of_another_is_out_of_reach():
    if os.geteuid() != 0:
        return
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "suid")
        shutil.copy("/bin/true", path)
        os.chown(path, 12345, 12345)
        os.chmod(path, 0o4755)
        doctor(path, "set-user-ID")


@test
def bad_input_is_one_line():
    for args, code, words in ((("no-such-command",), 127, "cannot execute 'no-such-command'"),
                              (("/no/such/path",), 127, "cannot execute '/no/such/path'"),
                              (("/tmp",), 126, "cannot execute '/tmp'"),
                              (("/etc/passwd",), 126, "cannot execute '/etc/passwd'"),
                              (("--all",), 125, "no option '--all'"), (("true", "false"), 125, "what is 'false'")):
        r = gmp("doctor", *args)
        fails(r, words, code=code)
        expect(f"{r}\n-- the error is all there is", not r.out)


main()
