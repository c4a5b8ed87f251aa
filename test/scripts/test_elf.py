"""Reading ELF files, and judging whether a command can be preloaded."""

import os
import pathlib
import shutil
import unittest

import support
from spillway_cli import elf, target
from spillway_cli.errors import UserError


class Elf(support.WithFolder):
    def test_a_library(self):
        found = elf.read(self.library("plain"))
        self.assertEqual(found.bits, 64)
        self.assertIsNone(found.interpreter)
        self.assertIn("libc.so.6", found.needed)
        self.assertEqual(found.defined, {"malloc", "free"})

    def test_a_program(self):
        found = elf.read("/bin/cat")
        self.assertTrue(found.interpreter.startswith("/"))
        self.assertIn("libc.so.6", found.needed)
        self.assertEqual(found.defined, frozenset())

    def test_damaged_files(self):
        whole = pathlib.Path("/bin/true").read_bytes()
        path = self.folder / "file"
        for content in (b"", b"text", whole[:4], whole[:63], whole[:200], whole[:-2000]):
            path.write_bytes(content)
            with self.assertRaises(elf.NotElf):
                elf.read(path)


class Target(support.WithFolder):
    def setUp(self):
        super().setUp()
        self.plain = self.library("plain")

    def why(self, path):
        return target.why_not_preloaded(str(path), self.plain)

    def script(self, first_line):
        path = self.folder / "script"
        path.write_text(first_line + "\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    def test_programs_and_scripts(self):
        self.assertIsNone(self.why("/bin/cat"))
        self.assertIsNone(self.why(self.script("#!/bin/sh")))
        self.assertIsNone(self.why(self.script("#!/usr/bin/env -S FOO=1 perl -w")))

    def test_a_static_program(self):
        source = self.folder / "static.c"
        source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
        path = self.folder / "static"
        self.compile(source, path, "-static")
        self.assertIn("statically linked", self.why(path))
        self.assertIn("statically linked", self.why(self.script(f"#!{path}")))

    def test_a_program_with_its_own_malloc(self):
        source = self.folder / "own.c"
        source.write_text(
            "#include <stddef.h>\nvoid* malloc(size_t n) { (void)n; return 0; }\n"
            "int main(void) { return 0; }\n",
            encoding="utf-8",
        )
        path = self.folder / "own"
        self.compile(source, path, "-rdynamic", "-fno-builtin")
        self.assertIn("its own malloc", self.why(path))

    def test_another_machine(self):
        image = bytearray(pathlib.Path("/bin/true").read_bytes())
        image[18:20] = (8).to_bytes(2, "little")  # MIPS
        path = self.folder / "mips"
        path.write_bytes(image)
        self.assertIn("another machine", self.why(path))

    @unittest.skipUnless(os.geteuid() == 0, "only root can make another user's setuid file")
    def test_setuid(self):
        path = self.folder / "setuid"
        shutil.copy("/bin/true", path)
        os.chown(path, 1, 1)
        path.chmod(0o4755)
        self.assertIn("setuid", self.why(path))

    def test_what_is_no_program(self):
        self.assertIn("neither", self.why("/etc/passwd"))
        self.assertIn("cannot be read", self.why(self.script("#!/no/such/interpreter")))

    def test_resolve(self):
        self.assertEqual(target.resolve(["/bin/cat"]), "/bin/cat")
        for name, status in (("no-such-command", 127), ("/etc/passwd", 126)):
            with self.assertRaises(UserError) as caught:
                target.resolve([name])
            self.assertEqual(caught.exception.status, status)


if __name__ == "__main__":
    unittest.main()
