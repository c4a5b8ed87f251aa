# SPDX-License-Identifier: MIT
"""Files that are there whole or not at all."""

import os
import pathlib
import tempfile


def write(path, text):
    """Replaces the file; when that fails, the old one stays and nothing else is left."""
    path = pathlib.Path(path)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        fresh.write_text(text, encoding="utf-8")
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def prepare(folder):
    """Makes the folder and tries it: OSError before the work rather than after it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
