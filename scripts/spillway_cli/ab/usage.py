# SPDX-License-Identifier: MIT
"""What running processes have used: a server's, before and after its load. One that has ended counts for
nothing, but for what its parent has waited for."""

import os
import time

TICK = os.sysconf("SC_CLK_TCK")
PROCESS_CLOCK = 2  # of the kernel's clock ids: all threads of a process, also those that have ended


def processor_seconds(pids):
    """Of the processes and of the children that they have waited for."""
    return sum(_clock(pid) + sum(map(int, _stat(pid)[13:15])) / TICK for pid in pids)


def minor_faults(pids):
    """As processor_seconds()."""
    return sum(sum(map(int, _stat(pid)[7:9])) for pid in pids)


def forget_peaks(pids):
    """From here on peak() tells the largest size since now. Without the right to that, it goes on."""
    for pid in pids:
        try:
            with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
                file.write("5")
        except OSError:
            pass


def peak(pids):
    """Bytes, the largest process."""
    return max((_kib(pid, "status", "VmHWM") for pid in pids), default=0) * 1024


def held(pids):
    """Bytes, of all together; pages that several of them map are shared out among them."""
    return sum(_kib(pid, "smaps_rollup", "Pss") for pid in pids) * 1024


def _clock(pid):
    """To the nanosecond, where /proc has hundredths of a second."""
    try:
        return time.clock_gettime((~pid << 3) | PROCESS_CLOCK)
    except OSError:
        return sum(map(int, _stat(pid)[11:13])) / TICK


def _stat(pid):
    """The fields behind the name; zeros when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return [b"0"] * 15


def _kib(pid, file, name):
    try:
        with open(f"/proc/{pid}/{file}", encoding="utf-8", errors="replace") as lines:
            return next((int(line.split()[1]) for line in lines if line.startswith(f"{name}:")), 0)
    except OSError:
        return 0
