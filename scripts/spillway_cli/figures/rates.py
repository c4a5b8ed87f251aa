# SPDX-License-Identifier: MIT
"""What changed between two readings of a process: rates of counters, differences of gauges.

A counter that fell was not the same counter: the process executed another program, or an older
library counts differently. Its rate is unknown (None), as all are in the first reading.
"""

import dataclasses
import functools

# Blocks in no class: name of the row, and of its statistics where the library has them:
# blocks, bytes in live ones, allocations, frees.
KINDS = (
    ("mimalloc", "mimalloc_live_blocks", "mimalloc_live_bytes", "mimalloc_allocations_total", "mimalloc_frees_total"),
    ("large", "large_blocks", "large_live_bytes", "large_allocations_total", "large_frees_total"),
    ("guarded", "guarded_blocks", "guarded_live_bytes", "guarded_allocations_total", "guarded_frees_total"),
)  # fmt: skip
MIMALLOC = "mimalloc"  # mostly below 4 KiB


@dataclasses.dataclass(frozen=True)
class Row:
    """One size class, or a kind of blocks outside them; None where the library does not tell.

    What changed is in blocks or bytes since the earlier reading; the properties of the same root
    are rates, of a second.
    """

    block_size: int  # bytes; 0 for the rows that are no class
    name: str  # of such a row
    live: int | None
    live_bytes: int
    seconds: float | None = None  # since the earlier reading
    cached_bytes: int | None = None
    allocations_total: int | None = None
    allocated: int | None = None
    freed: int | None = None
    refilled: int | None = None
    spilled: int | None = None
    grown: int | None = None
    grown_bytes: int | None = None
    hit_rate: float | None = None  # share of the allocations that a thread's cache served
    fill: float | None = None  # share of the live bytes that was asked for

    allocations = property(lambda self: self._rate(self.allocated))
    frees = property(lambda self: self._rate(self.freed))
    refills = property(lambda self: self._rate(self.refilled))
    spills = property(lambda self: self._rate(self.spilled))
    growth_bytes = property(lambda self: self._rate(self.grown_bytes))

    def _rate(self, amount):
        return None if amount is None or not self.seconds else amount / self.seconds

    @property
    def busy(self):
        return bool(self.allocated or self.freed)

    @property
    def used(self):
        return bool(self.live or self.live_bytes or self.cached_bytes or self.allocations_total)

    @property
    def order(self):
        """By size: those of mimalloc before the classes, the others after them."""
        if self.name:
            return -1 if self.name == MIMALLOC else float("inf")
        return self.block_size


class Change:
    """From `earlier`, None at first, to `later`."""

    def __init__(self, earlier, later):
        self.later = later
        self.anew = earlier is not None and _is_another(earlier, later)
        self.earlier = None if self.anew else earlier
        self.elapsed = later.when - self.earlier.when if self.earlier else None

    def value(self, name):
        return self.later.snapshot.get(name)

    def total(self, name):
        """How much the counter grew."""
        if self.earlier is None:
            return None
        return _growth(self.earlier.snapshot.get(name), self.value(name))

    def difference(self, read):
        """That of what `read` gives for a snapshot, such as a gauge; negative when it fell."""
        if self.earlier is None:
            return None
        before, after = read(self.earlier.snapshot), read(self.later.snapshot)
        return None if before is None or after is None else after - before

    def rate(self, name):
        return self.per_second(self.total(name))

    def per_second(self, amount):
        return None if amount is None or not self.elapsed else amount / self.elapsed

    def of_process(self, name):
        """The rate of a counter of ProcessFigures."""
        if self.earlier is None:
            return None
        before, after = (getattr(one.figures, name) for one in (self.earlier, self.later))
        return self.per_second(_growth(before, after))

    def hit_rate(self):
        return _hit_rate(self.total)

    @functools.cached_property
    def rows(self):
        """A Row for each class, in the order of their sizes, and those of the blocks in no class."""
        before = {} if self.earlier is None else _by_size(self.earlier.snapshot)
        found = [
            self._class_row(before.get(one["block_size"]), one)
            for one in self.later.snapshot.get("classes", [])
        ]
        found += [self._kind_row(*kind) for kind in KINDS if self.value(kind[2]) is not None]
        return found

    def _class_row(self, before, after):
        def total(name):
            return None if before is None else _growth(before.get(name), after.get(name))

        size, live, live_bytes = after["block_size"], after.get("live") or 0, _live_bytes(after)
        allocated, freed = total("allocations_total"), total("frees_total")
        grown = None if before is None else live - (before.get("live") or 0)
        cached, requested = after.get("cached"), after.get("requested_estimate_bytes")
        if after.get("cached_bytes") is not None:
            cached_bytes = after["cached_bytes"]
        else:
            cached_bytes = None if cached is None else cached * size
        return Row(
            block_size=size,
            name="",
            live=live,
            live_bytes=live_bytes,
            seconds=self.elapsed,
            cached_bytes=cached_bytes,
            allocations_total=after.get("allocations_total"),
            allocated=allocated,
            freed=_what_left(allocated, grown) if freed is None else freed,
            refilled=total("refills_total"),
            spilled=total("spills_total"),
            grown=grown,
            grown_bytes=None if before is None else live_bytes - _live_bytes(before),
            hit_rate=_hit_rate(total),
            fill=min(1.0, requested / live_bytes) if requested is not None and live_bytes else None,
        )

    def _kind_row(self, name, blocks, live_bytes, allocations, frees):
        allocated, freed = self.total(allocations), self.total(frees)
        grown = self.difference(lambda snapshot: snapshot.get(blocks))
        return Row(
            block_size=0,
            name=name,
            live=self.value(blocks),
            live_bytes=self.value(live_bytes),
            seconds=self.elapsed,
            allocations_total=self.value(allocations),
            allocated=allocated,
            freed=_what_left(allocated, grown) if freed is None else freed,
            grown=grown,
            grown_bytes=self.difference(lambda snapshot: snapshot.get(live_bytes)),
        )


def _what_left(allocated, grown):
    """The frees of a library that does not count them: what was allocated and did not stay."""
    return None if None in (allocated, grown) else max(0, allocated - grown)


def _by_size(snapshot):
    return {one["block_size"]: one for one in snapshot.get("classes", [])}


def _live_bytes(one):
    if one.get("live_bytes") is not None:
        return one["live_bytes"]
    return (one.get("live") or 0) * one["block_size"]


def _growth(before, after):
    """Of a counter; None when it is unknown, or fell."""
    return None if before is None or after is None or after < before else after - before


def _hit_rate(total):
    """Of what `total` gives for the names of counters."""
    allocated, hits, refilled = (
        total(name) for name in ("allocations_total", "cache_hits_total", "refills_total")
    )
    if not allocated or (hits is None and refilled is None):
        return None
    if hits is None:
        hits = allocated - refilled  # each refill is a miss
    return min(1.0, max(0.0, hits / allocated))


def _is_another(earlier, later):
    """Whether another program runs in the process now, or another process has its number."""
    if earlier.figures.started != later.figures.started:
        return True
    # A program may change its name as it runs, but not when its heap began.
    is_told = earlier.snapshot.get("start_time") and later.snapshot.get("start_time")
    for name in ("start_time", "version") if is_told else ("program", "version"):
        if earlier.snapshot.get(name) != later.snapshot.get(name):
            return True
    return _fell("allocations_total", earlier, later) or _fell("purged_bytes_total", earlier, later)


def _fell(name, earlier, later):
    before, after = earlier.snapshot.get(name), later.snapshot.get(name)
    return before is not None and after is not None and after < before
