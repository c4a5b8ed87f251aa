# SPDX-License-Identifier: MIT
"""Settings of the kernel, from files that are made up."""

import unittest

import support
from spillway_cli import kernel


class Kernel(support.WithFolder):
    def file(self, text):
        path = self.folder / "file"
        path.write_text(text, encoding="utf-8")
        return path

    def test_texts_and_numbers(self):
        self.assertEqual(kernel.text(self.file("a b\n")), "a b")
        self.assertEqual(kernel.number(self.file("17\n")), 17)
        for text in ("x\n", "-1\n", "\n"):
            self.assertIsNone(kernel.number(self.file(text)))

    def test_choices(self):
        self.assertEqual(kernel.chosen(self.file("always [madvise] never\n")), "madvise")
        self.assertIsNone(kernel.chosen(self.file("always\n")))

    def test_a_file_that_is_not_there(self):
        for read in (kernel.text, kernel.number, kernel.chosen):
            self.assertIsNone(read(self.folder / "none"))


if __name__ == "__main__":
    unittest.main()
