# SPDX-License-Identifier: MIT
"""The control group of this process as the library sees it (alloc/os/linux_cgroup.cc): limit and pressure."""

import dataclasses
import os

from spillway_cli import kernel

ROOT, MEMBERSHIP = "/sys/fs/cgroup", "/proc/self/cgroup"
MACHINE_PRESSURE = "/proc/pressure/memory"


@dataclasses.dataclass(frozen=True)
class Group:
    limit: int | None  # bytes, the least of the group's and its parents'; None: not limited
    pressure: str | None  # the file that is read; None: there is none

    @classmethod
    def read(cls, membership=MEMBERSHIP, root=ROOT, machine=MACHINE_PRESSURE):
        limits, pressure = [], None
        for line in (kernel.text(membership) or "").splitlines():
            hierarchy, _, rest = line.partition(":")
            controllers, _, group = rest.partition(":")
            if hierarchy == "0" and not controllers:
                limits += _limits(root, group, "memory.max")
                own = f"{root}{group.rstrip('/')}/memory.pressure"
                pressure = pressure or (own if _says_stall(own) else None)
            elif "memory" in controllers.split(","):
                limits += _limits(f"{root}/memory", group, "memory.limit_in_bytes")
        if pressure is None and _says_stall(machine):
            pressure = machine
        return cls(min(limits, default=None), pressure)


def _limits(root, group, file):
    """Of the group and those that it is in."""
    while True:
        text = (kernel.text(f"{root}{group.rstrip('/')}/{file}") or "").strip()
        # Version 1 writes "no limit" as the largest multiple of a page.
        if text.isdecimal() and int(text) < 1 << 62:
            yield int(text)
        if group in ("", "/"):
            return
        group = os.path.dirname(group)


def _says_stall(path):
    return (kernel.text(path) or "").startswith("some ")
