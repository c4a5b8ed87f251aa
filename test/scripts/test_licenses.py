# SPDX-License-Identifier: MIT
"""`spillway licenses`, and what the file of licences has to hold."""

import unittest

import support


class Licenses(unittest.TestCase):
    def test_all_are_printed(self):
        done = support.spillway("licenses")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for name in ("LICENSE", "THIRD_PARTY_LICENSES"):
            self.assertIn((support.ROOT / name).read_text(encoding="utf-8"), done.stdout)

    def test_mimallocs_is_the_one_of_the_source_compiled_in(self):
        source = support.ROOT / "build" / "deps" / "mimalloc" / "LICENSE"
        if not source.exists():
            self.skipTest(f"no {source}")
        own = (support.ROOT / "THIRD_PARTY_LICENSES").read_text(encoding="utf-8")
        self.assertIn(source.read_text(encoding="utf-8"), own)


if __name__ == "__main__":
    unittest.main()
