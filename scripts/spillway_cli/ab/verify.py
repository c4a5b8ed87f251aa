# SPDX-License-Identifier: MIT
"""Sees that a run really uses the allocator it is measured under, by looking at its processes.

It also takes down their memory. Used in the warm-up only: the looking costs time. A process that ends
within a few milliseconds may go unseen; `check.probe` has shown beforehand that the library loads at
all.
"""

import os
import threading
import time

from spillway_cli import elf, process
from spillway_cli.ab import resident

PAUSE = 0.004  # seconds between two looks
LOADING = 0.03  # seconds without the library before a process counts as one that runs without it


class Watch:
    """`with Watch(library, processes, stages) as watch: run()`; then `watch.users` and `watch.strangers`.

    `processes()` are those that `run()` starts and that should use the library. `stages`, the argument
    lists that they go through on the way, are looked past: they run without the library, or under glibc
    with its malloc.
    """

    def __init__(self, library, processes, stages=()):
        self.library = library
        self._processes = processes
        self._launching = [process.arguments(os.getpid()), *stages]
        self.users = set()  # programs that call the library's malloc
        self.strangers = {}  # programs that do not, with the reason
        self.memory = []  # (ms, KiB): resident memory of all its processes together
        self._first_seen = {}
        self._begin = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look_on)

    def has_seen(self):
        """Whether it knows of a process which malloc that calls."""
        return bool(self.users or self.strangers)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()

    def _look_on(self):
        while not self._stop.wait(PAUSE):
            now, kib = time.monotonic(), 0
            for pid in self._running():
                try:
                    if process.arguments(pid) not in self._launching:
                        kib += resident.kib(pid)
                        self._look_at(pid)
                except (OSError, elf.NotElf):  # it ended, became another user's, or its file is replaced
                    pass
            if kib:
                self._begin = self._begin or now
                self.memory.append((round(1000 * (now - self._begin), 1), kib))

    def _running(self):
        try:
            return self._processes()
        except OSError:  # another user's: nothing is seen of any, which the caller can tell
            return []

    def _look_at(self, pid):
        program = process.executable(pid)
        if program is None or program in self.users or program in self.strangers:
            return
        mapped = any(process.same_file(path, self.library) for path in process.mapped_files(pid))
        begin = self._first_seen.setdefault((pid, program), time.monotonic())
        if not mapped and time.monotonic() - begin < LOADING:
            return
        used = process.allocator(pid, [self.library])
        if process.executable(pid) != program:
            return
        if used is not None and process.same_file(used, self.library):
            self.users.add(program)
        elif used is None and elf.read(program).interpreter is not None:
            return  # still being loaded, however long a busy machine takes
        elif time.monotonic() - begin >= LOADING:
            self.strangers[program] = _reason(program, used)


def _reason(program, used):
    if used is None:
        return "statically linked"
    if process.same_file(used, program):
        return "brings its own malloc"
    return f"calls malloc of {os.path.basename(used)}"
