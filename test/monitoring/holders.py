# SPDX-License-Identifier: MIT
"""Programs that hold memory and write statistics, for the tests beside this."""
import contextlib
import os
import subprocess
import time

HUNG = 60  # seconds after which a wait has failed


def environment(library, **options):
    return {"PATH": os.environ["PATH"], "LD_PRELOAD": library} | {
        f"SPILLWAY_{name.upper()}": str(value) for name, value in options.items()}


@contextlib.contextmanager
def holder(library, program, *arguments, pids=1, **options):
    """The running program and the process ids that it told; its input ends with the block, and what it said on stderr is
    `complaints` then."""
    with subprocess.Popen([program, *map(str, arguments)], env=environment(library, **options), text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            yield process, [int(process.stdout.readline()) for _ in range(pids)]
            process.stdin.close()
            process.wait(HUNG)
            process.complaints = process.stderr.read()
        finally:
            if process.poll() is None:
                process.kill()


def wait_until(condition, what):
    """What `condition()` returns once that is true."""
    end = time.monotonic() + HUNG
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {HUNG} seconds: {what}")
        time.sleep(0.02)
