# SPDX-License-Identifier: MIT
"""Programs that bring an allocator, and what `spillway run` does with them."""

import unittest

import support
from spillway_cli import elf, own_allocator

OWN = """
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
static char room[1 << 20];
static size_t used;
void* malloc(size_t size) {
  used += (size + 31) / 16 * 16;
  return room + used - (size + 15) / 16 * 16;
}
void free(void* block) { (void)block; }
int main(void) { puts(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none"); return 6; }
"""
PLAIN = """
#include <stdio.h>
#include <stdlib.h>
int main(void) { puts(getenv("LD_PRELOAD") ? getenv("LD_PRELOAD") : "none"); return 6; }
"""
NOTICE = '__attribute__((used)) const char notice[] = "\\0Spillway 0.9.1, a notice";\n'


class Programs(support.WithFolder):
    def program(self, text, *options, name="program"):
        source = self.folder / f"{name}.c"
        source.write_text(text, encoding="utf-8")
        self.compile(source, self.folder / name, "-fno-builtin", *options)
        return str(self.folder / name)

    def needing(self, soname):
        """A program that needs a library of this name, which has nothing in it."""
        return self.program(PLAIN, f"-Wl,-rpath,{self.folder}", "-Wl,--no-as-needed", self.stub(soname))


class Finding(Programs):
    def test_names_of_libraries(self):
        for soname, name in (
            ("libjemalloc.so.2", "jemalloc"), ("libtcmalloc_minimal.so.4", "tcmalloc"),
            ("libtcmalloc_minimal_debug.so.4", "tcmalloc"), ("libmimalloc.so.2.0", "mimalloc"),
            ("libmimalloc-secure.so.2", "mimalloc"), ("libsnmallocshim-checks.so", "snmalloc"),
            ("libtbbmalloc_proxy.so.2", "TBB malloc"),
            ("libtbbmalloc.so.2", None), ("libc.so.6", None), ("libmeshoptimizer.so", None),
        ):  # fmt: skip
            self.assertEqual(own_allocator.known(soname), name, soname)

    def test_a_plain_program_has_none(self):
        self.assertIsNone(own_allocator.find("/bin/cat"))

    def test_a_library_of_a_known_one(self):
        found = own_allocator.find(self.needing("libjemalloc.so.2"))
        self.assertEqual((found.name, found.file, found.in_program), ("jemalloc", "libjemalloc.so.2", False))

    def test_a_library_that_a_library_needs(self):
        inner = self.stub("libmimalloc.so.2")
        (self.folder / "outer.c").write_text("void outer(void) {}\n", encoding="utf-8")
        outer = self.folder / "libouter.so"
        self.compile(
            self.folder / "outer.c", outer, "-shared", "-fPIC", "-Wl,--no-as-needed", inner,
            "-Wl,-soname,libouter.so", f"-Wl,-rpath,{self.folder}",
        )  # fmt: skip
        path = self.program(PLAIN, f"-Wl,-rpath,{self.folder}", "-Wl,--no-as-needed", outer)
        self.assertNotIn("libmimalloc.so.2", elf.read(path).needed)
        self.assertEqual(own_allocator.find(path).name, "mimalloc")

    def test_malloc_in_the_program(self):
        found = own_allocator.find(self.program(OWN))
        self.assertEqual((found.text(), found.in_program), ("its own malloc", True))
        found = own_allocator.find(self.program(OWN + "void mallctl(void) {}\n", "-rdynamic"))
        self.assertEqual((found.text(), found.in_program), ("jemalloc", True))

    def test_calls_of_its_heap(self):
        (self.folder / "heap.c").write_text("void mallocx(void) {}\n", encoding="utf-8")
        heap = self.folder / "libjemalloc.so.2"
        self.compile(self.folder / "heap.c", heap, "-shared", "-fPIC", "-Wl,-soname,libjemalloc.so.2")
        path = self.program("void mallocx(void);\nint main(void) { mallocx(); }\n", "-Wl,--no-as-needed", heap)
        self.assertEqual(own_allocator.find(path).foreign, ("mallocx",))

    def test_programs_that_are_linked_with_spillway(self):
        for text, options in ((OWN, ()), (PLAIN, ("-static",))):
            found = own_allocator.find(self.program(NOTICE + text, *options))
            self.assertEqual((found.name, found.is_spillway), ("Spillway 0.9.1", True))
        self.assertIsNone(own_allocator.find(self.program(PLAIN, "-static")))


class Run(Programs):
    def setUp(self):
        super().setUp()
        self.lib = self.library("libspillway")

    def run_it(self, path, *options):
        """(LD_PRELOAD as the program has it, what is said)"""
        done = support.spillway("run", "--lib", self.lib, *options, "--", path)
        self.assertEqual(done.returncode, 6)
        return done.stdout.strip(), done.stderr

    def test_it_steps_aside_with_one_line(self):
        path = self.needing("libjemalloc.so.2")
        said = "spillway: program brings jemalloc: runs without Spillway; --insist preloads it\n"
        self.assertEqual(self.run_it(path), ("none", said))
        self.assertEqual(self.run_it(path, "--insist"), (str(self.lib), ""))

    def test_malloc_in_the_program(self):
        path = self.program(OWN)
        said = "spillway: program brings its own malloc: runs without Spillway\n"
        self.assertEqual(self.run_it(path), ("none", said))
        found, said = self.run_it(path, "--insist")
        self.assertEqual(found, str(self.lib))
        self.assertIn("warning: runs without Spillway: ", said)

    def test_spillway_in_the_program(self):
        said = "spillway: program is linked with Spillway 0.9.1: nothing is preloaded\n"
        self.assertEqual(self.run_it(self.program(NOTICE + OWN)), ("none", said))


if __name__ == "__main__":
    unittest.main()
