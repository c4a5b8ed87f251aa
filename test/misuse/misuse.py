#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""misuse.py [--preload LIBRARY] [--conf CONF] [--tenant] MODES PROGRAM: the exact outcome of one misuse.

PROGRAM's first line of output says what it will do (see misuse.h). MODES is a comma-separated list of values of
SPILLWAY_ON_MISUSE; `default` leaves it unset. abort: SIGABRT after one line on stderr; report: the same line, and the
program goes on; ignore: it goes on silently.
--tenant: its blocks are a tenant's, and watched. CONF is what SPILLWAY_CONF holds; in hardened mode a block has no class but its exact size.
"""
import os
import re
import resource
import signal
import subprocess
import sys

SKIPPED = 77

# The one place that knows the message's form.
MESSAGE = re.compile(
    r"spillway: (?:(?P<double>double free of|realloc of a freed block:)|invalid (?:free|realloc) of) "
    r"0x(?P<address>[0-9a-f]+), "
    r"(?:(?:(?P<start>a block)|(?P<offset>\d+) bytes? inside a block|(?P<before>before the start of a block)) of "
    r"(?:the (?P<size_class>\d+)-byte class|(?P<size>\d+) bytes)|"
    r"(?P<small>a small block)|(?P<outside>never allocated|in no block(?: of the pool)?))\n")
# Where the freed block's page may be gone, and its size with it.
GONE = re.compile("spilled|exited_thread|at_thread_end")
# Of an address outside the pool: the kind is "foreign-CALL".
FOREIGN = re.compile(r"spillway: invalid (?P<call>\w+) of 0x(?P<address>[0-9a-f]+), not a block of this allocator\n")


def kind_of(match):
    if match["double"]:
        return "double" if match["start"] or match["small"] else "nonsense"
    if match["outside"]:
        return "never" if match["outside"] == "never allocated" else "nowhere"
    if match["before"]:
        return "before"
    return "nonsense" if match["start"] else "interior"


def message_problem(expected, text):
    kind, address, offset, size_class = expected
    if kind.startswith("foreign-"):
        match = FOREIGN.fullmatch(text)
        right = match and (match["call"], int(match["address"], 16)) == (kind[len("foreign-"):], int(address, 16))
        return None if right else f"stderr is not the line of an invalid {kind[len('foreign-'):]} of {address}"
    match = MESSAGE.fullmatch(text)
    if not match:
        return "stderr is not exactly one such line"
    if kind_of(match) != kind:
        return f"'{kind}' expected"
    if int(match["address"], 16) != int(address, 16):
        return f"the address is not {address}"
    if kind == "interior" and match["offset"] != offset:
        return f"the offset is not {offset}"
    if match["small"]:
        return None if int(size_class) < 4096 and GONE.search(program) else "the block's size is missing"
    if size_class != "0" and (match["size_class"] or match["size"]) != size_class:
        return f"the class is not {size_class}"
    return None


def problem(mode):
    environment = {"PATH": os.environ["PATH"], "SPILLWAY_CONF": conf}
    if tenant:
        environment["MISUSE_IN_TENANT"] = "1"
    if preload:
        environment["LD_PRELOAD"] = preload
    if mode != "default":
        environment["SPILLWAY_ON_MISUSE"] = mode
    no_core = lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    result = subprocess.run([program], env=environment, preexec_fn=no_core, capture_output=True, text=True, timeout=300)
    lines = result.stdout.splitlines()
    if result.returncode == SKIPPED:
        print(result.stdout)
        sys.exit(SKIPPED)
    if not lines or len(lines[0].split()) != 4:
        return f"did not get as far as its misuse: status {result.returncode}", result.stderr
    went_on = lines[1:] == ["survived"]
    if mode in ("default", "abort"):
        if went_on or result.returncode != -signal.SIGABRT:
            return f"status {result.returncode} instead of SIGABRT", result.stderr
    elif not went_on or result.returncode != 0:
        return f"status {result.returncode} instead of going on", result.stderr
    if mode == "ignore":
        return (None if result.stderr == "" else "not silent"), result.stderr
    return message_problem(lines[0].split(), result.stderr), result.stderr


arguments = sys.argv[1:]
preload = None
if arguments[0] == "--preload":
    preload, arguments = arguments[1], arguments[2:]
conf = ""
if arguments[0] == "--conf":
    conf, arguments = arguments[1], arguments[2:]
tenant = arguments[0] == "--tenant"
modes, program = arguments[1:] if tenant else arguments
failed = False
for each in modes.split(","):
    text, stderr = problem(each)
    if text:
        failed = True
        print(f"{os.path.basename(program)}, {each}: {text}\n  stderr: {stderr!r}")
sys.exit(1 if failed else 0)
