# SPDX-License-Identifier: MIT
"""Where things are, in the checkout or installed, and building them in the checkout when missing."""

import os
import pathlib
import subprocess
import sys

from spillway_cli import elf
from spillway_cli.errors import UserError

ROOT = pathlib.Path(__file__).resolve().parents[2]
# `cmake --install` lays out what these commands need like the checkout, without sources.
INSTALLED = not (ROOT / "scripts" / "build").exists()
RELEASE = ROOT / "programs" if INSTALLED else ROOT / "build" / "release"
LIBRARY = RELEASE / "libspillway.so"
INFO = RELEASE / "spillway_info"
TARGETS = {LIBRARY: "spillway_preload", INFO: "spillway_info"}
sys.path.append(str(ROOT / "bench"))  # for the package `report`

from report.peers import preload_complaint  # noqa: E402  (after the path is set)


def build(*targets):
    """Brings these of build/release up to date. The output goes to stderr: stdout is the caller's.

    Nothing when installed.
    """
    if INSTALLED:
        return
    done = subprocess.run(
        [ROOT / "scripts" / "build", "release", *targets], stdout=sys.stderr, check=False
    )
    if done.returncode != 0:
        raise UserError("the build failed (see above)")


def built(path):
    """`path`, one of TARGETS, after a build if it did not exist."""
    if not path.exists():
        build(TARGETS[path])
    if not path.exists():
        how = "was not installed" if INSTALLED else "was not made by the build"
        raise UserError(f"{path.relative_to(ROOT)} {how}")
    return path


def add_option(parser):
    """--lib, for library()."""
    parser.add_argument("--lib", metavar="PATH", help="another libspillway.so than the built one")


def library(given=None):
    """The absolute path of the library to preload: `given`, or the built one."""
    if given is None:
        return preloadable(built(LIBRARY))
    path = pathlib.Path(given).resolve()
    if not path.is_file():
        raise UserError(f"no such library: {given}")
    try:
        elf.read(path)
    except elf.NotElf as error:
        raise UserError(f"{given} is not an ELF library") from error
    return preloadable(path)


def reports():
    """Where `ab` writes: in the checkout, or in the user's cache where that is another user's, or is none."""
    folder = ROOT / "build" / "ab"
    present = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not INSTALLED and os.access(present, os.W_OK):
        return folder
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(cache) / "spillway" / "ab"


def preloadable(path):
    """`path`, if LD_PRELOAD can express it."""
    complaint = preload_complaint(path)
    if complaint:
        raise UserError(complaint)
    return path
