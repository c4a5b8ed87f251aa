#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A core dump of a process under the library: small, made at once, and with its blocks in it.

core.py LIBRARY PROGRAM    (PROGRAM prints the address of a block and its process id, then waits)
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

MAX_BYTES = 400 << 20  # the program has some 100 MiB
SKIPPED = 77


def main():
    library, program = sys.argv[1:]
    if shutil.which("gcore") is None:
        print("no gcore here")
        return SKIPPED
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ, LD_PRELOAD=library)
        with subprocess.Popen([program], env=environment, stdout=subprocess.PIPE, text=True,
                              stdin=subprocess.PIPE) as process:
            try:
                blocks = process.stdout.readline().split()
                made = subprocess.run(["gcore", "-o", f"{folder}/core", str(process.pid)],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            finally:
                process.kill()
        core = pathlib.Path(f"{folder}/core.{process.pid}")
        if not core.exists():
            if "ptrace" in made.stdout:
                print("no process may be traced here")
                return SKIPPED
            print(made.stdout)
            return 1
        size = core.stat().st_size
        print(f"{size >> 20} MiB")
        commands = [f"--ex=x/s {block}" for block in blocks]
        seen = subprocess.run(["gdb", "-q", "-batch", program, str(core), *commands],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
        found = seen.count('"a block of the program\'s"')
        if found != len(blocks):
            print(seen)
        return 0 if size <= MAX_BYTES and found == len(blocks) else 1


if __name__ == "__main__":
    sys.exit(main())
