# SPDX-License-Identifier: MIT
"""The allocators to compare: where they are, and whether the right one really serves a process."""

import dataclasses
import os
import pathlib
import re

from report.peers import (
    DEBIAN, checkout_version, library_version, preload_complaint, system_library,
)  # fmt: skip
from runner.goals import SUBJECT, FALLBACK, LINKED, ONE_BLOCK

GLIBC = "glibc"
PEERS = {name: file for name, (file, _) in DEBIAN.items() if name != GLIBC}
BUILT = {SUBJECT: "libspillway.so", FALLBACK: "libbare_mimalloc.so", ONE_BLOCK: "libone_block.so"}
DEFAULT = (GLIBC, *PEERS, FALLBACK, SUBJECT)
KNOWN = (*DEFAULT, LINKED, ONE_BLOCK)
# Of the variables that the allocators read, how their names begin.
TUNING = ("SPILLWAY_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "RPMALLOC_", "GLIBC_TUNABLES")


class BadAllocator(Exception):
    """A name that means nothing, or a library that can't be preloaded."""


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str
    library: pathlib.Path | None  # None: nothing is preloaded
    version: str = ""

    def program(self, folder, name):
        """The benchmark `name` for this allocator."""
        return folder / (f"{name}_linked" if self.name == LINKED else name)

    def environment(self):
        """The caller's, tuning() included, with this allocator preloaded."""
        environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
        if self.library:
            environment["LD_PRELOAD"] = str(self.library)
        return environment

    def serves(self, malloc_from):
        """Whether malloc_from, a file as the benchmarks report it, is this allocator's."""
        if self.name == LINKED:
            return pathlib.Path(malloc_from).name.endswith("_linked")
        if self.library is None:
            return pathlib.Path(malloc_from).name.startswith("libc.so")
        try:
            return os.path.samefile(malloc_from, self.library)
        except OSError:
            return False


def tuning():
    """What is set in the environment for the allocators: it changes their figures."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(TUNING)}


def preloadable(path):
    complaint = preload_complaint(path)
    if complaint:
        raise BadAllocator(complaint)
    return path


def find(names, build):
    """(found, left_out): Allocators, and a line for each default one that is not there.

    names: None for the default set, else names or name=/path/to/library.so, all of which must exist.
    """
    found, left_out = [], []
    for text in names or DEFAULT:
        allocator, missing = _given(text) if "=" in text else _known(text, build)
        if allocator:
            found.append(allocator)
        elif names:
            raise BadAllocator(missing)
        else:
            left_out.append(missing)
    if len({allocator.name for allocator in found}) != len(found):
        raise BadAllocator("an allocator is named twice")
    return found, left_out


def _given(text):
    """(Allocator, None), or (None, what is missing)"""
    name, _, path = text.partition("=")
    if name == LINKED or not re.fullmatch(r"[\w.+-]+", name):
        raise BadAllocator(f"'{name}' can't name a library: letters, digits, '.', '+', '-', "
                           f"but not {LINKED}")
    library = pathlib.Path(path).resolve()
    if not library.is_file():
        return None, f"{name}: no {path}"
    return Allocator(name, preloadable(library), "given by path"), None


def _known(name, build):
    """As _given()."""
    if name in (GLIBC, LINKED):  # nothing is preloaded
        return Allocator(name, None, _version(name, None)), None
    if name in PEERS:
        file = PEERS[name]
        library = system_library(file)
    elif name in BUILT:
        file = build / BUILT[name]
        library = file if file.is_file() else None
    else:
        raise BadAllocator(f"unknown allocator '{name}': one of {', '.join(KNOWN)}, "
                           "or NAME=/path/to/library.so")
    if library is None:
        return None, f"{name}: no {file}"
    return Allocator(name, preloadable(library), _version(name, library)), None


def _version(name, library):
    if name in DEBIAN:
        file, package = DEBIAN[name]
        return library_version(library or system_library(file), package)
    return checkout_version(pathlib.Path(__file__).parent)
