#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""The public headers document themselves: scripts/reference is content with them, and with less is not."""
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77


def make(root, folder, *words, **settings):
    return subprocess.run([root / "scripts" / "reference", folder, *words], text=True, capture_output=True, check=False,
                          **settings)  # fmt: skip


class Reference(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_the_headers_are_documented(self):
        done = make(ROOT, self.folder)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"{self.folder}/html/index.html\n")
        page = (self.folder / "html" / "pool__c_8h.html").read_text(encoding="utf-8")
        self.assertIn("Takes a buffer of <code>pool</code>", page)

    def test_what_is_missing_is_named(self):
        headers = self.folder / "alloc" / "include" / "spillway"
        shutil.copytree(ROOT / "alloc" / "include", headers.parent)
        (self.folder / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "reference", self.folder / "scripts")
        (self.folder / "scripts" / "spillway_cli").symlink_to(ROOT / "scripts" / "spillway_cli")
        for name, old, new in (
            ("tenant.h", "  // The bytes charged now.\n", ""),
            ("tenant.h", "// Cost: ", "// It takes "),
            ("pool_c.h", "The library's version", "@nonsense The version"),
            ("pool.h", "The tenant of that `name`", "The tenant of that designation"),
            ("pool.h", "As alloc_len(), with", "As allocate(), with"),
        ):
            text = (headers / name).read_text(encoding="utf-8")
            self.assertEqual(text.count(old), 1, old)
            (headers / name).write_text(text.replace(old, new), encoding="utf-8")
        done = make(self.folder, self.folder / "out")
        self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)
        lines = [re.sub(r":\d+: ", ": ", line).removeprefix("alloc/include/spillway/")
                 for line in done.stderr.splitlines()]  # fmt: skip
        self.assertEqual(lines, [
            "pool_c.h: error: Found unknown command '@nonsense'",
            "tenant.h: error: Member live_bytes() const noexcept (function) of class spillway::Tenant is not documented.",
            "pool.h: the comment of try_alloc_len() refers to allocate(), which there is not",
            "pool.h: the comment of try_alloc_len() does not name size",
            "pool.h: the comment of try_alloc_len() does not name tenant",
            "pool.h: the comment of tenant() does not name name",
            "tenant.h: the header's comment has no 'Cost:'",
        ])  # fmt: skip

    def test_comments_overwrite_no_code(self):
        header = self.folder / "header.h"
        header.write_text("// licence\n// File.\n\nint a;\n// Alone.\n\nint b;\n", encoding="utf-8")
        done = subprocess.run([ROOT / "scripts" / "reference", "--marked", header], text=True, capture_output=True,
                              check=False)  # fmt: skip
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, f"{header}:5: a comment that stands alone has no blank line above\n")

    def test_mistakes(self):
        done = make(ROOT, "one", "two")
        self.assertEqual((done.returncode, done.stderr), (2, "reference: usage: scripts/reference [FOLDER]\n"))
        done = make(ROOT, self.folder, env={"PATH": str(self.folder)})
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr, "reference: there is no doxygen; install Debian's package doxygen\n")


if __name__ == "__main__":
    if shutil.which("doxygen") is None:
        print("skipped: no doxygen (Debian's doxygen)")
        sys.exit(SKIPPED)
    unittest.main()
