# SPDX-License-Identifier: MIT
"""Names the machine that a report was made on: CPU, cores, memory, kernel, system."""

import os
import platform
import resource
import time

from spillway_cli import kernel


def describe():
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": int((_field("/proc/meminfo", "MemTotal") or "0 kB").split()[0]) * 1024,
        "kernel": platform.release(),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", "unknown"),
        "transparent_huge_pages": kernel.chosen("/sys/kernel/mm/transparent_hugepage/enabled") or "unknown",
    }


def one_line(machine):
    gib = machine["memory_bytes"] / 2**30
    cores = f"{machine['cores']} core{'s' if machine['cores'] != 1 else ''}"
    return f"{machine['cpu']}, {cores}, {gib:.0f} GiB, Linux {machine['kernel']}, {machine['system']}"


class OtherLoad:
    """How many cores, on average, others kept busy since this was made; our own children do not count."""

    def __init__(self):
        self._begin = time.monotonic()
        self._others = _busy_seconds() - _own_seconds()

    def cores(self):
        passed = max(time.monotonic() - self._begin, 1e-3)
        return max(0.0, (_busy_seconds() - _own_seconds() - self._others) / passed)


def _busy_seconds():
    """CPU time that all processes of the machine have used, and what the hypervisor kept from it."""
    with open("/proc/stat", encoding="utf-8") as file:
        user, nice, system, _, _, irq, softirq, steal = map(int, file.readline().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds():
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def _field(path, name):
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                key, colon, value = line.partition(":")
                if colon and key.strip() == name:
                    return value.strip()
    except OSError:
        pass
    return None
