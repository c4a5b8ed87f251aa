# SPDX-License-Identifier: MIT
"""The allocators to compare: where each one's library is, which version it has, how a process gets it."""

import dataclasses
import os
import pathlib
import re

from report.peers import DEBIAN, library_version, preload_complaint, system_library

BASELINE = "glibc"
SUBJECT = "spillway"


class BadAllocator(Exception):
    """A name that means nothing, or a library that can't be preloaded."""


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str
    library: pathlib.Path | None  # None: nothing is preloaded
    version: str = ""
    variables: dict = dataclasses.field(default_factory=dict)  # added to the environment

    def environment(self):
        """The caller's, with this allocator preloaded in place of any other."""
        environment = {name: value for name, value in os.environ.items() if name != "LD_PRELOAD"}
        if self.library:
            environment["LD_PRELOAD"] = str(self.library)
        return environment | self.variables

    def serves(self, malloc_from):
        """Whether malloc_from, a file as the benchmarks report it, is this allocator's."""
        if self.library is None:
            return pathlib.Path(malloc_from).name.startswith("libc.so")
        try:
            return os.path.samefile(malloc_from, self.library)
        except OSError:
            return False


class Catalogue:
    """What the entries of a list of allocators mean: NAME, or NAME=TEXT.

    known: name -> a function of the name; given: a function of the name and the TEXT. Both return
    (Allocator, None), or (None, what is missing), and raise BadAllocator for what is no allocator.
    """

    def __init__(self, known, given, max_name=None):
        self._known = known
        self._given = given
        self._max_name = max_name

    def find(self, entries):
        """([Allocator], [what is missing]) in the order of the entries."""
        names = [entry.partition("=")[0] for entry in entries]
        for name in names:
            if names.count(name) > 1:
                raise BadAllocator(f"allocator '{name}' is named twice")
        found = [self._find(entry) for entry in entries]
        return [one for one, _ in found if one], [missing for one, missing in found if not one]

    def _find(self, entry):
        name, equals, text = entry.partition("=")
        if equals:
            upto = "" if self._max_name is None else f" of up to {self._max_name} characters"
            if not re.fullmatch(r"[\w.+-]+", name) or len(name) > (self._max_name or len(name)):
                raise BadAllocator(f"'{name}' is not a name{upto}: letters, digits, '_', '.', '+', '-'")
            return self._given(name, text)
        if name not in self._known:
            known = ", ".join(self._known)
            raise BadAllocator(f"unknown allocator '{name}'; known: {known}, or NAME=/path/to/library.so")
        return self._known[name](name)


def debian(name):
    """One of DEBIAN, as Catalogue's functions return it."""
    file, package = DEBIAN[name]
    library = system_library(file)
    if library is None:
        return None, f"{name}: not installed (Debian's package {package})"
    return Allocator(name, library, library_version(library, package)), None


def built(name, path, version_of, variables=None):
    """A library that this checkout makes, as Catalogue's functions return it; version_of: takes nothing."""
    if not path.is_file():
        return None, f"{name}: no {path.name} in {path.parent} (scripts/build)"
    return Allocator(name, preloadable(path), version_of(), variables or {}), None


def preloadable(path):
    """`path`, if LD_PRELOAD can express it."""
    complaint = preload_complaint(path)
    if complaint:
        raise BadAllocator(complaint)
    return path
