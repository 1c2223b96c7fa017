"""gmprt.h: the examples in C and C++, without the library and with it, beside GNU MP's header."""
import os
import re
import subprocess
import tempfile

from harness import environment, expect, gmp, main, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build(directory, example, language, compiler, *flags):
    path = os.path.join(directory, compiler)
    subprocess.run([compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-O2",
                    "-I", os.path.join(ROOT, "runtime"),
                    os.path.join(ROOT, "docs", "examples", example), "-o", path, "-pthread", *flags],
                   check=True)
    return path


def builds(directory, example):
    """In both languages."""
    return (build(directory, example, "c", "gcc", "-std=c11", "-D_DEFAULT_SOURCE"),
            build(directory, example, "c++", "g++", "-std=c++17", "-pedantic"))


def alone(path):
    done = subprocess.run([path], capture_output=True, text=True, env=environment(), timeout=30,
                          check=False)
    expect(done, done.returncode == 0 and not done.stderr)
    return done.stdout


@test
def a_snapshot_is_taken_with_and_without_the_library():
    with tempfile.TemporaryDirectory() as d:
        for path in builds(d, "snapshot.c"):
            expect(path, alone(path) == "without the library: no looks\n")
            for procs in ("1", "2"):
                r = gmp("run", "-p", procs, "--", path, env=environment(GMP_ON_BUG="abort"))
                want = f"50 looks at {procs} Ps, moved while stopped: 0\n"
                expect(r, r.code == 0 and r.out == want and not r.err)


@test
def a_program_reads_its_own_metrics():
    with tempfile.TemporaryDirectory() as d:
        for path in builds(d, "metrics.c"):
            expect(path, alone(path) == "without the library: no metrics\n")
            r = gmp("run", "-p", "2", "--", path, env=environment(GMP_ON_BUG="abort"))
            expect(r, r.code == 0 and not r.err)
            value = {name: int(n) for name, n in re.findall(r"^(/\S+) +(\d+)$", r.out, re.M)}
            # Those that Go has, by Go's names; 17 threads of which the main one is left.
            expect(r, value["/sched/gomaxprocs:threads"] == 2)
            expect(r, value["/sched/goroutines-created:goroutines"] == 17)
            expect(r, value["/sched/goroutines:goroutines"] == 1)
            expect(r, value["/sched/goroutines/running:goroutines"] == 1)
            expect(r, 2 < value["/gmp/goroutines/peak:goroutines"] <= 17)
            expect(r, value["/gmp/parks:events"] > 0 and value["/gmp/handoffs:events"] > 0)
            half, most = map(int, re.search(r"below (\d+) us, 99% below (\d+) us$", r.out).groups())
            # Threads that compute wait for slices of 10 ms, not for calls.
            expect(r, 1000 < half <= most)
            total = value["/gmp/wait/total:nanoseconds"]
            expect(r, total >= value["/gmp/wait/max:nanoseconds"] > 10**6)


@test
def the_header_stands_beside_gnu_mps():
    text = "#include <gmp.h>\n#include <gmprt.h>\nint main(void) { mpz_t a; mpz_init(a); " \
           "mpz_clear(a); return gmp_present() ? gmp_maxprocs(0) : 0; }\n"
    with tempfile.TemporaryDirectory() as d:
        for language, compiler in (("c", "gcc"), ("c++", "g++")):
            subprocess.run([compiler, "-x", language, "-Wall", "-Wextra", "-pedantic", "-Werror",
                            "-I", os.path.join(ROOT, "runtime"), "-", "-o",
                            os.path.join(d, "both"), "-lgmp"], input=text, text=True, check=True)
            expect(language, gmp("run", os.path.join(d, "both")).code == 0)


main()
