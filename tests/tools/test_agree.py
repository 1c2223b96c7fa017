"""gmp trace --summary beside strace -c on the same run of sysbench: the same calls, the same times."""
import os
import re
import subprocess
import tempfile

from harness import LIBRARY, environment, expect, gmp, main, test

CALLS = ("pread64", "pwrite64", "fsync")


def recorded(work):
    """call -> (count, ms) by strace -c, and by our summary."""
    at = lambda name: os.path.join(work, name)
    files = ["--file-num=4", "--file-total-size=8M"]
    subprocess.run(["sysbench", "fileio", *files, "prepare"], cwd=work, check=True,
                   stdout=subprocess.DEVNULL)
    subprocess.run(["strace", "-f", "-c", "-w", "-o", at("strace"),
                    "-E", "LD_PRELOAD=" + os.path.abspath(LIBRARY), "-E", "GMP_MAXPROCS=2",
                    "-E", "GMP_ON_BUG=abort", "-E", "GMP_TRACE=" + at("trace"),
                    "sysbench", "fileio", *files, "--file-test-mode=rndrw", "--threads=8",
                    "--events=1000", "--time=0", "--file-fsync-freq=50", "run"], cwd=work,
                   env=environment(), check=True, stdout=subprocess.DEVNULL, timeout=60)
    with open(at("strace"), encoding="ascii") as f:
        theirs = {m[3]: (int(m[2]), float(m[1]) * 1e3) for m in re.finditer(
            r"^ *[\d.]+ +([\d.]+) +\d+ +(\d+) +(?:\d+ )?(\w+)$", f.read(), re.M)}
    r = gmp("trace", "--summary", at("trace"))
    expect(r, r.code == 0 and not r.err)
    ours = {m[3]: (int(m[1]), float(m[2])) for m in re.finditer(
        r"^ *(\d+) +([\d.]+) +[\d.]+ +[\d.]+ +\d+ +[\d.]+  (\w+)$", r.out, re.M)}
    return theirs, ours


@test
def the_summary_agrees_with_strace():
    with tempfile.TemporaryDirectory(prefix="gmp-agree-") as work:
        theirs, ours = recorded(work)
    stops = {}
    for call in CALLS:
        (n, ms), (our_n, our_ms) = theirs[call], ours[call]
        print(f"{call:10} strace {n:6} {ms:9.1f} ms   gmp trace {our_n:6} {our_ms:9.1f} ms")
        # What strace sees besides: the loader, and sysmon's looks into /proc, are in no bracket.
        expect(call, our_n == n if call != "pread64" else n - 100 < our_n <= n)
        # Our bracket is round the call, and strace's two stops are in ours alone.
        expect((call, ms, our_ms), our_ms >= ms * 0.98)
        stops[call] = (our_ms - ms) / our_n
    # They cost the same whatever the call: the slow one is no further off than the quick ones.
    expect(stops, stops["fsync"] < 3 * max(stops["pread64"], stops["pwrite64"]))


main()
