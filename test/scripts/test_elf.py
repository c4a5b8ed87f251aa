# SPDX-License-Identifier: MIT
"""Reading ELF files, and judging whether a command can be preloaded."""

import os
import pathlib
import shutil
import struct
import subprocess
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
        far = whole[:32] + (1 << 63).to_bytes(8, "little") * 2 + whole[48:]
        for content in (b"", b"text", whole[:4], whole[:63], whole[:200], whole[:-2000], far):
            path.write_bytes(content)
            with self.assertRaises(elf.NotElf):
                elf.read(path)


class Target(support.WithFolder):
    def setUp(self):
        super().setUp()
        self.plain = self.library("plain")

    def why(self, path):
        return target.why_not_preloaded(str(path), self.plain)

    def harmed(self, path):
        """The reason why the program at `path` would be harmed by LD_PRELOAD."""
        found = target.obstacle(str(path), self.plain)
        self.assertTrue(found.harms, found.reason)
        return found.reason

    def unharmed(self, path):
        found = target.obstacle(str(path), self.plain)
        self.assertFalse(found.harms, found.reason)
        return found.reason

    def image(self, name, content):
        path = self.folder / name
        path.write_bytes(content)
        path.chmod(0o755)
        return path

    def built(self, *options, code="int main(void) { return 0; }\n"):
        source = self.folder / "program.c"
        source.write_text(code, encoding="utf-8")
        path = self.folder / "program"
        self.compile(source, path, *options)
        return path

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
        path = self.built("-static")
        self.assertIn("statically linked", self.unharmed(path))  # what it starts may be preloaded
        self.assertIn("statically linked", self.unharmed(self.script(f"#!{path}")))

    def test_a_program_with_its_own_malloc(self):
        path = self.built(
            "-rdynamic", "-fno-builtin",
            code="#include <stddef.h>\nvoid* malloc(size_t n) { (void)n; return 0; }\n"
            "int main(void) { return 0; }\n",
        )  # fmt: skip
        self.assertIn("its own malloc", self.unharmed(path))

    def test_another_machine(self):
        content = bytearray(pathlib.Path("/bin/true").read_bytes())
        content[18:20] = (8).to_bytes(2, "little")  # MIPS
        path = self.image("mips", content)
        self.assertIn("another machine", self.harmed(path))
        self.assertIn("another machine", self.harmed(self.script(f"#!{path}")))

    def test_a_32_bit_program(self):
        loader = b"/lib/ld-linux.so.2\0"
        header = b"\x7fELF\x01\x01\x01" + bytes(9)
        header += struct.pack("<HHIIIIIHHHHHH", 2, 3, 1, 0, 52, 0, 0, 52, 32, 1, 40, 0, 0)
        segment = struct.pack("<IIIIIIII", elf.PT_INTERP, 84, 84, 84, len(loader), len(loader), 4, 1)
        self.assertIn("32-bit", self.harmed(self.image("dynamic", header + segment + loader)))
        static = header[:44] + bytes(2) + header[46:]
        self.assertIn("statically linked", self.unharmed(self.image("static", static)))

    def test_another_libc(self):
        loader = elf.read("/bin/true").interpreter.encode()
        content = pathlib.Path("/bin/true").read_bytes()
        musl = b"/lib/ld-musl-x.so.1".ljust(len(loader), b"\0")[: len(loader)]
        path = self.image("musl", content.replace(loader, musl, 1))
        self.assertIn("musl", self.harmed(path))
        self.assertIn("musl", self.harmed(self.script(f"#!{path}")))
        path = self.image("other", content.replace(b"libc.so.6\0", b"libc.so\0\0\0", 1))
        self.assertIn("libc.so, not glibc", self.harmed(path))
        content = pathlib.Path(self.plain).read_bytes()
        library = self.image("libmusl.so", content.replace(b"libc.so.6\0", b"libc.so\0\0\0", 1))
        found = target.obstacle("/bin/true", library)
        self.assertTrue(found.harms)
        self.assertIn("uses glibc, not musl", found.reason)

    def test_sanitizers(self):
        for soname, name in (
            ("libasan.so.8", "address"), ("libtsan.so.2", "thread"), ("liblsan.so.0", "leak"),
            ("libhwasan.so.0", "hwaddress"), ("libclang_rt.asan-x86_64.so", "address"),
        ):  # fmt: skip
            with self.subTest(soname=soname):
                path = self.built("-Wl,--no-as-needed", str(self.stub(soname)))
                self.assertIn(f"-fsanitize={name}", self.harmed(path))
        for soname in ("libubsan.so.1", "libclang_rt.ubsan_standalone-x86_64.so", "libsan.so", "libartisan.so"):
            with self.subTest(soname=soname):
                self.assertIsNone(self.why(self.built("-Wl,--no-as-needed", str(self.stub(soname)))))
        code = "void __tsan_init(void) {}\nint main(void) { return 0; }\n"
        self.assertIn("-fsanitize=thread", self.harmed(self.built("-rdynamic", code=code)))

    def test_what_compilers_make_of_sanitizers(self):
        for compiler, name in (
            ("gcc", "address"), ("gcc", "thread"), ("gcc", "leak"), ("clang", "address"), ("clang", "memory"),
        ):  # fmt: skip
            with self.subTest(compiler=compiler, name=name):
                if not shutil.which(compiler):
                    self.skipTest(f"there is no {compiler}")
                source = self.folder / "sanitized.c"
                source.write_text("int main(void) { return 0; }\n", encoding="utf-8")
                path = self.folder / "sanitized"
                command = [compiler, f"-fsanitize={name}", source, "-o", path]
                if subprocess.run(command, check=False, capture_output=True, timeout=60).returncode:
                    self.skipTest(f"{compiler} has no run-time library for -fsanitize={name}")
                self.assertIn(f"-fsanitize={name}", self.harmed(path))

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
