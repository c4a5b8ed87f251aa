# SPDX-License-Identifier: MIT
"""`spillway profile`: reading pprof's format, naming functions, folding stacks."""

import gzip
import pathlib
import subprocess

import support
from spillway_cli import pprof, profile, symbols
from spillway_cli.errors import UserError

STRINGS = ["", "inuse_space", "bytes", "inuse_objects", "count", "/nonexistent", "malloc|free"]


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + bytes([value]))


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def packed(number, values):
    return field(number, b"".join(map(varint, values)))


def encode(samples, strings=tuple(STRINGS), mapping=(0x1000, 0x9000, 0), file=5, comments=()):
    """Of (addresses, (bytes, blocks)); a location's number is its place, from 1 on."""
    addresses = sorted({address for stack, _ in samples for address in stack})
    out = field(1, field(1, 1) + field(2, 2)) + field(1, field(1, 3) + field(2, 4))
    start, end, offset = mapping
    out += field(3, field(1, 1) + field(2, start) + field(3, end) + field(4, offset) + field(5, file))
    for place, address in enumerate(addresses, 1):
        out += field(4, field(1, place) + field(2, 1) + field(3, address))
    for stack, values in samples:
        out += field(2, packed(1, [addresses.index(one) + 1 for one in stack]) + packed(2, values))
    for text in (*strings, *comments):
        out += field(6, text.encode())
    for number in range(len(comments)):
        out += field(13, len(strings) + number)
    return out + field(7, 6) + field(9, 1_000_000_000) + field(12, 4096)


SAMPLES = [((0x2000, 0x3000), (100, 2)), ((0x4000, 0x3000), (50, 1)), ((0x2000, 0x3000), (7, 1))]


class Reading(support.WithFolder):
    def write(self, content):
        path = self.folder / "file"
        path.write_bytes(content)
        return path

    def test_a_profile(self):
        for content in (encode(SAMPLES), gzip.compress(encode(SAMPLES))):
            found = pprof.read(self.write(content))
            self.assertEqual(found.types, ("inuse_space", "inuse_objects"))
            self.assertEqual(found.period, 4096)
            self.assertEqual(found.samples[0].addresses, (0x2000, 0x3000))
            self.assertEqual(found.samples[0].values, {"inuse_space": 100, "inuse_objects": 2})
            self.assertEqual(found.mapping_of(0x2000).file, "/nonexistent")
            self.assertIsNone(found.mapping_of(0x9000))

    def test_sizes_are_comments_of_our_own(self):
        found = pprof.read(self.write(encode(SAMPLES, comments=("a text", "size>=64 150 3", "size>=4096 7 1"))))
        self.assertEqual([one.min_bytes for one in found.sizes], [64, 4096])
        self.assertEqual(found.sizes[0].values, {"inuse_space": 150, "inuse_objects": 3})
        self.assertEqual(pprof.read(self.write(encode(SAMPLES, comments=("a text",)))).sizes, ())

    def test_damaged_files_are_one_line(self):
        whole = encode(SAMPLES, comments=("size>=64 150 3",))
        damaged = [whole[:length] for length in range(len(whole))]
        damaged += [whole[:at] + b"\xff" + whole[at + 1 :] for at in range(len(whole))]
        damaged += [b"text", gzip.compress(whole)[:-9]]
        for content in damaged:
            try:
                pprof.read(self.write(content))
            except UserError as error:
                self.assertNotIn("\n", str(error))

    def test_what_cannot_be_read_is_said(self):
        for path, complaint in (("/nonexistent", "No such file"), ("/etc/passwd", "not a profile")):
            done = support.spillway("profile", path)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, rf"^spillway: {path}: {complaint}.*\n$")

    def test_another_kind_of_profile_is_refused(self):
        strings = [*STRINGS[:1], "samples", *STRINGS[2:]]
        done = support.spillway("profile", self.write(encode(SAMPLES, strings)))
        self.assertIn("not a heap profile; it has samples, inuse_objects", done.stderr)

    def test_folded_lines(self):
        done = support.spillway("profile", "--folded", self.write(encode(SAMPLES)))
        self.assertEqual(
            done.stdout.splitlines(),
            ["[nonexistent+0x2000];[nonexistent+0x1000] 107", "[nonexistent+0x2000];[nonexistent+0x3000] 50"],
        )
        done = support.spillway("profile", "--folded", "--blocks", self.write(encode(SAMPLES)))
        self.assertTrue(done.stdout.splitlines()[0].endswith(" 3"))
        self.assertIn("/nonexistent is not the file that the process had mapped", done.stderr)

    def test_the_largest_come_first(self):
        done = support.spillway("profile", "--top", "1", self.write(encode(SAMPLES)))
        self.assertIn("157 bytes live", done.stdout)
        self.assertIn("68.2%  107 bytes in 3 blocks", done.stdout)
        self.assertIn("31.8%  in 1 more stacks", done.stdout)


class Names(support.WithFolder):
    def compile(self, *options):
        source = self.folder / "program.c"
        source.write_text(
            "void* malloc_here(void) { return 0; }\n"
            "static __attribute__((noinline)) void* inner(void) { return malloc_here(); }\n"
            "int main(void) { return inner() != 0; }\n"
        )
        path = self.folder / "program"
        subprocess.run(["cc", "-O0", "-no-pie", *options, "-o", path, source], check=True)
        return path

    def address_of(self, path, name):
        output = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
        return next(int(line.split()[0], 16) for line in output.splitlines() if line.endswith(f" {name}"))

    def names(self, path, stripped=False):
        addresses = [self.address_of(path, name) + 1 for name in ("malloc_here", "inner", "main")]
        if stripped:
            subprocess.run(["strip", path], check=True)
        strings = list(STRINGS)
        strings[5], strings[6] = str(path), "malloc.*"
        # As the linker placed it, whose first segment begins the file.
        mapping = (0x400000, 0x500000, 0)
        file = self.folder / "profile"
        file.write_bytes(encode([(addresses, (10, 1))], strings, mapping))
        found = pprof.read(file)
        return profile.stacks(found, symbols.Symbols(found), "inuse_space", "inuse_objects")[0][0]

    def test_functions_have_names_with_debug_information_and_without(self):
        # The innermost one is the allocator's.
        self.assertEqual(self.names(self.compile("-g")), ("main", "inner"))
        self.assertEqual(self.names(self.compile()), ("main", "inner"))

    def test_what_has_none_is_a_place_in_its_file(self):
        for name in self.names(self.compile(), stripped=True):
            self.assertRegex(name, r"^\[program\+0x[0-9a-f]+\]$")

    def test_another_file_in_its_place_is_not_believed(self):
        path = pathlib.Path(self.compile("-g"))
        found = pprof.decode(encode([((0x401000,), (10, 1))], [*STRINGS[:5], str(path), "x"], (0x400000, 0x500000, 0)))
        changed = [
            pprof.Mapping(one.start, one.end, one.offset, one.file, "0123456789abcdef") for one in found.mappings
        ]
        other = pprof.Profile(found.types, found.samples, tuple(changed), 1, 1, "")
        self.assertEqual(symbols.Symbols(other).strange, [str(path)])
