# SPDX-License-Identifier: MIT
"""Programs that bring an allocator: they define malloc themselves, or need the library of a known one."""

import dataclasses
import os
import pathlib
import re
import subprocess

from spillway_cli import elf, target
from spillway_cli.version import of_library

# By the library's name; where a program needs one of them, it was built for it.
LIBRARIES = (
    (r"libjemalloc\b", "jemalloc"),
    (r"libtcmalloc(_minimal)?(_and_profiler)?(_debug)?\b", "tcmalloc"),
    (r"libmimalloc(-\w+)?\b", "mimalloc"),
    (r"libsnmalloc\w*(-\w+)*\b", "snmalloc"),
    (r"librpmalloc\w*\b", "rpmalloc"),
    (r"libhoard\b", "Hoard"),
    (r"lib(clang_rt\.)?scudo\w*\b", "scudo"),
    (r"libhardened_malloc(-\w+)?\b", "hardened_malloc"),
    (r"libtbbmalloc_proxy\b", "TBB malloc"),
    (r"libmesh\b", "Mesh"),
    (r"libllalloc\b", "Lockless"),
)
SPILLWAY = "Spillway"
LOADER = re.compile(r"ld-linux[\w-]*\.so\.\d+$")


@dataclasses.dataclass(frozen=True)
class OwnAllocator:
    name: str | None  # None: not a known one
    file: str  # that has it: the program's path, or the library's name
    in_program: bool  # no preloaded library can take its place
    foreign: tuple = ()  # functions that the program calls of its heap; elf.FOREIGN

    @property
    def is_spillway(self):
        """Whether the program is linked with libspillway.a."""
        return (self.name or "").startswith(SPILLWAY)

    def text(self):
        """`jemalloc`, or `its own malloc`."""
        return self.name or "its own malloc"


def known(soname):
    """The allocator whose library has this name, or None."""
    for pattern, name in LIBRARIES:
        if re.match(pattern + r".*\.so", soname):
            return name
    return None


def find(path):
    """The OwnAllocator of the program `path`, an ELF file; None where malloc is the C library's, and for
    static programs but those that are linked with Spillway.

    Asks the loader what the program needs: some milliseconds. Nothing of the program runs.
    """
    binary = elf.read(path)
    foreign = tuple(sorted(binary.wanted.intersection(elf.FOREIGN)))
    is_static = binary.interpreter is None
    if "malloc" in binary.defined or is_static:
        version = of_library(pathlib.Path(path))
        name = f"{SPILLWAY} {version}" if version else _by_symbols(binary)
        return OwnAllocator(name, path, True, foreign) if version or not is_static else None
    for soname in needed(path, binary):
        name = known(soname)
        if name is not None:
            return OwnAllocator(name, soname, False, foreign)
    return None


def beside(path, obstacle):
    """find() of what `path`, maybe a script, executes; `obstacle`: of target.obstacle(). None where that
    says all."""
    if obstacle is None or obstacle.kind in ("own malloc", "static"):
        return find(target.program(path))
    return None


def _by_symbols(binary):
    return next((name for symbol, name in elf.ALLOCATORS.items() if symbol in binary.defined), None)


def needed(path, binary):
    """The names of all libraries that the program needs, those that its libraries need, too."""
    if binary.interpreter is None or not LOADER.search(binary.interpreter):
        return list(binary.needed)
    variables = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
    try:
        done = subprocess.run(
            [binary.interpreter, "--list", path],
            env=variables, capture_output=True, text=True, errors="replace", check=False,
        )  # fmt: skip
    except OSError:
        return list(binary.needed)
    listed = [os.path.basename(line.split()[0]) for line in done.stdout.splitlines() if line.split()]
    return list(dict.fromkeys([*binary.needed, *listed]))
