"""`spillway --version`: the version of the checkout, and that of the library that is built in it."""

import re

from spillway_cli import paths


def of_checkout():
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
    yield f"spillway {of_checkout()}"
    if not paths.LIBRARY.exists():
        yield f"library: not built; scripts/build makes {paths.LIBRARY}"
    else:
        yield f"library: {of_library(paths.LIBRARY) or 'of unknown version'}, {paths.LIBRARY}"
