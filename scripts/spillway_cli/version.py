# SPDX-License-Identifier: MIT
"""`spillway --version`: the version of the commands, and that of the library that they use."""

import re

from spillway_cli import paths


def of_command():
    if paths.INSTALLED:
        return of_library(paths.LIBRARY) if paths.LIBRARY.exists() else "of unknown version"
    found = re.search(
        r"^project\(spillway VERSION (\S+)", (paths.ROOT / "CMakeLists.txt").read_text(encoding="utf-8"),
        re.MULTILINE,
    )  # fmt: skip
    return found[1] if found else "of unknown version"


def of_library(path):
    """From the notice that every library of ours carries; None without one."""
    found = re.search(rb"\0Spillway ([0-9][0-9.]*)[,\n]", path.read_bytes())
    return found[1].decode() if found else None


def lines():
    yield f"spillway {of_command()}"
    if not paths.LIBRARY.exists():
        how = "not installed" if paths.INSTALLED else "not built; scripts/build makes"
        yield f"library: {how} {paths.LIBRARY}"
    else:
        yield f"library: {of_library(paths.LIBRARY) or 'of unknown version'}, {paths.LIBRARY}"
