# SPDX-License-Identifier: MIT
"""What /proc says of a process's threads, for those who want to reach it."""

import os


def fields(pid, thread=None):
    """/proc/PID/status as a dict; empty when it has ended."""
    path = f"/proc/{pid}/status" if thread is None else f"/proc/{pid}/task/{thread}/status"
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def threads(pid):
    try:
        return sorted(int(name) for name in os.listdir(f"/proc/{pid}/task"))
    except (FileNotFoundError, ProcessLookupError):
        return []


def hidden_thread(pid):
    """The number of Spillway's background thread in the process; None without."""
    for thread in threads(pid):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8", errors="replace") as file:
                if file.read() == "spillway\n" and thread != pid:
                    return thread
        except (FileNotFoundError, ProcessLookupError):
            pass
    return None


def pending_signals(found):
    """Whether a signal waits that the thread, whose status this is, does not block."""
    blocked = int(found.get("SigBlk", "0"), 16)
    return any(int(found.get(name, "0"), 16) & ~blocked for name in ("SigPnd", "ShdPnd"))
