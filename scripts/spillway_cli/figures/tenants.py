# SPDX-License-Identifier: MIT
"""The tenants of a process, and what changed of each between two readings."""

import dataclasses

from spillway_cli.figures.text import printable


@dataclasses.dataclass(frozen=True)
class Tenant:
    name: str
    live_bytes: int
    live_blocks: int
    peak_bytes: int
    soft_limit_bytes: int  # 0: none
    exceeded_total: int  # requests that left it above the limit
    grown_bytes: int | None  # since the earlier reading, as all below
    grown_blocks: int | None
    allocations: float | None  # a second


def of(change):
    """Those of the later reading, the largest first; none where the library does not know tenants."""
    before = {} if change.earlier is None else _by_name(change.earlier.snapshot)
    found = [
        _tenant(change, before.get(name), one) for name, one in _by_name(change.later.snapshot).items()
    ]
    return sorted(found, key=lambda one: (-one.live_bytes, one.name))


def _by_name(snapshot):
    return {one["tenant"]: one for one in snapshot.get("tenants") or []}


def _tenant(change, before, after):
    def grown(name):
        return None if before is None else after.get(name, 0) - before.get(name, 0)

    allocated = grown("allocations_total")
    return Tenant(
        name=printable(after["tenant"]),
        live_bytes=after.get("live_bytes", 0),
        live_blocks=after.get("live_blocks", 0),
        peak_bytes=after.get("peak_bytes", 0),
        soft_limit_bytes=after.get("soft_limit_bytes", 0),
        exceeded_total=after.get("soft_limit_exceeded_total", 0),
        grown_bytes=grown("live_bytes"),
        grown_blocks=grown("live_blocks"),
        allocations=change.per_second(None if allocated is None or allocated < 0 else allocated),
    )
