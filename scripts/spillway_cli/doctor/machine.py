# SPDX-License-Identifier: MIT
"""Facts of the machine: kernel settings, limits of this process, its control group, the library itself.

`read()` gathers them, `findings(facts)` judges; the second looks at nothing else.
"""

import ctypes
import dataclasses
import os
import platform
import re
import resource

from spillway_cli import kernel
from spillway_cli.doctor.cgroup import Group
from spillway_cli.doctor.finding import note, ok, problem
from spillway_cli.figures.units import bytes_text

MEMBARRIER = {"x86_64": 324, "aarch64": 283}  # the number of the system call
PRIVATE_EXPEDITED = 1 << 3 | 1 << 4  # the command and its registration
CAP_SYS_PTRACE = 19
MIN_ADDRESS_SPACE = 128 << 20  # a quarter of what is left has to hold a pool of 16 MiB; the rest is room
MIMALLOC_COMMITS = 32 << 20
MIN_KERNEL = (4, 14)  # membarrier's private expedited command


@dataclasses.dataclass(frozen=True)
class Facts:
    machine: str  # as uname has it
    kernel: str
    libc: str  # "glibc 2.36"; empty where it is another one
    page_size: int
    overcommit: int | None  # None, here and below: the kernel does not say
    huge_pages: str | None
    ptrace_scope: int | None  # None: there is no Yama
    may_trace: bool  # has CAP_SYS_PTRACE
    membarrier: bool
    address_space: int | None  # None: not limited
    locked_memory: int | None
    group: Group
    preloaded: tuple  # names in LD_PRELOAD and ld.so.preload
    library: str  # its path
    version: str | None
    library_complaint: str | None  # why it does not load
    option_complaint: str | None  # what it says of SPILLWAY_ variables that are set


def limit(which):
    soft = resource.getrlimit(which)[0]
    return None if soft == resource.RLIM_INFINITY else soft


def libc():
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""


def has_membarrier(machine):
    call = MEMBARRIER.get(machine)
    if call is None:
        return False
    commands = ctypes.CDLL(None, use_errno=True).syscall(call, 0, 0, 0)
    return commands >= 0 and commands & PRIVATE_EXPEDITED == PRIVATE_EXPEDITED


def may_trace(status):
    """Of the text of /proc/self/status."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", status or "", re.MULTILINE)
    return found is not None and int(found[1], 16) >> CAP_SYS_PTRACE & 1 == 1


def read(library, version, library_complaint, option_complaint, preloaded):
    machine = platform.machine()
    return Facts(
        machine=machine,
        kernel=platform.release(),
        libc=libc(),
        page_size=resource.getpagesize(),
        overcommit=kernel.number("/proc/sys/vm/overcommit_memory"),
        huge_pages=kernel.chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
        ptrace_scope=kernel.number("/proc/sys/kernel/yama/ptrace_scope"),
        may_trace=may_trace(kernel.text("/proc/self/status")),
        membarrier=has_membarrier(machine),
        address_space=limit(resource.RLIMIT_AS),
        locked_memory=limit(resource.RLIMIT_MEMLOCK),
        group=Group.read(),
        preloaded=tuple(preloaded),
        library=str(library),
        version=version,
        library_complaint=library_complaint,
        option_complaint=option_complaint,
    )


def findings(facts):
    """One for each question, in the order of the page."""
    found = [
        _library(facts), _system(facts), _kernel(facts), _page_size(facts), _overcommit(facts),
        _huge_pages(facts), _address_space(facts), _locked_memory(facts), _group_limit(facts),
        _pressure(facts), _control(facts),
    ]  # fmt: skip
    if facts.option_complaint:
        action = "correct or unset the variable; `spillway options` lists them all"
        found.append(note("options", f"the environment has a mistake: {facts.option_complaint}", action))
    if facts.preloaded:
        names = ", ".join(facts.preloaded)
        action = "unset LD_PRELOAD, or empty /etc/ld.so.preload, if one of them is an allocator"
        found.append(note("preload", f"preloaded already, behind Spillway: {names}", action))
    return found


def _library(facts):
    if facts.library_complaint:
        action = "`spillway check` tells more; copy libspillway.so from a build for this machine"
        return problem("library", f"{facts.library} does not load: {facts.library_complaint}", action)
    return ok("library", f"Spillway {facts.version or 'of unknown version'} loads into a program")


def _system(facts):
    if facts.machine not in MEMBARRIER:
        return problem("system", f"the processor is {facts.machine}: there is no Spillway for it",
                       "use it on x86-64 or 64-bit ARM")  # fmt: skip
    if not facts.libc.startswith("glibc"):
        return problem("system", "the C library is not glibc: preloading does not work",
                       "use a system with glibc, such as Debian")  # fmt: skip
    if facts.machine == "aarch64":
        return note("system", f"64-bit ARM, {facts.libc}: tested in an emulator, not on a machine",
                    "run your own tests with Spillway first")  # fmt: skip
    return ok("system", f"{facts.machine}, {facts.libc}")


def _kernel(facts):
    numbers = tuple(map(int, re.findall(r"\d+", facts.kernel)[:2]))
    if numbers < MIN_KERNEL:
        wanted = ".".join(map(str, MIN_KERNEL))
        return note("kernel", f"Linux {facts.kernel} is older than {wanted}: idle threads keep their caches",
                    "set cache_budget:0, or a newer kernel, where that is too much memory")  # fmt: skip
    if not facts.membarrier:
        return note("kernel", f"Linux {facts.kernel} refuses membarrier: idle threads keep their caches",
                    "allow membarrier in the sandbox's seccomp filter")  # fmt: skip
    return ok("kernel", f"Linux {facts.kernel} has the calls that Spillway makes")


def _page_size(facts):
    if facts.page_size != 4096:
        return note("page size", f"pages of {facts.page_size // 1024} KiB work, and are tested in an emulator; "
                    "free memory goes back in such steps", "expect more resident memory than with 4 KiB")  # fmt: skip
    return ok("page size", "4 KiB, as measured and tested")


def _overcommit(facts):
    if facts.overcommit == 2:
        return note("overcommit", "vm.overcommit_memory is 2: each process commits "
                    f"{bytes_text(MIMALLOC_COMMITS)} at its start, and requests fail at the limit",
                    "raise vm.overcommit_ratio if programs don't start")  # fmt: skip
    if facts.overcommit is None:
        return note("overcommit", "vm.overcommit_memory can't be read; Spillway reserves a large range of addresses",
                    "see pool_off in the statistics of a run: 0 is good")  # fmt: skip
    return ok("overcommit", f"vm.overcommit_memory is {facts.overcommit}: a large address range is free")


def _huge_pages(facts):
    if facts.huge_pages in (None, "never"):
        return note("huge pages", "the kernel gives none: a large, dense heap pays more page faults",
                    "echo madvise >/sys/kernel/mm/transparent_hugepage/enabled")  # fmt: skip
    if facts.huge_pages == "always":
        return note("huge pages", "always: the kernel also gives them where they make unused memory resident",
                    "set thp:never if AnonHugePages in smaps_rollup is more than you use")  # fmt: skip
    return ok("huge pages", f"{facts.huge_pages}: Spillway asks for them where a heap is dense")


def _address_space(facts):
    if facts.address_space is None:
        return ok("ulimit -v", "address space is not limited")
    text = f"address space is limited to {bytes_text(facts.address_space)}: "
    if facts.address_space < MIN_ADDRESS_SPACE:
        return note("ulimit -v", text + "too little for a pool, all requests go to mimalloc", "raise `ulimit -v`")
    return note("ulimit -v", text + "the pool takes a quarter of what the program leaves, then mimalloc serves",
                "raise `ulimit -v`, or limit memory by hard_limit or a control group")  # fmt: skip


def _locked_memory(facts):
    if facts.locked_memory is None or facts.may_trace:
        return ok("ulimit -l", "a program may lock its memory")
    return ok("ulimit -l", f"{bytes_text(facts.locked_memory)} may be locked: matters to mlockall alone")


def _group_limit(facts):
    if facts.group.limit is None:
        return ok("cgroup", "no memory limit: limit:80% is of the machine's memory")
    return ok("cgroup", f"limited to {bytes_text(facts.group.limit)}: limit:80% gives memory back in time")


def _pressure(facts):
    if facts.group.pressure is None:
        return note("pressure", "the kernel does not say how long programs wait for memory: option pressure has no "
                    "effect",
                    "boot with psi=1, or mount /sys/fs/cgroup in the container")  # fmt: skip
    return ok("pressure", f"option pressure reads {facts.group.pressure}")


def _control(facts):
    scope = facts.ptrace_scope
    if scope in (None, 0) or (facts.may_trace and scope < 3):
        return ok("tracing", "ctl, top and ps reach all processes that you may debug")
    if scope == 1:
        return note("tracing", "kernel.yama.ptrace_scope is 1: ctl and top reach only what they started, or need root",
                    "start programs with SPILLWAY_CONTROL=user, or use sudo")  # fmt: skip
    action = "reboot with another value: 3 can't be changed" if scope == 3 else "use sudo"
    return note("tracing", f"kernel.yama.ptrace_scope is {scope}: ctl, top and ps don't reach processes", action)
