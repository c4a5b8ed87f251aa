# SPDX-License-Identifier: MIT
"""Reads from an ELF file what decides about preloading: machine, loader, needed libraries, symbols.

`read(path)` returns an Elf or raises NotElf; OSError passes through. Costs a few milliseconds for a
large library: only the headers, the dynamic section and the dynamic symbols are looked at.
"""

import dataclasses
import mmap
import struct

PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3
SHT_DYNSYM = 11
DT_NEEDED, DT_STRTAB, DT_STRSZ, DT_SONAME = 1, 5, 10, 14
DEFINING_BINDINGS = (1, 2)  # STB_GLOBAL, STB_WEAK


class NotElf(Exception):
    """The file is not an ELF file, or a damaged one."""


@dataclasses.dataclass(frozen=True)
class Elf:
    bits: int  # 32 or 64
    machine: int  # e_machine
    interpreter: str | None  # the loader; None in libraries and static programs
    needed: tuple
    soname: str | None
    defined: frozenset  # of WATCHED: what this file exports


# What a sanitizer's run-time library defines, by the name that -fsanitize= knows it under. Only those
# that replace malloc.
SANITIZERS = {
    "__asan_init": "address",
    "__dfsan_init": "dataflow",
    "__hwasan_init": "hwaddress",
    "__lsan_init": "leak",
    "__msan_init": "memory",
    "__tsan_init": "thread",
}
# The symbols whose definition makes a file an allocator, and those of sanitizers.
WATCHED = ("malloc", "free", *SANITIZERS)


def read(path):
    with open(path, "rb") as file:
        try:
            image = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # empty
            raise NotElf(path) from error
        with image:
            try:
                return _parse(image)
            except (struct.error, IndexError, ValueError) as error:
                raise NotElf(path) from error


def _parse(image):
    if image[:4] != b"\x7fELF" or image[4] not in (1, 2) or image[5] not in (1, 2):
        raise ValueError("no ELF header")
    bits = 32 * image[4]
    order = "<" if image[5] == 1 else ">"
    word = "Q" if bits == 64 else "I"
    machine = struct.unpack_from(order + "H", image, 18)[0]
    offsets = struct.unpack_from(order + word * 2, image, 32 if bits == 64 else 28)
    sizes = struct.unpack_from(order + "HHHH", image, 54 if bits == 64 else 42)
    segments = [
        _segment(image, offsets[0] + i * sizes[0], order, bits) for i in range(sizes[1])
    ]
    sections = [
        _section(image, offsets[1] + i * sizes[2], order, bits) for i in range(sizes[3])
    ]

    interpreter = None
    entries = []
    for kind, offset, _, size in segments:
        if kind == PT_INTERP:
            interpreter = image[offset : offset + size].rstrip(b"\0").decode()
        elif kind == PT_DYNAMIC:
            step = struct.calcsize(order + word * 2)
            entries = [
                struct.unpack_from(order + word * 2, image, at)
                for at in range(offset, offset + size - step + 1, step)
            ]
    values = dict(entries)
    strings = b""
    if DT_STRTAB in values:
        at = _file_offset(segments, values[DT_STRTAB])
        strings = image[at : at + values.get(DT_STRSZ, 0)]
    return Elf(
        bits=bits,
        machine=machine,
        interpreter=interpreter,
        needed=tuple(_string(strings, value) for tag, value in entries if tag == DT_NEEDED),
        soname=_string(strings, values[DT_SONAME]) if DT_SONAME in values else None,
        defined=_defined(image, sections, strings, order, bits),
    )


def _segment(image, at, order, bits):
    """(type, file offset, address, size in the file)"""
    if bits == 64:
        kind, _, offset, address, _, size = struct.unpack_from(order + "IIQQQQ", image, at)
    else:
        kind, offset, address, _, size = struct.unpack_from(order + "IIIII", image, at)
    return kind, offset, address, size


def _section(image, at, order, bits):
    """(type, file offset, size)"""
    form = order + ("IIQQQQ" if bits == 64 else "IIIIII")
    _, kind, _, _, offset, size = struct.unpack_from(form, image, at)
    return kind, offset, size


def _file_offset(segments, address):
    for kind, offset, start, size in segments:
        if kind == PT_LOAD and start <= address < start + size:
            return offset + address - start
    raise ValueError("an address outside the file")


def _string(strings, at):
    return strings[at : strings.index(b"\0", at)].decode()


def _defined(image, sections, strings, order, bits):
    form = struct.Struct(order + ("IBBHQQ" if bits == 64 else "IIIBBH"))
    found = set()
    for kind, offset, size in sections:
        if kind != SHT_DYNSYM:
            continue
        whole = size - size % form.size
        for fields in form.iter_unpack(image[offset : offset + whole]):
            name, info, section = (
                (fields[0], fields[1], fields[3]) if bits == 64 else (fields[0], fields[3], fields[5])
            )
            if section == 0 or info >> 4 not in DEFINING_BINDINGS:
                continue
            for symbol in WATCHED:
                if strings.startswith(symbol.encode() + b"\0", name):
                    found.add(symbol)
    return frozenset(found)
