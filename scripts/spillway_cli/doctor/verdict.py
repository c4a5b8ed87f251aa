# SPDX-License-Identifier: MIT
"""Judges from a run's requests, by size, whether Spillway can make a difference to the program."""

import dataclasses

from spillway_cli.doctor.heaps import Live
from spillway_cli.figures.units import bytes_text

MIDDLE, LARGE = 4096, 1 << 20  # smallest sizes of the groups
GROUPS = ("below 4 KiB", "4 KiB to 1 MiB", "1 MiB and more")
# What a request's page costs at most when the allocator has none at hand (alloc/docs/DOCTOR.md).
PAGE, FAULT_SECONDS = 4096, 1.3e-6
# Below these no difference is expected. The first is what a quiet machine can just tell, the others are arbitrary.
MIN_TIME, MIN_LIVE_SHARE = 0.01, 0.10
MIN_ALLOCATED, MIN_LIVE = 1 << 20, 8 << 20  # bytes in all

MAY_HELP, NEUTRAL, UNKNOWN = "may help", "no difference", "unknown"


@dataclasses.dataclass(frozen=True)
class Requests:
    """Estimates from samples, in the order of GROUPS."""

    calls: tuple
    bytes: tuple
    live: tuple  # at the moment that most was seen

    @classmethod
    def of(cls, heap):
        calls, sizes, live = [0] * 3, [0] * 3, [0] * 3
        for one in heap.sizes:
            group = (one.min_bytes >= MIDDLE) + (one.min_bytes >= LARGE)
            calls[group] += one.values["alloc_objects"]
            sizes[group] += one.values["alloc_space"]
            live[group] += one.values["inuse_space"]
        at_end, peak = Live(*live), heap.peak
        peak_live = at_end if at_end.total > peak.total else peak
        return cls(tuple(calls), tuple(sizes), (peak_live.small, peak_live.middle, peak_live.large))

    def share(self, what, group):
        """Of 1; None where there is nothing."""
        values = getattr(self, what)
        return values[group] / sum(values) if sum(values) else None

    def pool_share(self, what):
        values = getattr(self, what)
        return sum(values[1:]) / sum(values) if sum(values) else 0.0


@dataclasses.dataclass(frozen=True)
class Verdict:
    answer: str  # MAY_HELP, NEUTRAL or UNKNOWN
    text: str
    action: str  # empty: none is needed


def busiest(heaps):
    """The one that asked for most bytes; None without any whose requests are known."""
    return max((heap for heap in heaps if heap.sizes is not None), key=lambda heap: heap.allocated, default=None)


def time_bound(requests, processor_seconds):
    """The share of the processor time that page faults for all blocks of the pool would be, at most."""
    pages = sum(requests.bytes[1:]) / PAGE
    return min(1.0, pages * FAULT_SECONDS / max(processor_seconds, 1e-3))


def judge(requests, processor_seconds, command):
    """`command`: what the doctor was asked about, as the user wrote it."""
    small = f"{share_text(requests.share('calls', 0))} of its requests are below 4 KiB"
    if sum(requests.bytes) < MIN_ALLOCATED and sum(requests.live) < MIN_LIVE:
        total = f"{bytes_text(sum(requests.bytes))} in all" if any(requests.bytes) else "next to nothing"
        return Verdict(NEUTRAL, f"it asks for {total}: no allocator makes a difference", "")
    bound = time_bound(requests, processor_seconds)
    helped = []
    if bound >= MIN_TIME:
        at_most = f"{100 * bound:.0f} %" if bound >= 0.02 else f"{100 * bound:.1f} %"
        helped.append(f"its time, of which new pages for them cost at most {at_most}")
    if requests.pool_share("live") >= MIN_LIVE_SHARE and sum(requests.live) >= MIN_LIVE:
        helped.append(f"its memory, of which they are {share_text(requests.pool_share('live'))}")
    if not helped:
        return Verdict(
            NEUTRAL, f"{small}: Spillway hands them to mimalloc; expect mimalloc's speed and memory",
            "adopt it for limits, statistics or misuse checks only",
        )  # fmt: skip
    return Verdict(
        MAY_HELP, f"blocks of 4 KiB and more matter to {', and to '.join(helped)}",
        f"measure it: spillway ab -- {command}",
    )  # fmt: skip


def unknown(command):
    return Verdict(UNKNOWN, "the run left no figures", f"measure it: spillway ab -- {command}")


def share_text(share):
    """`99.8 %`, never rounded up to 100 nor down to 0; `nothing` of nothing."""
    if share is None:
        return "nothing"
    value = 100 * share
    if share in (0, 1):
        return f"{value:.0f} %"
    if value < 0.05:
        return "less than 0.1 %"
    return f"{value:.1f} %" if value < 99.95 else "more than 99.9 %"
