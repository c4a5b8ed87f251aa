# SPDX-License-Identifier: MIT
"""A watcher that tells when a library did not reach the process that this one is about to become.

It is a grandchild: the program keeps the caller's process id, terminal, signals and exit status, and
has no child that it did not start. It sleeps between short looks at /proc and ends within PATIENCE.
"""

import os
import sys
import time

from spillway_cli import process

PATIENCE = 2.0  # seconds; a program that lives longer without the library is running without it
MIN_SLEEP, MAX_SLEEP = 0.001, 0.05


def start(library):
    """Forks the watcher of this process and returns at once; call it just before the exec."""
    pid = os.getpid()
    if pid == 1:  # an orphan would become the program's own child
        return
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child != 0:
        os.waitpid(child, 0)
        return
    try:
        if os.fork() == 0:
            _let_go_of_files()
            look_for(library, pid)
    finally:
        os._exit(0)


def look_for(library, pid, patience=PATIENCE):
    """Returns as soon as `pid` has the library or is gone; after `patience`, tells that it has not."""
    sleep, deadline = MIN_SLEEP, time.monotonic() + patience
    while time.monotonic() < deadline:
        time.sleep(sleep)
        sleep = min(2 * sleep, MAX_SLEEP)
        files = process.mapped_files(pid)
        if not files or any(process.same_file(file, library) for file in files):
            return
    message = f"spillway: warning: process {pid} ({process.executable(pid)}) runs without {library}\n"
    os.write(2, message.encode())


def _let_go_of_files():
    """Only stderr stays open, so that a reader of the program's output sees its end in time."""
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.closerange(3, 1024)
