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
    wanted: frozenset  # of WATCHED: what it takes from others


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
# By which functions known allocators are told apart, in the file that defines them.
ALLOCATORS = {
    "mallctl": "jemalloc",
    "je_mallctl": "jemalloc",
    "tc_malloc": "tcmalloc",
    "MallocExtension_Internal_GetNumericProperty": "tcmalloc",
    "mi_malloc": "mimalloc",
    "sn_malloc": "snmalloc",
    "rpmalloc": "rpmalloc",
    "moz_arena_malloc": "mozjemalloc",
    "__scudo_print_stats": "scudo",
    "scalable_malloc": "TBB malloc",
}
# Functions that give or take blocks of one allocator's heap, whatever `malloc` is: a program that uses them
# may give such a block to the `free` of another.
FOREIGN = (
    "mallocx", "rallocx", "dallocx", "sdallocx", "je_malloc", "tc_malloc", "tc_free", "mi_malloc", "mi_free",
    "mi_heap_malloc", "sn_malloc", "rpmalloc", "scalable_malloc",
)  # fmt: skip
# The symbols whose definition makes a file an allocator, those of known ones, and those of sanitizers.
WATCHED = frozenset(("malloc", "free", *SANITIZERS, *ALLOCATORS, *FOREIGN))


def read(path):
    with open(path, "rb") as file:
        try:
            image = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # empty
            raise NotElf(path) from error
        with image:
            try:
                return _parse(image)
            except (struct.error, IndexError, ValueError, OverflowError) as error:
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
    defined, wanted = _watched(image, sections, strings, order, bits)
    return Elf(
        bits=bits,
        machine=machine,
        interpreter=interpreter,
        needed=tuple(_string(strings, value) for tag, value in entries if tag == DT_NEEDED),
        soname=_string(strings, values[DT_SONAME]) if DT_SONAME in values else None,
        defined=defined,
        wanted=wanted,
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


def _watched(image, sections, strings, order, bits):
    """Of WATCHED: (what the file defines, what it only names)."""
    form = struct.Struct(order + ("IBBHQQ" if bits == 64 else "IIIBBH"))
    places = dict(_places(strings))
    defined, wanted = set(), set()
    for kind, offset, size in sections:
        if kind != SHT_DYNSYM:
            continue
        whole = size - size % form.size
        for fields in form.iter_unpack(image[offset : offset + whole]):
            symbol = places.get(fields[0])
            if symbol is None:
                continue
            info, section = (fields[1], fields[3]) if bits == 64 else (fields[3], fields[5])
            if info >> 4 in DEFINING_BINDINGS:
                (wanted if section == 0 else defined).add(symbol)
    return frozenset(defined), frozenset(wanted - defined)


def _places(strings):
    """(place, name) of WATCHED in a table of strings, where one may be the end of another."""
    for symbol in WATCHED:
        name = symbol.encode() + b"\0"
        at = strings.find(name)
        while at >= 0:
            yield at, symbol
            at = strings.find(name, at + 1)
