"""The allocators to compare: where they are, and whether the right one really serves a process."""

import dataclasses
import os
import pathlib
import sysconfig

from report.peers import DEBIAN, checkout_version, package_version
from runner.goals import SUBJECT, FALLBACK, LINKED

GLIBC = "glibc"
PEERS = {name: file for name, (file, _) in DEBIAN.items() if name != GLIBC}
BUILT = {SUBJECT: "libspillway.so", FALLBACK: "libbare_mimalloc.so"}
DEFAULT = (GLIBC, *PEERS, FALLBACK, SUBJECT)
KNOWN = (*DEFAULT, LINKED)


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


def _library_folders():
    triplet = sysconfig.get_config_var("MULTIARCH")
    folders = ["/usr/local/lib"]
    folders += [f"/usr/lib/{triplet}", f"/lib/{triplet}"] if triplet else []
    return [pathlib.Path(folder) for folder in [*folders, "/usr/lib64", "/usr/lib"]]


def _installed(file):
    return next((f / file for f in _library_folders() if (f / file).is_file()), None)


def _preloadable(path):
    if any(character in " :" for character in str(path)):
        raise BadAllocator(f"LD_PRELOAD cannot name a path with a space or colon: {path}")
    return path


def _version(name, given):
    if given:
        return "given by path"
    if name in DEBIAN:
        return package_version(DEBIAN[name][1])
    return checkout_version(pathlib.Path(__file__).parent)


def find(names, build):
    """(found, left_out): Allocators, and a line for each default one that is not there.

    names: None for the default set, else names or name=/path/to/library.so, all of which must exist.
    """
    found, left_out = [], []
    for text in names or DEFAULT:
        name, given, path = text.partition("=")
        if given:
            library = pathlib.Path(path).resolve()
            place = library if library.is_file() else None
            wanted = path
        elif name == GLIBC:
            found.append(Allocator(name, None, _version(name, None)))
            continue
        elif name == LINKED:
            found.append(Allocator(name, None, _version(name, None)))
            continue
        elif name in PEERS:
            wanted = PEERS[name]
            place = _installed(wanted)
        elif name in BUILT:
            wanted = str(build / BUILT[name])
            place = build / BUILT[name] if (build / BUILT[name]).is_file() else None
        else:
            raise BadAllocator(f"unknown allocator '{name}': one of {', '.join(KNOWN)}, "
                               "or NAME=/path/to/library.so")
        if place:
            found.append(Allocator(name, _preloadable(place), _version(name, given)))
        elif names:
            raise BadAllocator(f"{name}: no {wanted}")
        else:
            left_out.append(f"{name}: no {wanted}")
    if len({allocator.name for allocator in found}) != len(found):
        raise BadAllocator("an allocator is named twice")
    return found, left_out
