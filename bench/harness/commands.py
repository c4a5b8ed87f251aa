# SPDX-License-Identifier: MIT
"""A command that is run for what it prints, in a session of its own."""

import contextlib
import os
import signal
import subprocess


def run(command, environment, timeout=None):
    """(exit status, or -SIGNAL; stdout, stderr) as text. What ends the wait early, such as Ctrl-C or
    subprocess.TimeoutExpired, also ends all that the command forked. OSError where it can't be executed."""
    with subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, errors="replace",
                          start_new_session=True) as process:  # fmt: skip
        try:
            output, complaint = process.communicate(timeout=timeout)
        except BaseException:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
    return process.returncode, output, complaint
