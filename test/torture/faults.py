#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""faults.py LIBRARY PROGRAM sample | full: the kernel refuses PROGRAM (out_of_memory.cc) and python3 system calls.

strace makes call number K of each thread fail, once and from there on, for every system call that the program makes
and K to 60, under changing options; and both run with too little address space. They must end by themselves: PROGRAM
with status 0, python3 also with an error of its own; either may say that it could not be loaded. sample: a few of each.
"""
import os
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

SKIPPED = 77
NOT_LOADED = 127
HANG_SECONDS = 300
MAX = 60
ALL, STEP = 24, 3  # every call up to one, then some
PROGRESS_SECONDS = 60
MIB = 1 << 20
ADDRESS_SPACES = [int(12 * MIB * 1.22 ** step) for step in range(32)]
# For the machine's sake; the pool reserves less because of it.
MAX_ADDRESS_SPACE = 256 << 30
# Too few for an exception's memory.
KNOWN_SPACE = 20 * MIB
# Where the heads of mimalloc's segments are among them.
KNOWN = tuple(("", "mprotect", "ENOMEM", f"{which}+") for which in range(14, 31, 2))
# In a sample: of the calls that ask for memory and threads, and of each other one.
MANY, MEMORY_CALLS = 6, ("mmap", "munmap", "mprotect", "madvise", "brk", "clone", "clone3")
OPTIONS = ("", "purge_delay:0,purge_thread:0", "thp:always", "limit:20M,pressure:50", "prefill:64K:8,stats:json")

# What the kernel says when it refuses; anything else: EPERM, as a sandbox does.
ERRORS = {"mmap": ("ENOMEM",), "munmap": ("ENOMEM",), "mprotect": ("ENOMEM",), "madvise": ("ENOMEM", "EAGAIN"),
          "mremap": ("ENOMEM",), "brk": ("ENOMEM",), "clone": ("EAGAIN", "ENOMEM"), "clone3": ("EAGAIN", "ENOSYS"),
          "openat": ("EMFILE", "ENOENT"), "read": ("EIO",), "write": ("EIO", "ENOSPC")}
# Ends and waits, which can't fail so, and those of the C library's start that it does not look at.
NEVER = {"execve", "exit", "exit_group", "wait4", "rt_sigreturn", "arch_prctl", "restart_syscall", "futex",
         "set_tid_address", "gettid", "getpid", "rt_sigsuspend"}
SCRIPT = """
kept = [bytes(n) for n in (10, 1000, 5000, 70000, 1 << 20, 3 << 20)]
def work():
    for n in range(12):
        bytearray(3000 << n % 10)
work()
"""
# Without threads, as PROGRAM has them: Python waits for ever for one that has no memory to say that it started.
PYTHON = ["/usr/bin/python3", "-I", "-S", "-c", SCRIPT]


def limit_address_space(size):
    resource.setrlimit(resource.RLIMIT_AS, (size, size))


def run(command, options, address_space=MAX_ADDRESS_SPACE):
    environment = dict(os.environ, SPILLWAY_CONF=options)
    if command[0] != strace:
        environment["LD_PRELOAD"] = library
    process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, start_new_session=True,
                               preexec_fn=lambda: limit_address_space(address_space))
    try:
        output, _ = process.communicate(timeout=HANG_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        process.communicate()
        return None, f"no end in {HANG_SECONDS} seconds"
    return process.returncode, output


def is_not_loaded(status, output):
    return "cannot be preloaded" in output or (status == NOT_LOADED and "error while loading" in output)


def complaint(status, output, is_python):
    """A line that says why such an end is a failure, or None."""
    if status == 0 or is_not_loaded(status, output) or (is_python and status == 1):
        return None
    # Where Python or the C library itself gives up, it says so and aborts.
    if status in (-6, 134) and ("Fatal glibc error" in output or (is_python and "Fatal Python error" in output)):
        return None
    return f"status {status}: {output[-300:].strip()}"


def traced(command, *arguments):
    return [strace, "-f", "-qq", "--seccomp-bpf", "-E", f"LD_PRELOAD={library}", *arguments, *command]


def calls_of(command, options):
    """The names of the system calls that the command makes."""
    with tempfile.NamedTemporaryFile() as file:
        run(traced(command, "-o", file.name), options)
        with open(file.name, encoding="utf-8") as lines:
            names = {match[1] for line in lines if (match := re.match(r"(?:\d+ +)?(\w+)\(", line))}
    return names - NEVER


def refusal(command, options, call, error, when):
    return (f"{call} number {when}, {error}",
            traced(command, "-o", "/dev/null", "-e", f"trace={call}", "-e", f"inject={call}:error={error}:when={when}"),
            options, MAX_ADDRESS_SPACE)


def cases():
    """(what, command, options, address space) of each run."""
    for command in ([program], PYTHON):
        for options in OPTIONS:
            for size in ADDRESS_SPACES:
                yield f"address space of {size} bytes", command, options, size
        calls = set().union(*(calls_of(command, options) for options in OPTIONS))
        for call in sorted(calls):
            for error in ERRORS.get(call, ("EPERM",)):
                # Without its first mapping the dynamic linker crashes, whatever the program.
                for which in [*range(2 if call == "mmap" else 1, ALL), *range(ALL, MAX + 1, STEP)]:
                    for when in (f"{which}", f"{which}+"):
                        yield refusal(command, OPTIONS[which % len(OPTIONS)], call, error, when)


def sample(chosen):
    """Some of each system call and of the address spaces, the same ones whatever else there is."""
    by_call = {}
    for case in chosen:
        by_call.setdefault(case[0].split()[0], []).append(case)
    known = [refusal([program], *one) for one in KNOWN]
    known.append((f"address space of {KNOWN_SPACE} bytes", [program], "", KNOWN_SPACE))
    for call, its_cases in sorted(by_call.items()):
        count = MANY if call in MEMORY_CALLS or call == "address" else 1
        known += random.Random(call).sample(its_cases, min(count, len(its_cases)))
    return known


def main():
    if strace is None or subprocess.run([strace, "-qq", "-o", "/dev/null", "true"], capture_output=True,
                                        check=False).returncode != 0:
        print("skipped: strace cannot trace here")
        return SKIPPED
    chosen = list(cases())
    for command in ([program], PYTHON):
        if "spillway: " not in (run(command, "verbose:1")[1] or ""):
            print(f"{command[0]} does not run with the library")
            return 1
    if sys.argv[3] == "sample":
        chosen = sample(chosen)
    failed = not_loaded = 0
    said = time.monotonic()
    for count, (what, command, options, address_space) in enumerate(chosen):
        status, output = run(command, options, address_space)
        not_loaded += status is not None and is_not_loaded(status, output)
        text = complaint(status, output, PYTHON[0] in command)
        if text:
            failed += 1
            print(f"{'python3' if PYTHON[0] in command else 'out_of_memory'}, SPILLWAY_CONF={options}, {what}: {text}",
                  flush=True)
        if time.monotonic() - said > PROGRESS_SECONDS:
            said = time.monotonic()
            print(f"{count + 1} of {len(chosen)} runs, {failed} failed", flush=True)
    print(f"{len(chosen)} runs, {failed} failed; in {not_loaded} the library could not be loaded")
    return 1 if failed else 0


strace = shutil.which("strace")
library, program = (os.path.realpath(path) for path in sys.argv[1:3])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
sys.exit(main())
