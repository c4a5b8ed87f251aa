# SPDX-License-Identifier: MIT
"""Names the functions of addresses in a profile, with binutils: addr2line where a file has debug information,
otherwise the symbols of the file (nm). What has no name is `[file+0x123]`."""

import bisect
import functools
import os
import re
import struct
import subprocess

PT_LOAD = 1
# Of a function, in what nm says: address, size, kind, name. Those without a size are left out.
SYMBOL = re.compile(r"([0-9a-f]+) ([0-9a-f]+) [tTwWiu] (.+)$")


class Symbols:
    """`names(address)`: the functions there, innermost first; more than one where calls were inlined."""

    def __init__(self, profile):
        self._names = {}
        self.strange = []  # files that are not what the process had mapped
        addresses = {address for sample in profile.samples for address in sample.addresses}
        by_mapping = {}
        for address in addresses:
            by_mapping.setdefault(profile.mapping_of(address), []).append(address)
        for mapping, some in by_mapping.items():
            self._name(mapping, some)

    def names(self, address):
        return self._names[address]

    def _name(self, mapping, addresses):
        if mapping is None:
            self._names.update((address, (f"[{address:#x}]",)) for address in addresses)
            return
        offsets = {address: address - mapping.start + mapping.offset for address in addresses}
        for address, offset in offsets.items():
            self._names[address] = (f"[{os.path.basename(mapping.file)}+{offset:#x}]",)
        segments = _segments(mapping.file)
        if not segments or (mapping.build_id and _build_id(mapping.file) != mapping.build_id):
            self.strange.append(mapping.file)
            return
        places = {}  # addresses as the file's linker had them
        for address, offset in offsets.items():
            for start, end, virtual in segments:
                if start <= offset < end:
                    places[address] = offset - start + virtual
        found = _by_debug_information(mapping.file, sorted(set(places.values())))
        for address, place in places.items():
            names = found.get(place) or _by_symbol(mapping.file, place)
            if names:
                self._names[address] = names


def _run(*command, text=""):
    """What it prints, or nothing."""
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, errors="replace", check=False)
    except OSError:
        return ""
    return done.stdout if done.returncode == 0 else ""


def _segments(path):
    """Offset, end and address of each loaded part of a 64-bit file; empty where that can't be read."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
            if head[:5] != b"\x7fELF\x02":
                return []
            order = "<" if head[5] == 1 else ">"
            (table,) = struct.unpack_from(order + "Q", head, 32)
            size, count = struct.unpack_from(order + "HH", head, 54)
            file.seek(table)
            content = file.read(size * count)
        segments = []
        for at in range(0, size * count, size):
            kind, _, offset, virtual, _, bytes_in_file = struct.unpack_from(order + "IIQQQQ", content, at)
            if kind == PT_LOAD:
                segments.append((offset, offset + bytes_in_file, virtual))
        return segments
    except (OSError, struct.error):
        return []


@functools.cache
def _build_id(path):
    for line in _run("readelf", "-n", "--", path).splitlines():
        if "Build ID:" in line:
            return line.split()[-1]
    return ""


def _by_debug_information(path, places):
    text = "".join(f"{place:#x}\n" for place in places)
    found = {}
    lines = iter(_run("addr2line", "-a", "-f", "-i", "-C", "-e", path, text=text).splitlines())
    names = None
    for line in lines:
        if line.startswith("0x"):
            names = found.setdefault(int(line, 16), [])
            continue
        # Without a line number the name is that of the last symbol before, however far away.
        if not next(lines, "??").startswith("??") and names is not None and line != "??":
            names.append(line)
    return {place: tuple(names) for place, names in found.items()}


@functools.cache
def _functions(path):
    """Addresses in order, and ends and names beside them."""
    functions = {}
    for options in (("-D",), ()):
        output = _run("nm", "-C", "-S", "--defined-only", *options, "--", path)
        for line in output.splitlines():
            found = SYMBOL.match(line)
            if found:
                start, size = int(found[1], 16), int(found[2], 16)
                functions[start] = (start + size, found[3].partition("@")[0])
    return sorted(functions), functions


def _by_symbol(path, place):
    starts, functions = _functions(path)
    index = bisect.bisect_right(starts, place)
    if index == 0:
        return ()
    end, name = functions[starts[index - 1]]
    return (name,) if place < end else ()
