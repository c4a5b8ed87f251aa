# SPDX-License-Identifier: MIT
"""What /proc tells about a running process: mapped files, environment, the allocator in use.

Every function returns None, or an empty collection, for a process that has ended; PermissionError
passes through.
"""

import os
import pathlib

from spillway_cli import elf

SYSTEM_PRELOAD = "/etc/ld.so.preload"


def _read(pid, name):
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None


def mapped_files(pid):
    """The files mapped into `pid`, each once, by address; a replaced file keeps ` (deleted)`."""
    text = _read(pid, "maps") or b""
    found = {}
    for line in text.splitlines():
        fields = line.split(None, 5)
        if len(fields) == 6 and fields[5].startswith(b"/"):
            found[os.fsdecode(fields[5])] = None
    return list(found)


def arguments(pid):
    """The argument list that the process was started with; empty when it has ended."""
    text = _read(pid, "cmdline") or b""
    return [os.fsdecode(word) for word in text.removesuffix(b"\0").split(b"\0")] if text else []


def environment(pid):
    """The environment that the process was started with, as a dict of strings."""
    text = _read(pid, "environ")
    if text is None:
        return None
    pairs = (os.fsdecode(entry).partition("=") for entry in text.split(b"\0") if entry)
    return {name: value for name, _, value in pairs}


def executable(pid):
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except (FileNotFoundError, ProcessLookupError):
        return None


def children(pid):
    """The processes that `pid` is the parent of, those of all its threads."""
    found = []
    try:
        tasks = os.listdir(f"/proc/{pid}/task")
    except (FileNotFoundError, ProcessLookupError):
        return found
    for task in tasks:
        text = _read(pid, f"task/{task}/children")
        found += [int(word) for word in (text or b"").split()]
    return found


def name(pid):
    """What the kernel calls the process, for messages."""
    text = _read(pid, "comm")
    return None if text is None else os.fsdecode(text.removesuffix(b"\n"))


def is_alive(pid):
    """Whether it is more than a process that waits to be waited for."""
    text = _read(pid, "stat")
    return bool(text) and text.rpartition(b")")[2].split()[0] not in (b"Z", b"X")


def session(pid):
    """The session's id; None when the process is gone."""
    text = _read(pid, "stat")
    return int(text.rpartition(b")")[2].split()[3]) if text else None


def descendants(pid):
    """Children, their children and so on; a snapshot that may be old when it arrives."""
    found = []
    for child in children(pid):
        found.append(child)
        found += descendants(child)
    return found


def preload_list(variables):
    """The names that the loader preloads, in its order."""
    names = variables.get("LD_PRELOAD", "").replace(":", " ").split()
    try:
        names += pathlib.Path(SYSTEM_PRELOAD).read_text(encoding="utf-8").replace(":", " ").split()
    except OSError:
        pass
    return names


def allocator(pid, preloaded=()):
    """The mapped file whose malloc the process calls: the first definition in the loader's order.

    The order is: the program, the preloaded libraries, then the needed ones breadth first. None when
    nothing mapped exports malloc, as in a statically linked program. Libraries that were opened with
    RTLD_DEEPBIND may call another one. Files known to be `preloaded` count even when the process has
    overwritten its environment, as redis does to set its title.
    """
    program, variables = executable(pid), environment(pid)
    if program is None or variables is None:
        return None
    mapped = {os.path.basename(path): path for path in reversed(mapped_files(pid))}
    images = {}

    def image(path):
        if path not in images:
            try:
                images[path] = elf.read(path.removesuffix(" (deleted)"))
            except (OSError, elf.NotElf):
                images[path] = None
        return images[path]

    for path in mapped.copy().values():  # a needed library is named by its soname
        found = image(path)
        if found is not None and found.soname:
            mapped.setdefault(found.soname, path)
    queue = [program]
    queue += [mapped.get(os.path.basename(name)) for name in preload_list(variables)]
    queue += [path for known in preloaded for path in mapped.values() if same_file(path, known)]
    seen = set()
    while queue:
        path = queue.pop(0)
        if path is None or path in seen:
            continue
        seen.add(path)
        found = image(path)
        if found is None:
            continue
        if "malloc" in found.defined:
            return path
        queue += [mapped.get(name) for name in found.needed]
    return None


def same_file(left, right):
    """Whether two paths name one file; a replaced file is still the one of its name."""
    left, right = (str(path).removesuffix(" (deleted)") for path in (left, right))
    return left == right or os.path.realpath(left) == os.path.realpath(right)
