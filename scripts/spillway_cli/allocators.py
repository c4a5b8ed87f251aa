# SPDX-License-Identifier: MIT
"""The allocators that a comparison can name: where each one's library is and which version it has.

glibc is preloaded like the others, as libc.so.6 itself: so it is also the allocator of a program that
is linked with another one, such as Debian's redis-server with jemalloc.
"""

import dataclasses
import pathlib
import re

from report.peers import DEBIAN, checkout_version, library_version, system_library
from spillway_cli import check, elf, paths
from spillway_cli.errors import UserError, usage_error
from spillway_cli.version import of_library

BASELINE = "glibc"
SUBJECT = "spillway"
SUBJECT_OFF = "spillway-off"  # the same library with its pool switched off: mimalloc alone
# The library's file name, and the Debian package that holds it.
KNOWN = {**DEBIAN, SUBJECT: ("libspillway.so", None), SUBJECT_OFF: ("libspillway.so", None)}
# NAME=spillway:OPTION:VALUE+OPTION:VALUE is the same library with these options.
WITH_OPTIONS = f"{SUBJECT}:"
DEFAULT = tuple(name for name in KNOWN if name != SUBJECT_OFF)


@dataclasses.dataclass(frozen=True)
class Allocator:
    name: str
    library: pathlib.Path
    version: str
    variables: dict = dataclasses.field(default_factory=dict)  # added to the environment


def add_option(parser):
    parser.add_argument(
        "--allocators",
        metavar="A,B,...",
        help=f"of {', '.join(KNOWN)}, NAME=/path/to/lib.so, or NAME={WITH_OPTIONS}OPTION:VALUE+... for "
        f"Spillway with options (default: all installed but {SUBJECT_OFF}, Spillway with enabled:0)",
    )


def entries(text):
    """Those of a list such as `glibc,a=/b.so`; without a list those of DEFAULT."""
    return [entry.strip() for entry in text.split(",") if entry.strip()] if text else list(DEFAULT)


def needs_library(text):
    """Whether a list as of entries() has one of those that the built libspillway.so serves."""
    return any(
        entry in (SUBJECT, SUBJECT_OFF) or entry.partition("=")[2].startswith(WITH_OPTIONS)
        for entry in entries(text)
    )


def usable(text, build_dir=None):
    """As choose(), and without those that do not load into a program; the baseline has to."""
    found, left_out = choose(text, build_dir)
    loadable = []
    for allocator in found:
        reason = check.probe(allocator.library)
        if reason is None:
            loadable.append(allocator)
        elif allocator.name == BASELINE:
            raise UserError(f"{BASELINE}: {reason}: there is nothing to compare with")
        else:
            left_out.append(f"{allocator.name}: {reason}")
    return loadable, left_out


def choose(text, build_dir=None):
    """(allocators, what was left out and why, one line each) for a list as of entries().

    The baseline comes first, asked for or not. An allocator of Debian's that is not installed is left
    out, and Spillway when its library is not in `build_dir`, by default build/release; a path that
    does not exist, or an unknown name, is an error.
    """
    asked = entries(text)
    names = [entry.partition("=")[0] for entry in asked]
    for name in names:
        if names.count(name) > 1:
            raise usage_error(f"allocator '{name}' is named twice")
    if BASELINE not in names:
        asked.insert(0, BASELINE)
    found, left_out = [], []
    for entry in asked:
        allocator, reason = _find(entry, build_dir)
        if allocator is not None:
            found.append(allocator)
        else:
            left_out.append(reason)
    found.sort(key=lambda allocator: allocator.name != BASELINE)
    if not found or found[0].name != BASELINE:
        raise UserError("glibc's libc.so.6 was not found: there is nothing to compare with")
    return found, left_out


def _find(entry, build_dir):
    name, equals, given = entry.partition("=")
    if equals:
        if not re.fullmatch(r"[\w.+-]{1,12}", name):
            raise usage_error(f"'{name}' is not a name of up to 12 letters, digits, '.', '+', '-'")
        if given.startswith(WITH_OPTIONS):
            return _with_options(name, given.removeprefix(WITH_OPTIONS), build_dir)
        path = paths.library(given)
        if "malloc" not in elf.read(path).defined:
            raise usage_error(f"{name}: {given} does not export malloc")
        return Allocator(name, path, "given by path"), None
    if name not in KNOWN:
        known = ", ".join(KNOWN)
        raise usage_error(f"unknown allocator '{name}'; known: {known}, or NAME=/path/to/lib.so")
    soname, package = KNOWN[name]
    if package is None:
        return _built(name, {"SPILLWAY_ENABLED": "0"} if name == SUBJECT_OFF else {}, build_dir)
    path = system_library(soname)
    if path is None:
        return None, f"{name}: not installed (Debian's package {package})"
    return Allocator(name, path, library_version(path, package)), None


def _built(name, variables, build_dir):
    soname, _ = KNOWN[SUBJECT]
    path = (build_dir or paths.RELEASE).resolve() / soname
    if not path.exists():
        return None, f"{name}: no {soname} in {path.parent} (scripts/build)"
    version = "as built" if build_dir else _own_version()
    return Allocator(name, paths.preloadable(path), version, variables), None


def _own_version():
    return of_library(paths.LIBRARY) if paths.INSTALLED else checkout_version(paths.ROOT)


def _with_options(name, options, build_dir):
    for option in options.split("+"):
        if not re.fullmatch(r"[a-z_]+:[^:]+", option):
            raise usage_error(f"{name}: '{option}' is not OPTION:VALUE, as in guard_pages:1")
    found, reason = _built(name, {"SPILLWAY_CONF": options.replace("+", ",")}, build_dir)
    if found is not None:
        said = check.complaint(found.library, found.variables)
        if said:
            raise usage_error(f"{name}: {said}")
    return found, reason
