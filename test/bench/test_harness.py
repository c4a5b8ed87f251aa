# SPDX-License-Identifier: MIT
"""What `spillway ab`, `spillway replay` and scripts/bench share: turns, and what a list of allocators means."""

import pathlib
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from harness.allocators import Allocator, BadAllocator, Catalogue, built  # noqa: E402
from harness.rounds import interleaved  # noqa: E402


class Rounds(unittest.TestCase):
    def test_each_round_begins_one_further_on(self):
        told, kept, noise = [], [], []
        interleaved(3, lambda: [("a", 1), ("b", 2)], lambda item: item * 10, kept.append, told.append,
                    lambda: noise.append(1))  # fmt: skip
        self.assertEqual(kept, [[("a", 10), ("b", 20)], [("b", 20), ("a", 10)], [("a", 10), ("b", 20)]])
        self.assertEqual(told[2], "round 2 of 3, b")
        self.assertEqual(len(noise), 6)

    def test_a_round_that_is_not_whole_is_not_kept(self):
        kept, measured = [], []

        def measure(item):
            if len(measured) == 3:
                raise KeyboardInterrupt
            measured.append(item)

        with self.assertRaises(KeyboardInterrupt):
            interleaved(5, lambda: [("a", 1), ("b", 2)], measure, kept.append)
        self.assertEqual(len(kept), 1)

    def test_without_items_the_rounds_end(self):
        ready, kept = [[("a", 1)], []], []
        interleaved(9, lambda: ready.pop(0), lambda item: item, kept.append)
        self.assertEqual(kept, [[("a", 1)]])


class Allocators(unittest.TestCase):
    def find(self, *entries, longest=None):
        known = {"one": lambda name: (Allocator(name, None), None), "gone": lambda name: (None, "gone: no x")}
        given = lambda name, text: (Allocator(name, pathlib.Path(text)), None)  # noqa: E731
        return Catalogue(known, given, longest).find(entries)

    def test_known_given_and_missing(self):
        found, missing = self.find("gone", "mine=/x.so", "one")
        self.assertEqual([(one.name, str(one.library)) for one in found], [("mine", "/x.so"), ("one", "None")])
        self.assertEqual(missing, ["gone: no x"])

    def test_mistakes(self):
        for entries, words in ((("one", "one"), "'one' is named twice"), (("two",), "unknown allocator 'two'"),
                               (("a b=x",), "is not a name"), (("=x",), "is not a name")):  # fmt: skip
            with self.assertRaisesRegex(BadAllocator, words):
                self.find(*entries)
        self.assertEqual(len(self.find("abcd=/x", longest=4)[0]), 1)
        with self.assertRaisesRegex(BadAllocator, "of up to 4 characters"):
            self.find("abcde=/x", longest=4)

    def test_environment_and_service(self):
        with tempfile.TemporaryDirectory() as folder:
            library = pathlib.Path(folder) / "lib.so"
            self.assertIn("no lib.so in", built("x", library, lambda: "1")[1])
            library.touch()
            made, _ = built("x", library, lambda: "1", {"A": "b"})
            self.assertEqual((made.environment()["LD_PRELOAD"], made.environment()["A"]), (str(library), "b"))
            self.assertTrue(made.serves(str(library)))
            self.assertFalse(made.serves("/no/such"))
        plain = Allocator("glibc", None)
        self.assertNotIn("LD_PRELOAD", plain.environment())
        self.assertTrue(plain.serves("/lib/libc.so.6"))


if __name__ == "__main__":
    unittest.main()
