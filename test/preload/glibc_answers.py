#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""glibc_answers.py LIBRARY PROGRAM: PROGRAM prints the same with LIBRARY preloaded as without.

Both have 20 GB of address space, so that it does not depend on the machine what can't be had.
"""
import difflib
import os
import resource
import subprocess
import sys

ADDRESS_SPACE = 20_000_000_000


def lines_of(program, preload):
    environment = {"LD_PRELOAD": preload} if preload else {}
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    result = subprocess.run([program], env=environment, preexec_fn=limit, capture_output=True, text=True, timeout=50)
    if result.returncode != 0 or result.stderr:
        sys.exit(f"preloaded '{preload or ''}': status {result.returncode}, {result.stderr}")
    return result.stdout.splitlines()


library, program = (os.path.realpath(path) for path in sys.argv[1:])
differences = list(difflib.unified_diff(lines_of(program, None), lines_of(program, library), "glibc", "spillway",
                                        lineterm="", n=0))
print("\n".join(differences[:40]))
sys.exit(1 if differences else 0)
