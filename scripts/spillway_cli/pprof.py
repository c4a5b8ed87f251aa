# SPDX-License-Identifier: MIT
"""Reads a profile in pprof's format, as Spillway writes it and `pprof` and others do: plain or gzipped.

`read(path)` returns a Profile or raises UserError; OSError becomes one, too. Only what a heap profile needs
of profile.proto is kept.
"""

import dataclasses
import gzip
import zlib

from spillway_cli.errors import UserError

GZIP = b"\x1f\x8b"
SIZES = "size>="  # begins the comments that Spillway writes of sizes
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclasses.dataclass(frozen=True)
class Mapping:
    start: int
    end: int
    offset: int  # of `start` in the file
    file: str
    build_id: str


@dataclasses.dataclass(frozen=True)
class Sample:
    addresses: tuple  # innermost first
    values: dict  # by the type's name


@dataclasses.dataclass(frozen=True)
class Sizes:
    """Of all requests from `min_bytes` up to the next bucket's, in any stack."""

    min_bytes: int
    values: dict  # by the type's name


@dataclasses.dataclass(frozen=True)
class Profile:
    types: tuple  # names
    samples: tuple
    mappings: tuple
    period: int  # bytes between two samples
    nanoseconds: int  # since 1970
    drop_frames: str  # pattern of functions that are left out at the inner end
    sizes: tuple = ()  # the smallest first; empty in profiles that are not Spillway's

    def mapping_of(self, address):
        return next((one for one in self.mappings if one.start <= address < one.end), None)


def read(path):
    try:
        with open(path, "rb") as file:
            content = file.read()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    try:
        return decode(gzip.decompress(content) if content.startswith(GZIP) else content)
    except (ValueError, IndexError, KeyError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not a profile in pprof's format") from error


def decode(content):
    fields = _by_number(content)
    strings = [text.decode(errors="replace") for text in fields.get(6, [])]
    if not strings or strings[0]:
        raise ValueError("no strings")
    types = tuple(strings[_number(_by_number(one), 1)] for one in fields.get(1, []))
    if not types:
        raise ValueError("no types")
    mappings = []
    for one in map(_by_number, fields.get(3, [])):
        name, build_id = strings[_number(one, 5)], strings[_number(one, 6)]
        mappings.append(Mapping(_number(one, 2), _number(one, 3), _number(one, 4), name, build_id))
    addresses = {}
    for one in map(_by_number, fields.get(4, [])):
        addresses[_number(one, 1)] = _number(one, 3)
    samples = []
    for one in map(_by_number, fields.get(2, [])):
        stack = tuple(addresses[number] for number in _numbers(one, 1))
        samples.append(Sample(stack, dict(zip(types, _numbers(one, 2), strict=True))))
    return Profile(
        types=types,
        samples=tuple(samples),
        mappings=tuple(mappings),
        period=_number(fields, 12),
        nanoseconds=_number(fields, 9),
        drop_frames=strings[_number(fields, 7)],
        sizes=tuple(_sizes(types, [strings[number] for number in _numbers(fields, 13)])),
    )


def _sizes(types, comments):
    for comment in comments:
        if comment.startswith(SIZES):
            min_bytes, *values = map(int, comment.removeprefix(SIZES).split())
            yield Sizes(min_bytes, dict(zip(types, values, strict=True)))


def _varint(content, at):
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")


def _by_number(content):
    """The fields of a message: numbers and bytes, in lists by the field's number."""
    fields = {}
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == VARINT:
            value, at = _varint(content, at)
        elif kind == BYTES:
            length, at = _varint(content, at)
            value, at = content[at : at + length], at + length
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
            continue
        else:
            raise ValueError("no such kind of field")
        if at > len(content):
            raise ValueError("cut off")
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _number(fields, number):
    value = fields.get(number, [0])[-1]
    if not isinstance(value, int):
        raise ValueError("not a number")
    return value


def _numbers(fields, number):
    """Of a repeated field, packed or not."""
    values = []
    for value in fields.get(number, []):
        if isinstance(value, int):
            values.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = _varint(value, at)
            values.append(one)
    return values
