# SPDX-License-Identifier: MIT
"""The allocators of the benchmarks: those of harness.allocators, and some that only benchmarks know."""

import dataclasses
import os
import pathlib

from harness import allocators as harness
from harness.allocators import BadAllocator, built, debian, preloadable
from report.peers import DEBIAN, checkout_version, library_version, system_library
from runner.goals import SUBJECT, BARE_MIMALLOC, LINKED, ONE_BLOCK

GLIBC = harness.BASELINE
PEERS = [name for name in DEBIAN if name != GLIBC]
BUILT = {SUBJECT: "libspillway.so", BARE_MIMALLOC: "libbare_mimalloc.so", ONE_BLOCK: "libone_block.so"}
DEFAULT = (GLIBC, *PEERS, BARE_MIMALLOC, SUBJECT)
KNOWN = (*DEFAULT, LINKED, ONE_BLOCK)
# Of the variables that the allocators read, how their names begin.
TUNING = ("SPILLWAY_", "MALLOC_", "MIMALLOC_", "TCMALLOC_", "RPMALLOC_", "GLIBC_TUNABLES")


@dataclasses.dataclass(frozen=True)
class Allocator(harness.Allocator):
    def program(self, folder, name):
        """The benchmark `name` for this allocator."""
        return folder / (f"{name}_linked" if self.name == LINKED else name)

    def serves(self, malloc_from):
        if self.name == LINKED:
            return pathlib.Path(malloc_from).name.endswith("_linked")
        return super().serves(malloc_from)


def tuning():
    """What is set in the environment for the allocators: it changes their figures."""
    return {name: os.environ[name] for name in sorted(os.environ) if name.startswith(TUNING)}


def find(names, build):
    """(found, left_out): Allocators, and a line for each default one that is not there.

    names: None for the default set, else names or name=/path/to/library.so, all of which must exist.
    """
    known = dict.fromkeys(PEERS, debian) | dict.fromkeys((GLIBC, LINKED), _plain)
    for name, file in BUILT.items():
        known[name] = lambda name, path=build / file: built(name, path, _own_version)
    found, missing = harness.Catalogue(known, _given).find(DEFAULT if names is None else names)
    if names is not None and missing:
        raise BadAllocator(missing[0])
    return [Allocator(**vars(one)) for one in found], missing


def _given(name, path):
    if name == LINKED:
        raise BadAllocator(f"'{name}' names the programs that are linked, no library")
    library = pathlib.Path(path).resolve()
    if not library.is_file():
        return None, f"{name}: no {path}"
    return Allocator(name, preloadable(library), "given by path"), None


def _plain(name):
    """Nothing is preloaded: the C library is what its processes have anyway."""
    if name == LINKED:
        return Allocator(name, None, _own_version()), None
    file, package = DEBIAN[name]
    return Allocator(name, None, library_version(system_library(file), package)), None


def _own_version():
    return checkout_version(pathlib.Path(__file__).parent)
