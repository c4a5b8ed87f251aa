# SPDX-License-Identifier: MIT
"""What Spillway has to reach: data only. verdicts.py holds it against the measured figures.

All goals but the absolute ones are ratios or differences of medians of one run on one machine. To
change a goal, change its line here; to add one, use rows that the suites print (`bench_calls
--benchmark_list_tests`, also of `bench_pool` and `bench_freelist`; `bench_threads --list`,
`bench_memory --smoke`; startup's are named in suites/startup.py).
"""

import dataclasses

from harness.allocators import SUBJECT
from report.peers import DEBIAN

BARE_MIMALLOC = "bare_mimalloc"  # the same mimalloc from the same build, without Spillway
ONE_BLOCK = "one_block"  # the least that a pair can cost (bench/one_block)
YARDSTICKS = (BARE_MIMALLOC, ONE_BLOCK)  # for some rows of bench_calls, not for use
LINKED = "linked"  # the benchmarks linked with libspillway.a, nothing preloaded
PEERS = tuple(DEBIAN)  # the goals against any peer take each of them
MORE_PEERS = ("rpmalloc",)  # not in Debian: where --allocators names one, it counts as a peer, too


@dataclasses.dataclass(frozen=True)
class Goal:
    """One claim about `rows`; where it holds several, the worst one decides.

    kind, what is compared with `limit`, and the side of it that is good:
      at_most     subject / other                          <= limit
      times       other / subject                          >= limit
      fastest     subject / the fastest of the peers       <= limit
      mean        geometric mean of subject / other        <= limit
      even        slowest row / fastest row of the subject <= limit
      scaling     second row / first row of the subject    <= limit; rows are taken two by two
      extra       (third - second) / first of the subject  <= limit; rows are taken three by three
      adds        subject - other, in `unit`               <  limit
      absolute    subject by itself, in `unit`             <= limit
      elsewhere   not measured here; `other` says where
    """

    work: str
    kind: str
    limit: float = 0
    rows: tuple = ()
    other: str = ""
    unit: str = "x"


ROWS_COMPARED = {"scaling": 2, "extra": 3}  # kind -> how many rows make a figure


def _pairs(*sizes):
    return tuple(f"pair/{size}" for size in sizes)


POOLED_LOW = _pairs("4KiB", "16KiB", "40KiB", "64KiB")
POOLED_HIGH = _pairs("256KiB", "600KiB", "1024KiB")
SMALL = _pairs("16B", "32B", "64B", "128B", "256B", "512B", "1KiB")
REPLACE_1 = ("replace/256/4K-1M/1t",)
REPLACE_2 = ("replace/256/4K-1M/2t",)
HANDOVER = ("handover/16KiB", "handover/256KiB")
# "A power of two plus a header". Above 128 KiB whole pages alone make 1.031 of the smallest.
ONE_SIZE_LOW = tuple(f"one_size/{size}" for size in (4097, 4129, 6000, 8225, 16417, 32801, 65569))
ONE_SIZE_HIGH = tuple(f"one_size/{size}" for size in (131105, 262177, 524321))
SPARSE = tuple(f"sparse/{blocks}_mib" for blocks in ("256KiB", "1MiB", "aligned"))
PIN = ("pin/mib", "pin/5_rounds_mib", "pin/idle_mib")
SWING_1 = tuple(f"swing/1/{sizes}" for sizes in (
    "8K-64K", "64K-256K", "98K-977K", "1M-2M", "4M-8M", "8M-32M", "1M-2M/calls"))
SWING_2 = tuple(f"swing/2/{buffers}" for buffers in (100, 1500, 4000, 20000))
TRACES = ("gcc", "magick", "node", "numpy", "redis", "sqlite")
BUSY_LATENCY = tuple(f"latency/{call}/4K-64K/8t/{percentile}" for percentile in ("p99", "p99.9")
                     for call in ("malloc", "free", "malloc_touch"))

# A pool is compared with malloc and free in the process that uses it, both of Spillway.
POOLED = ("1KiB", "4KiB", "16KiB", "64KiB", "128KiB", "256KiB", "1MiB", "8MiB")
POOL_PAIRS = tuple(f"pool/{kind}/{size}" for size in POOLED for kind in ("heap", "pair"))
POOL_FREEZE = tuple(f"pool/{kind}/{size}" for size in POOLED for kind in ("heap", "pair", "freeze"))
FREELIST = tuple(f"freelist/{kind}/{batch}/{threads}t" for threads in (1, 8) for batch in (1, 8, 32)
                 for kind in ("mutex", "bits"))

GOALS = (
    Goal("pair, 4 to 64 KiB", "at_most", 0.35, POOLED_LOW, "mimalloc"),
    Goal("pair, 256 KiB to 1 MiB", "at_most", 0.03, POOLED_HIGH, "mimalloc"),
    Goal("pair, slowest / fastest", "even", 1.25, POOLED_LOW + POOLED_HIGH),
    Goal("pair, no peer faster", "fastest", 1.0, POOLED_LOW + POOLED_HIGH),
    Goal("replace in 256, 1 thread", "times", 12, REPLACE_1, "mimalloc"),
    Goal("replace in 256, 1 thread", "times", 4, REPLACE_1, "tcmalloc"),
    # rpmalloc is not in Debian: judged only in runs with --allocators ...,rpmalloc=FILE.
    Goal("replace in 256, 1 thread", "times", 1, REPLACE_1, "rpmalloc"),
    Goal("replace in 256, 2 threads", "times", 12, REPLACE_2, "mimalloc"),
    Goal("replace in 256, 2 threads", "times", 4, REPLACE_2, "tcmalloc"),
    Goal("replace in 256, 2 threads", "times", 1, REPLACE_2, "rpmalloc"),
    Goal("replace in 1024, 2 threads", "at_most", 1.0, ("replace/1024/4K-64K/2t",), "tcmalloc"),
    Goal("64 of 4-64K, 8t / 1t", "scaling", 1.5,
         ("replace/64/4K-64K/1t", "replace/64/4K-64K/8t")),
    Goal("64 of 4K-1M, 8t / 1t", "scaling", 1.5,
         ("replace/64/4K-1M/1t", "replace/64/4K-1M/8t")),
    Goal("producer to consumer", "times", 3, HANDOVER, "mimalloc"),
    # The worst of seven is a little above 1 even for equal allocators; the mean is the finer figure.
    Goal("pair, 16 to 1024 bytes", "at_most", 1.03, SMALL, BARE_MIMALLOC),
    Goal("the same, mean of sizes", "mean", 1.03, SMALL, BARE_MIMALLOC),
    Goal("instructions", "elsewhere", other="a golden table, checked in CI"),
    Goal("start-up, time", "adds", 1000, ("startup/wall_us", "startup/cpu_us"), "glibc", "us"),
    Goal("start-up, memory", "adds", 500, ("startup/rss_kib",), "glibc", "KiB"),
    Goal("1 GB live, peak / live", "absolute", 1.05, ("live/peak_ratio",)),
    Goal("freed, 2 s later / peak", "absolute", 0.05, ("live/idle_share",)),
    Goal("16 threads, peak of each", "absolute", 3, ("threads16/peak_mib",), unit="MiB"),
    Goal("16 threads, idle, each", "absolute", 0.5, ("threads16/idle_mib",), unit="MiB"),
    Goal("server, faults a request", "absolute", 1, ("server/faults",), unit=""),
    Goal("server, memory", "absolute", 6, ("server/rss_mib",), unit="MiB"),
    Goal("realloc 4 KiB to 1 MiB", "at_most", 1.0, ("realloc/1MiB",), "glibc"),
    Goal("realloc 4 KiB to 32 MiB", "at_most", 1.0, ("realloc/32MiB",), "glibc"),
    Goal("1000 blocks in step", "at_most", 0.8, ("walk/256KiB",), "jemalloc"),
    Goal("first GB, no peer faster", "fastest", 1.0, ("fill/ms",)),
    Goal("first GB, slowest / median", "absolute", 1.3, ("fill/spread",)),
    Goal("64 blocks in full use", "fastest", 1.0, ("churn/64K-1M",)),
    Goal("the same, more mappings", "absolute", 2, ("churn/mappings",), unit=""),
    Goal("20 of 5-25 MiB, written", "fastest", 1.1, ("large/5-25MiB",)),
    Goal("the same, pages touched", "at_most", 0.4, ("large/touched",), "tcmalloc"),
    Goal("5-25 MiB freed, 2 s / peak", "absolute", 0.05, ("large/left",)),
    Goal("one size, up to 64 KiB", "absolute", 1.13, ONE_SIZE_LOW),
    Goal("one size, from 128 KiB on", "absolute", 1.034, ONE_SIZE_HIGH),
    Goal("sizes drift, memory / live", "absolute", 1.15, ("drift/worst_ratio",)),
    Goal("the same, processor time", "at_most", 1.0, ("drift/cpu_ms",), "glibc"),
    Goal("3000 blocks, 8 KiB used", "fastest", 1.1, SPARSE),
    Goal("small after large, memory", "fastest", 1.1, PIN),
    Goal("the same, 5th round - 1st", "absolute", 2, ("pin/growth_mib",), unit="MiB"),
    Goal("a block swings in size", "at_most", 1.0, SWING_1, "mimalloc"),
    Goal("many grow in turn", "at_most", 1.0, SWING_2, "mimalloc"),
    Goal("bursts, no peer faster", "fastest", 1.0, ("burst/ns", "burst/paused_ns")),
    Goal("up and down, no p. faster", "fastest", 1.0, ("sawtooth/ns",)),
    Goal("4-64K, 8t, rare calls", "fastest", 1.0, BUSY_LATENCY),
    Goal("traces, peak / live", "absolute", 1.10,
         tuple(f"trace/{name}/peak_ratio" for name in TRACES)),
    Goal("pool pair / heap's pair", "scaling", 2, POOL_PAIRS),
    Goal("freeze / heap's pair", "extra", 1, POOL_FREEZE),
    Goal("17 buffers, cache 16, 8t", "scaling", 4, ("pool/heap/4KiB/8t", "pool/set/17/8t")),
    Goal("257, cache 256, 8t", "scaling", 2.5, ("pool/heap/4KiB/8t", "pool/set/257/8t")),
    Goal("tenant / heap's pair", "extra", 1,
         ("pool/heap/4KiB/1t", "pool/tenants/0/1t", "pool/tenants/1/1t")),
    Goal("1000 tenants / 1, 8t", "scaling", 1.5, ("pool/tenants/1/8t", "pool/tenants/1000/8t")),
    Goal("fresh zeroed, touched", "absolute", 0, ("pool/zeroed_fresh_pages",), unit=""),
    Goal("freelist / mutexes", "scaling", 1.0, FREELIST),
    Goal("empty take, 8M / 64 slots", "scaling", 1.0, ("freelist/empty/64", "freelist/empty/8M")),
)

# Row -> the row of the same allocator that goals compare it with.
BASES = {goal.rows[i + step - 1]: goal.rows[i]
         for goal in GOALS for step in (ROWS_COMPARED.get(goal.kind, 0),) if step
         for i in range(0, len(goal.rows), step)}
