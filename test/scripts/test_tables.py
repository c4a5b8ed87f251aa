# SPDX-License-Identifier: MIT
"""`spillway options` and `spillway classes`: the layout of the library's tables."""

import unittest

import support  # noqa: F401
from spillway_cli import paths, tables
from spillway_cli.errors import UserError

OPTIONS = (
    "enabled\tbool\t1\t0 or 1\t0: everything goes to mimalloc\n"
    "cache_budget\tbytes\tadaptive\t0 to 1 TiB\tbytes that all thread caches together may hold; "
    "0 disables them, which costs speed and saves memory in programs of many threads\n"
)


class Options(unittest.TestCase):
    def test_fits_and_keeps_every_word(self):
        text = tables.format_options(tables.parse(OPTIONS, 5))
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))
        for word in OPTIONS.replace("\t", " ").split():
            self.assertIn(word, text)

    def test_a_row_of_another_form_is_an_error(self):
        with self.assertRaises(UserError):
            tables.parse("a\tb\n", 5)


class Documentation(unittest.TestCase):
    @unittest.skipUnless(paths.INFO.exists(), "build/release has no spillway_info")
    def test_has_the_table_of_options(self):
        page = (paths.ROOT / "alloc" / "docs" / "OPTIONS.md").read_text(encoding="utf-8")
        self.assertIn(tables.markdown_options(tables.rows("options", 5)), page)


class Classes(unittest.TestCase):
    def test_units(self):
        text = tables.format_classes(tables.parse("0\t4096\t4096\n27\t1048576\t1048577\n", 3))
        self.assertEqual(text.splitlines()[1].split(), ["0", "4", "KiB", "4", "KiB"])
        self.assertEqual(text.splitlines()[2].split(), ["27", "1", "MiB", "1048577"])


if __name__ == "__main__":
    unittest.main()
