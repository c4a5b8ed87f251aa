# SPDX-License-Identifier: MIT
"""The allocators of Debian that Spillway is compared with, and what is to be known of a library."""

import os
import pathlib
import subprocess

# The library's file name, and the package that holds it.
DEBIAN = {
    "glibc": ("libc.so.6", "libc6"),
    "mimalloc": ("libmimalloc.so.2", "libmimalloc2.0"),
    "jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
}


def system_library(soname):
    """The library of this machine's own kind with that name in the loader's cache, or None."""
    own = _elf_kind("/proc/self/exe")
    for line in _lines("/sbin/ldconfig", "-p"):
        if line.strip().startswith(soname + " "):
            path = pathlib.Path(line.rpartition(" => ")[2])
            if _elf_kind(path) == own:
                return path
    return None


def library_version(path, package):
    """Of the package, if the file is its; `local` for one that was put there by other means."""
    if path is None:
        return "unknown"
    installed = _lines("dpkg-query", "-W", "-f=${binary:Package} ${Version}\n", package)
    for line in installed:
        name, _, version = line.partition(" ")
        if version and any(_is_file(path, file) for file in _lines("dpkg-query", "-L", name)):
            return version
    return "local"


def checkout_version(folder):
    lines = _lines("git", "-C", folder, "describe", "--always", "--dirty",
                   env=dict(os.environ, GIT_OPTIONAL_LOCKS="0"))
    return f"checkout {lines[0]}" if lines else "checkout"


def preload_complaint(path):
    """Why LD_PRELOAD can't name the path, or None: the loader splits it at spaces and colons."""
    if any(character in " :" for character in str(path)):
        return f"LD_PRELOAD cannot name a path with a space or colon: {path}"
    return None


def _is_file(path, file):
    """Whether both are one file; by name first, which spares a look at each file of a package."""
    try:
        return os.path.basename(file) == os.path.basename(path) and os.path.samefile(path, file)
    except OSError:
        return False


def _elf_kind(path):
    """(bits, machine) as the ELF header has them, or None."""
    try:
        with open(path, "rb") as file:
            head = file.read(20)
    except OSError:
        return None
    return (head[4], head[18:20]) if head[:4] == b"\x7fELF" and len(head) == 20 else None


def _lines(*command, **options):
    """What a command prints; nothing where it fails or is not installed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    except OSError:
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
