# SPDX-License-Identifier: MIT
"""What the tests of this folder share: the command line, and programs under the library."""
import contextlib
import os
import pathlib
import subprocess
import sys

from terminal import HANG_SECONDS

SPILLWAY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "spillway"
# The library, idle.c without it, linked with it, and statically, and leak.c.
LIBRARY, PLAIN, LINKED, STATIC, LEAK = (os.path.abspath(path) for path in sys.argv[1:6])
del sys.argv[1:6]


@contextlib.contextmanager
def program(*command, preload=True):
    """The program, as Popen, once it has said that it is ready; it may be told to end by its input."""
    environment = dict(os.environ)
    if preload:
        environment["LD_PRELOAD"] = LIBRARY
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as process:  # fmt: skip
        try:
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


def spillway(*arguments, **options):
    return subprocess.run(
        [SPILLWAY, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=HANG_SECONDS,
        stdin=subprocess.DEVNULL, **options,
    )  # fmt: skip
