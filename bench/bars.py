"""What each figure must be.  n, l, g: the figures of the native way, the library, and Go."""
import math

LITTLE = ["memcached_2", "redis", "xz_2", "sqlite", "python_2", "nginx"]
MANY = ["memcached_32", "mariadb_256", "sysbench_threads_64", "sysbench_mutex_64", "sysbench_memory_16"]


def added(figure):
    """More than libc's own; natively that is what the comparison itself makes."""
    return lambda r: r["library"][figure] - r["native"][figure]


def ratio(figure):
    return lambda r: r["library"][figure] / r["native"][figure]


def of(figure):
    return lambda r: r["library"][figure]


# row, question, its value from that question's results, comparison, bar
BARS = [
    ("bracket alone, less two empty calls, ns", "call",
     lambda r: of("bracket_p50_ns")(r) - of("two_calls_p50_ns")(r), "<=", 2),
    ("1-byte read of /dev/null, added ns", "call", added("null_over_libc_p50_ns"), "<=", 5),
    ("eventfd write + read, added ns a call", "call",
     lambda r: added("eventfd_pair_over_libc_p50_ns")(r) / 2, "<=", 5),
    ("uncontended mutex pair, added ns", "call", added("mutex_over_libc_p50_ns"), "<=", 4),
    ("getc in the buffer, added ns", "call", added("getc_over_libc_p50_ns"), "<=", 3),
    ("fputc into the buffer, added ns", "call", added("fputc_over_libc_p50_ns"), "<=", 3),
    ("hand-off, read, hot, p50 us", "handoff", of("read_hot_p50_us"), "<=", 10),
    ("hand-off, read, hot, p99 us", "handoff", of("read_hot_p99_us"), "<=", 60),
    ("hand-off, read, after 40 ms CPU, p50 us", "handoff", of("read_cold_p50_us"), "<=", 50),
    ("hand-off, read, after 40 ms CPU, p99 us", "handoff", of("read_cold_p99_us"), "<=", 200),
    ("hand-off, nanosleep, p50 us", "handoff", of("nanosleep_p50_us"), "<=", 8),
    ("hand-off, cond_wait, p50 us", "handoff", of("cond_p50_us"), "<=", 8),
    ("hand-off, poll, p50 us", "handoff", of("poll_p50_us"), "<=", 8),
    ("hand-off, un-intercepted, p50 us", "handoff", of("unseen_p50_us"), "<=", 200),
    ("hog's share beside nanosleep 100 us, %", "hog", of("share_100us_pct"), ">=", 95),
    ("hog's share beside nanosleep 1 ms, %", "hog", of("share_1ms_pct"), ">=", 95),
    ("hog's share beside nanosleep 5 ms, %", "hog", of("share_5ms_pct"), ">=", 95),
    ("late after 50 ms beside 2 hogs, p50 ms", "late", of("late_p50_ms"), "<=", 11),
    ("pipe beside 4 hogs, rate / native", "pipe", ratio("hogs_per_s"), ">=", 1),
    ("pipe beside 4 hogs, worst / native", "pipe", ratio("hogs_max_us"), "<=", 2),
    ("spin lock, 64 threads, / native", "spin", ratio("turns_per_s"), ">=", 10),
    ("the same, fewest turns of a thread, % of mean", "spin", of("least_pct_of_mean"), ">=", 10),
    ("spin lock of the program's own, / native", "spin", ratio("own_lock_turns_per_s"), ">=", 1),
    ("dgemm 4x2, / native", "dgemm_4x2", ratio("dgemm_per_s"), ">=", 5),
    ("dgemm 8x4, / native", "dgemm_8x4", ratio("dgemm_per_s"), ">=", 5),
    ("server, quota 1: p99 / native", "server_quota_1", ratio("latency_p99_ms"), "<=", 1 / 3),
    ("server, quota 1: rate / native", "server_quota_1", ratio("rate_per_s"), ">=", 0.97),
    ("server, quota 0.5: p99 / native", "server_quota_0.5", ratio("latency_p99_ms"), "<=", 1 / 3),
    ("server, quota 1.5: p99 / native", "server_quota_1.5", ratio("latency_p99_ms"), "<=", 1 / 3),
    ("asleep: CPU, %", "idle", of("asleep_pct"), "<=", 0.05),
    ("beside a hog: CPU, %", "idle", of("beside_hog_pct"), "<=", 0.05),
    ("10,000 parked: added bytes each", "crowd_10000", added("a_thread_bytes"), "<=", 512),
]


def over_all(results):
    """Bars that need the results of several questions."""
    def best_tuned(name):
        tuned = max(results[q]["native"]["dgemm_per_s"] for q in ("dgemm_2x1", "dgemm_1x2"))
        return results[name]["library"]["dgemm_per_s"] / tuned

    def ratios(names):
        return [ratio("rate_per_s")(results["app_" + n]) for n in names]

    def geomean(values):
        return math.exp(sum(map(math.log, values)) / len(values))

    few = results["crowd_10"]["library"]["handoff_p50_us"]
    yield ("10,000 parked: hand-off / 10", results["crowd_10000"]["library"]["handoff_p50_us"] / few,
           "<=", 1.5)
    yield ("dgemm 4x2, / best hand-tuned", best_tuned("dgemm_4x2"), ">=", 0.85)
    yield ("dgemm 8x4, / best hand-tuned", best_tuned("dgemm_8x4"), ">=", 0.85)
    yield ("programs, threads <= Ps: geomean", geomean(ratios(LITTLE)), ">=", 0.99)
    yield ("programs, threads <= Ps: worst", min(ratios(LITTLE)), ">=", 0.97)
    yield ("programs, threads >> Ps: geomean", geomean(ratios(MANY)), ">=", 1.05)
    yield ("programs, threads >> Ps: worst", min(ratios(MANY)), ">=", 0.97)


def values(results):
    for row, question, value, op, bar in BARS:
        try:
            yield row, value(results[question]), op, bar
        except (KeyError, ZeroDivisionError):
            continue
    try:
        yield from over_all(results)
    except (KeyError, ZeroDivisionError, ValueError):
        return


def show(results):
    """Prints each bar and whether it is met; returns them."""
    out = []
    print(f"\n{'bar':46}{'value':>10}{'bar':>10}")
    for row, value, op, bar in values(results):
        ok = value <= bar if op == "<=" else value >= bar
        out.append({"row": row, "value": value, "op": op, "bar": bar, "met": ok})
        print(f"{row:46}{value:10.4g}{op + format(bar, '.3g'):>10}  {'met' if ok else 'MISSED'}")
    return out
