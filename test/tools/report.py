#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""report.py asan|tsan|memcheck PROGRAM CASE: runs the program's case under the tool and checks the report.

A wrong use has to be reported with the stack of the use and, where there are such, those of the
return and of the allocation; a right one not at all. Exit status 77: the tool is not installed.
PRELOAD (environment): a library that is preloaded into the program.
"""
import os
import re
import shutil
import subprocess
import sys

SKIPPED = 77

# What has to come, in this order; regular expressions. Nothing: no report, and status 0.
BUFFER = r"spillway: 0x[0-9a-f]+ is {} bytes inside a buffer of the 4096-byte class\n"
RETURNED = BUFFER.format(16) + r"spillway: returned by thread \d+ here:"
ALLOCATED = r"spillway: allocated by thread \d+ here:"
FREED = r"is 16 bytes inside a block of size 4,096 free'd"
TAKEN = r"#\d+ .*take_buffer"
HEAP = ["AddressSanitizer: heap-use-after-free", "#0 .*read_byte", "freed by", r"#\d+ .*give_block",
        "previously allocated by", r"#\d+ .*take_block"]
HEAP_MEMCHECK = ["Invalid read of size 1", "at .*read_byte", "free'd", "at .*: free ",
                 "by .*give_block", "Block was alloc'd at", "at .*: malloc ", "by .*take_block"]
EXPECTED = {
    "asan": {
        "use_after_return": [
            "use-after-poison", "READ of size 1", r"#0 .*read_byte", "use_after_return",
            RETURNED, r"#\d+ .*give_buffer", "use_after_return",
            ALLOCATED, TAKEN, "use_after_return"],
        "shared_after_return": [
            "use-after-poison", "WRITE of size 1", r"#0 .*write_byte", RETURNED,
            r"#\d+ .*give_shared", ALLOCATED, TAKEN],
        "raw_after_return": [
            "use-after-poison", r"#0 .*write_byte", RETURNED, r"#\d+ .*give_raw", ALLOCATED, TAKEN],
        "beyond_end": [
            "use-after-poison", r"#0 .*write_byte", BUFFER.format(0) + "spillway: never allocated"],
        "beyond_request": [
            "use-after-poison", r"#0 .*write_byte", BUFFER.format(1004) + ALLOCATED,
            "BlockSource::allocate"],
        "return_twice": [
            "given back twice", r"#\d+ .*return_twice", BUFFER.format(0) + "spillway: returned by",
            r"#\d+ .*give_raw", ALLOCATED, TAKEN],
        "unpooled_after_return": [
            "heap-use-after-free", r"#0 .*read_byte", "freed by", r"#\d+ .*give_buffer",
            "previously allocated by"],
        "small": HEAP,
        "pooled": HEAP,
        "large": HEAP,
        "reallocated": [HEAP[0], HEAP[1], HEAP[2], "reallocated", HEAP[4], HEAP[5]],
        "twice": ["attempting double-free", "give_block", "freed by", "give_block", HEAP[4], HEAP[5]],
        "correct": [],
    },
    "tsan": {
        "correct": [],
    },
    "memcheck": {
        "small": HEAP_MEMCHECK,
        "pooled": HEAP_MEMCHECK,
        "large": HEAP_MEMCHECK,
        "twice": ["Invalid free", "give_block", "free'd", "give_block", "Block was alloc'd at",
                  "take_block"],
        "use_after_return": [
            "Invalid read of size 1", "at .*read_byte", "use_after_return", FREED,
            "by .*give_buffer", "Block was alloc'd at", "by .*take_buffer"],
        "shared_after_return": [
            "Invalid write of size 1", "at .*write_byte", FREED, "by .*give_shared",
            "Block was alloc'd at", "by .*take_buffer"],
        "raw_after_return": [
            "Invalid write of size 1", "at .*write_byte", FREED, "by .*give_raw",
            "Block was alloc'd at", "by .*take_buffer"],
        "beyond_end": [
            "Invalid write of size 1", "at .*write_byte",
            "is 0 bytes after a block of size 4,096 alloc'd", "by .*take_buffer"],
        "return_twice": [
            "given back twice", "Invalid free", "by .*return_twice",
            "is 0 bytes inside a block of size 4,096 free'd", "by .*give_raw",
            "Block was alloc'd at", "by .*take_buffer"],
        "unpooled_after_return": [
            "Invalid read of size 1", "at .*read_byte", "free'd", "by .*give_buffer",
            "Block was alloc'd at"],
        "uninitialised": ["depends on uninitialised value", "at .*uninitialised"],
        "leak": ["4,096 bytes in 1 blocks are definitely lost", "by .*take_buffer", "by .*leak"],
        "correct": [],
    },
}
REPORTED = re.compile(r"Sanitizer|^==\d+==|^spillway:", re.MULTILINE)


def missing(expected, text):
    """The first expression that does not come after those before it, or None."""
    at = 0
    for expression in expected:
        match = re.compile(expression).search(text, at)
        if not match:
            return expression
        at = match.end()
    return None


def main():
    tool, program, case = sys.argv[1:]
    command = [program, case]
    if tool == "memcheck":
        if not shutil.which("valgrind"):
            print("skipped: no valgrind")
            return SKIPPED
        command = ["valgrind", "-q", "--leak-check=full", "--error-exitcode=1"] + command
    # The first report ends the program; the tools' other settings are the default ones.
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("ASAN_OPTIONS", "TSAN_OPTIONS")}
    if "PRELOAD" in environment:
        environment["LD_PRELOAD"] = environment["PRELOAD"]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace", check=False, env=environment)
    expected = EXPECTED[tool][case]
    problem = None
    if expected:
        if result.returncode == 0:
            problem = "the program succeeded"
        elif missing(expected, result.stdout):
            problem = f"not reported: {missing(expected, result.stdout)}"
    elif result.returncode != 0 or REPORTED.search(result.stdout):
        problem = f"status {result.returncode}"
    if problem:
        print(f"{problem}; the output:", result.stdout, sep="\n")
    return 1 if problem else 0


if __name__ == "__main__":
    sys.exit(main())
