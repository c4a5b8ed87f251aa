# SPDX-License-Identifier: MIT
"""The allocators that a comparison can name: where each one's library is and which version it has.

glibc is preloaded like the others, as libc.so.6 itself: so it is also the allocator of a program that
is linked with another one, such as Debian's redis-server with jemalloc.
"""

import functools
import re

from spillway_cli import check, elf, paths  # paths first: it finds the packages of bench
from spillway_cli.errors import UserError, usage_error
from spillway_cli.version import of_library

from harness.allocators import BASELINE, SUBJECT, Allocator, BadAllocator, Catalogue, built, debian
from report.peers import DEBIAN, checkout_version

SUBJECT_OFF = "spillway-off"  # the same library with its pool switched off: mimalloc alone
LIBRARY = "libspillway.so"
KNOWN = (*DEBIAN, SUBJECT, SUBJECT_OFF)
# NAME=spillway:OPTION:VALUE+OPTION:VALUE is the same library with these options.
WITH_OPTIONS = f"{SUBJECT}:"
DEFAULT = tuple(name for name in KNOWN if name != SUBJECT_OFF)
MAX_NAME = 12  # the tables' first column


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
    if BASELINE not in (entry.partition("=")[0] for entry in asked):
        asked.insert(0, BASELINE)
    known = dict.fromkeys(DEBIAN, debian)
    known[SUBJECT] = functools.partial(_built, variables={}, build_dir=build_dir)
    known[SUBJECT_OFF] = functools.partial(_built, variables={"SPILLWAY_ENABLED": "0"}, build_dir=build_dir)
    given = functools.partial(_given, build_dir=build_dir)
    try:
        found, left_out = Catalogue(known, given, MAX_NAME).find(asked)
    except BadAllocator as error:
        raise usage_error(str(error)) from None
    found.sort(key=lambda allocator: allocator.name != BASELINE)
    if not found or found[0].name != BASELINE:
        raise UserError("glibc's libc.so.6 was not found: there is nothing to compare with")
    return found, left_out


def _given(name, text, build_dir):
    if text.startswith(WITH_OPTIONS):
        return _with_options(name, text.removeprefix(WITH_OPTIONS), build_dir)
    path = paths.library(text)
    if "malloc" not in elf.read(path).defined:
        raise BadAllocator(f"{name}: {text} does not export malloc")
    return Allocator(name, path, "given by path"), None


def _built(name, variables, build_dir):
    version_of = (lambda: "as built") if build_dir else _own_version
    return built(name, (build_dir or paths.RELEASE).resolve() / LIBRARY, version_of, variables)


def _own_version():
    return of_library(paths.LIBRARY) if paths.INSTALLED else checkout_version(paths.ROOT)


def _with_options(name, options, build_dir):
    for option in options.split("+"):
        if not re.fullmatch(r"[a-z_]+:[^:]+", option):
            raise BadAllocator(f"{name}: '{option}' is not OPTION:VALUE, as in guard_pages:1")
    found, missing = _built(name, {"SPILLWAY_CONF": options.replace("+", ",")}, build_dir)
    if found is not None:
        said = check.complaint(found.library, found.variables)
        if said:
            raise BadAllocator(f"{name}: {said}")
    return found, missing
