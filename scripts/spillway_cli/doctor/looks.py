# SPDX-License-Identifier: MIT
"""Looks at running processes: what they hold while they hold it, and which of them run without Spillway."""

import collections

from spillway_cli import attach, elf, pprof, process
from spillway_cli.doctor.heaps import Heap
from spillway_cli.errors import UserError

MAX_FAILURES = 5  # looks at a process that told nothing
MAX_ABSENCES = 3  # looks at a program that has all its libraries, without Spillway; arbitrary


class Looks:
    def __init__(self, stages=(), find=attach.find):
        """stages: argument lists of what becomes the command, which is looked past."""
        self.heaps = {}  # by process
        self._stages = stages
        self._find = find
        self._attachments = {}
        self._failures = collections.Counter()  # by process
        self._absences = collections.Counter()  # by process and program

    def look(self, worker):
        for pid in process.descendants(worker):
            self._try(pid, lambda attachment, heap: heap.take(attachment.snapshot()))

    def look_last(self, worker):
        """Before the processes are ended: some have no chance to write anything then."""
        def take_all(attachment, heap):
            heap.take(attachment.snapshot())
            heap.take_profile(pprof.decode(attachment.request_bytes("profile dump")))

        for pid in process.descendants(worker):
            self._try(pid, take_all)

    def _try(self, pid, ask):
        heap = self.heaps.setdefault(pid, Heap(pid))
        if self._failures[pid] >= MAX_FAILURES:
            return
        try:
            if pid not in self._attachments:
                found = self._find(pid)
                if found is None:
                    self._note_absence(pid, heap)
                    return
                self._attachments[pid] = found
            ask(self._attachments[pid], heap)
            self._failures[pid] = 0
        except (UserError, OSError, ValueError, elf.NotElf):  # it ended, became another program, is not for us
            self._failures[pid] += 1
            self._drop(pid)

    def _note_absence(self, pid, heap):
        name, program = process.name(pid), process.executable(pid)
        if program is None or process.arguments(pid) in self._stages:
            return
        heap.program = name or heap.program
        absences = self._absences
        if absences[pid, program, name] < MAX_ABSENCES and _is_loaded(pid, program):
            absences[pid, program, name] += 1

    def strangers(self):
        """Names of programs without Spillway."""
        return {
            name
            for (pid, _, name), absences in self._absences.items()
            if absences >= MAX_ABSENCES and not self.heaps[pid].statistics
        }

    def _drop(self, pid):
        attachment = self._attachments.pop(pid, None)
        if attachment is not None:
            attachment.close()

    def close(self):
        for pid in list(self._attachments):
            self._drop(pid)


def _is_loaded(pid, program):
    """Whether its loader is done, however long that takes on a busy machine: what is preloaded comes before
    the library that has malloc."""
    return process.allocator(pid) is not None or elf.read(program).interpreter is None
