"""The allocators that a comparison can name: where each one's library is and which version it has.

glibc is preloaded like the others, as libc.so.6 itself: so it is also the allocator of a program that
is linked with another one, such as Debian's redis-server with jemalloc.
"""

import dataclasses
import pathlib
import re
import subprocess

from report.peers import DEBIAN, checkout_version, package_version
from spillway_cli import check, elf, paths
from spillway_cli.errors import UserError, usage_error

BASELINE = "glibc"
SUBJECT = "spillway"
# The library's file name, and the Debian package that holds it.
KNOWN = {**DEBIAN, SUBJECT: ("libspillway.so", None)}


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str
    library: pathlib.Path
    version: str


def add_option(parser):
    parser.add_argument(
        "--allocators",
        metavar="A,B,...",
        help=f"of {', '.join(KNOWN)}, or NAME=/path/to/lib.so (default: all installed)",
    )


def usable(text):
    """As choose(), and without those that do not load into a program."""
    found, left_out = choose(text)
    loadable = []
    for allocator in found:
        reason = check.probe(allocator.library)
        if reason is None:
            loadable.append(allocator)
        else:
            left_out.append(f"{allocator.name}: {reason}")
    return loadable, left_out


def choose(text):
    """(allocators, what was left out and why, one line each) for a list such as `glibc,a=/b.so`.

    The baseline comes first, asked for or not. An allocator of Debian's that is not installed is left
    out; a path that does not exist, or an unknown name, is an error.
    """
    entries = [entry.strip() for entry in text.split(",") if entry.strip()] if text else list(KNOWN)
    names = [entry.partition("=")[0] for entry in entries]
    for name in names:
        if names.count(name) > 1:
            raise usage_error(f"allocator '{name}' is named twice")
    if BASELINE not in names:
        entries.insert(0, BASELINE)
    found, left_out = [], []
    for entry in entries:
        allocator, reason = _find(entry)
        if allocator is not None:
            found.append(allocator)
        else:
            left_out.append(reason)
    found.sort(key=lambda allocator: allocator.name != BASELINE)
    if not found or found[0].name != BASELINE:
        raise UserError("glibc's libc.so.6 was not found: there is nothing to compare with")
    return found, left_out


def _find(entry):
    name, equals, given = entry.partition("=")
    if equals:
        if not re.fullmatch(r"[\w.+-]{1,12}", name):
            raise usage_error(f"'{name}' is not a name of up to 12 letters, digits, '.', '+', '-'")
        path = paths.library(given)
        if "malloc" not in elf.read(path).defined:
            raise usage_error(f"{name}: {given} does not export malloc")
        return Allocator(name, path, "given by path"), None
    if name not in KNOWN:
        known = ", ".join(KNOWN)
        raise usage_error(f"unknown allocator '{name}'; known: {known}, or NAME=/path/to/lib.so")
    soname, package = KNOWN[name]
    if package is None:
        if not paths.LIBRARY.exists():
            return None, f"{name}: not built (scripts/build)"
        return Allocator(name, paths.preloadable(paths.LIBRARY), checkout_version(paths.ROOT)), None
    path = system_library(soname)
    if path is None:
        return None, f"{name}: not installed (Debian's package {package})"
    return Allocator(name, path, package_version(package)), None


def system_library(soname):
    """The library of this machine's own kind with that name in the loader's cache, or None."""
    own = elf.read("/proc/self/exe")
    done = subprocess.run(
        ["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=False
    )
    for line in done.stdout.splitlines():
        if not line.strip().startswith(soname + " "):
            continue
        path = pathlib.Path(line.rpartition(" => ")[2])
        try:
            library = elf.read(path)
        except (OSError, elf.NotElf):
            continue
        if (library.bits, library.machine) == (own.bits, own.machine):
            return path
    return None
