# SPDX-License-Identifier: MIT
"""Finds Spillway's note (alloc/control/note.cc) in a process: which version, and where its control
page is.

The process's own memory is read, not the files that it was mapped from, which may be gone, or in
another mount namespace.
"""

import dataclasses
import os
import struct

NAME, KIND = b"Spillway\0", 1
CONTENTS = struct.Struct("<IIqqq")  # then the version as text
PT_LOAD, PT_INTERP, PT_NOTE, PT_PHDR = 1, 3, 4, 6
AT_PHDR, AT_PHENT, AT_PHNUM = 3, 4, 5
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
PAGE = 4096
MAX_HEADERS, MAX_NOTES = 64, 1 << 16


@dataclasses.dataclass(frozen=True)
class Note:
    protocol: int
    version: str
    page: int  # addresses in the process
    gate: int
    entry: int  # 0: none
    how: str  # "preloaded", "linked" or "static"
    path: str  # of the file that it is in, as the process knows it


@dataclasses.dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    offset: int
    path: str


def find(pid, memory):
    """The notes in the process: the program's own first, whose malloc comes first, then those of its
    libraries by address. FileNotFoundError, ProcessLookupError, PermissionError, memory.Gone."""
    files = _mappings(pid)
    images = [mapping for mapping in files if mapping.offset == 0]
    found = []
    program = _program(pid, memory, files)
    if program is not None:
        base, headers, path = program
        images = [mapping for mapping in images if mapping.path != path]
        how = "linked" if any(kind == PT_INTERP for kind, _, _ in headers) else "static"
        found += _notes_of(memory, base, headers, how, path)
    for mapping in images:
        headers = _headers(memory.read_up_to(mapping.start, PAGE))
        found += _notes_of(memory, mapping.start, headers, "preloaded", mapping.path)
    return found


def _mappings(pid):
    """The mappings of files, by address."""
    found = []
    with open(f"/proc/{pid}/maps", "rb") as file:
        for line in file.read().splitlines():
            fields = line.split(None, 5)
            if len(fields) == 6 and fields[5].startswith(b"/"):
                start, end = (int(word, 16) for word in fields[0].split(b"-"))
                found.append(Mapping(start, end, int(fields[2], 16), os.fsdecode(fields[5])))
    return found


def _program(pid, memory, files):
    """(what its addresses count from, program headers, path) of the program itself; None when the
    process does not say."""
    with open(f"/proc/{pid}/auxv", "rb") as file:
        data = file.read()
    auxiliary = dict(struct.iter_unpack("<QQ", data[: len(data) // 16 * 16]))
    at, count = auxiliary.get(AT_PHDR, 0), auxiliary.get(AT_PHNUM, 0)
    around = next((mapping for mapping in files if mapping.start <= at < mapping.end), None)
    size = count * PROGRAM_HEADER.size
    if around is None or auxiliary.get(AT_PHENT) != PROGRAM_HEADER.size or count > MAX_HEADERS:
        return None
    headers = _table(memory.read_up_to(at, size)[:size])
    own = next((address for kind, address, _ in headers if kind == PT_PHDR), None)
    if own is None:  # static: the first segment has the headers
        first = min((address for kind, address, _ in headers if kind == PT_LOAD), default=0)
        return around.start - first // PAGE * PAGE, headers, around.path
    return at - own, headers, around.path


def _table(data):
    """(type, address, size in memory) of each program header."""
    whole = len(data) // PROGRAM_HEADER.size * PROGRAM_HEADER.size
    return [
        (kind, address, size)
        for kind, _, _, address, _, _, size, _ in PROGRAM_HEADER.iter_unpack(data[:whole])
    ]


def _headers(head):
    """The program headers of an ELF file of 64 bits in its first page; empty for anything else."""
    if len(head) < 64 or head[:6] != b"\x7fELF\x02\x01":
        return []
    at = struct.unpack_from("<Q", head, 32)[0]
    size, count = struct.unpack_from("<HH", head, 54)
    if size != PROGRAM_HEADER.size or at + size * count > len(head):
        return []
    return _table(head[at : at + size * count])


def _notes_of(memory, base, headers, how, path):
    found = []
    for kind, address, size in headers:
        if kind != PT_NOTE or size > MAX_NOTES:
            continue
        data = memory.read_up_to(base + address, size)
        contents = _contents(data)
        if contents is not None:
            found.append(_note(base + address + contents, data[contents:], how, path))
    return found


def _contents(data):
    """Where in a note segment ours has its contents; None without."""
    at = 0
    while at + 12 <= len(data):
        name, size, kind = struct.unpack_from("<III", data, at)
        start = at + 12 + (name + 3) // 4 * 4
        is_whole = CONTENTS.size < size <= len(data) - start
        if kind == KIND and data[at + 12 : at + 12 + name] == NAME and is_whole:
            return start
        at = start + (size + 3) // 4 * 4
    return None


def _note(at, data, how, path):
    protocol, _, page, gate, entry = CONTENTS.unpack_from(data)
    version = data[CONTENTS.size :].split(b"\0")[0].decode("ascii", "replace")
    return Note(
        protocol=protocol,
        version=version,
        page=at + 8 + page,
        gate=at + 16 + gate,
        entry=at + 24 + entry if entry else 0,
        how=how,
        path=path.removesuffix(" (deleted)"),
    )
