"""gmprt.h: the example in C and C++, without the library and with it, beside GNU MP's header."""
import os
import subprocess
import tempfile

from harness import environment, expect, gmp, main, test

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLE = os.path.join(ROOT, "docs", "examples", "snapshot.c")


def build(directory, language, compiler, *flags):
    path = os.path.join(directory, compiler)
    subprocess.run([compiler, "-x", language, "-Wall", "-Wextra", "-Werror", "-O2",
                    "-I", os.path.join(ROOT, "runtime"), EXAMPLE, "-o", path, "-pthread", *flags],
                   check=True)
    return path


@test
def the_example_runs_with_and_without_the_library():
    with tempfile.TemporaryDirectory() as d:
        for path in (build(d, "c", "gcc", "-std=c11", "-D_DEFAULT_SOURCE"),
                     build(d, "c++", "g++", "-std=c++17", "-pedantic")):
            done = subprocess.run([path], capture_output=True, text=True, env=environment(),
                                  timeout=30, check=False)
            expect(done, done.returncode == 0 and done.stdout == "without the library: no looks\n")
            for procs in ("1", "2"):
                r = gmp("run", "-p", procs, "--", path, env=environment(GMP_ON_BUG="abort"))
                want = f"50 looks at {procs} Ps, moved while stopped: 0\n"
                expect(r, r.code == 0 and r.out == want and not r.err)


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
