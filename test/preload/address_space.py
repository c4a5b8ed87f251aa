#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""address_space.py LIBRARY PROGRAM: tight address-space limits (ulimit -v), where the arena must shrink or do without.

With 64 MiB and more, PROGRAM, bash and python3 do what they do without the library. Below, down to where nothing starts, a
request may fail, but no process may die of a signal.
"""
import os
import resource
import subprocess
import sys

library, program = sys.argv[1:]
PYTHON = "/usr/bin/python3"
ENOUGH_KIB = (65536, 98304, 131072, 262144, 1048576, 4194304, 67108864)
NOT_ENOUGH_KIB = tuple(range(4096, 65536, 2048))
COMMANDS = {
    "program": [program],
    "bash": ["bash", "-c", "text=$(printf '%05000d' {1..20}); echo ${#text}; (echo sub)"],
    "python3": [PYTHON, "-c", "print(sum(len(bytes(n)) for n in range(1, 300000, 999)), sorted('spillway'))"],
}
failures = 0


def run(command, preload, kib):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
    if preload:
        environment["LD_PRELOAD"] = library
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (kib * 1024, kib * 1024))
    try:
        result = subprocess.run(command, env=environment, preexec_fn=limit, capture_output=True, timeout=300)
        return result.returncode, result.stdout, result.stderr
    except subprocess.TimeoutExpired:
        return "hangs", b"", b""
    except OSError as error:  # exec itself failed
        return f"cannot start: {error}", b"", b""


def fail(name, kib, text):
    global failures
    failures += 1
    print(f"{name} with {kib} KiB: {text}")


for name, command in COMMANDS.items():
    if not os.path.exists(command[0]) and name == "python3":
        continue
    for kib in ENOUGH_KIB:
        plain, preloaded = run(command, False, kib), run(command, True, kib)
        if plain[0] != 0:
            fail(name, kib, f"fails without the library: {plain}")
        elif preloaded != plain:
            fail(name, kib, f"{preloaded} instead of {plain}")

started = 0
for kib in NOT_ENOUGH_KIB:
    status, _, text = run([program], True, kib)
    started += status in (0, 3)
    # 127 is the dynamic linker's: no room for the libraries. 4096 KiB may be too little for exec: SIGKILL or SIGSEGV there.
    if status not in (0, 3, 127) and run([program], False, kib)[0] == 0:
        fail("program", kib, f"{status}: {text.decode()}")
if started < len(NOT_ENOUGH_KIB) // 2:
    fail("program", NOT_ENOUGH_KIB[len(NOT_ENOUGH_KIB) // 2], "does not start with half of 64 MiB")
sys.exit(1 if failures else 0)
