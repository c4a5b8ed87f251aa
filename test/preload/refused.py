#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""refused.py LIBRARY PROGRAM for-good | sweep CALL MAX: the kernel refuses system calls of PROGRAM (refused.c).

for-good: PROGRAM itself makes one kind of call fail from some point on. sweep: strace makes the call number K of each
thread fail, for each K to MAX, once and from there on. PROGRAM must end by itself, may say that it could not start,
and must neither be killed nor hang.
"""
import os
import resource
import shutil
import subprocess
import sys

SKIPPED = 77
SECONDS = 60
# For the machine's sake; more than a program may take that is to fail for taking too much.
ADDRESS_SPACE = 64 << 30
NOT_LOADED = 127  # the dynamic linker's status when it is refused something itself


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def problem(command, environment=None):
    process = subprocess.Popen(command, env=environment, preexec_fn=limit, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        output, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return f"no end in {SECONDS} seconds"
    if process.returncode == SKIPPED:
        print(output)
        sys.exit(SKIPPED)
    return None if process.returncode in (0, NOT_LOADED) else f"status {process.returncode}: {output}"


def for_good():
    for call, error in (("mprotect", 12), ("mmap", 12), ("munmap", 12), ("madvise", 11), ("madvise", 12)):
        yield f"{call}, error {error}", [program, call, str(error)], {"LD_PRELOAD": library}


def sweep(call, max_number):
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], capture_output=True,
                                        check=False).returncode != 0:
        print("skipped: strace cannot trace here")
        sys.exit(SKIPPED)
    arguments = ["grow"] if call in ("openat", "pread64") else []  # then the heap reads a file
    # Without its first mapping the dynamic linker crashes, whatever the program.
    for which in range(2 if call == "mmap" else 1, max_number + 1):
        for when in (f"{which}", f"{which}+"):
            yield f"{call} number {when}", [strace, "-f", "-qq", "-o", "/dev/null", "-E", f"LD_PRELOAD={library}",
                                            "-e", f"trace={call}", "-e", f"inject={call}:error=ENOMEM:when={when}",
                                            program, *arguments], None


library, program = (os.path.realpath(path) for path in sys.argv[1:3])
cases = for_good() if sys.argv[3] == "for-good" else sweep(sys.argv[4], int(sys.argv[5]))
failed = False
for name, command, environment in cases:
    text = problem(command, environment)
    if text:
        failed = True
        print(f"{name}: {text}")
sys.exit(1 if failed else 0)
