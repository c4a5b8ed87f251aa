# SPDX-License-Identifier: MIT
"""`spillway ctl PID diff`: which sentences two readings give."""

import contextlib
import io
import unittest

from made_up import one_class, reading
from test_profile import encode
from spillway_cli import diff
from spillway_cli.errors import UserError
from spillway_cli.figures import stacks
from spillway_cli.figures.rates import Change

MIB = 1 << 20


def said(before, after, grown=None):
    """The report as one text, without line breaks."""
    return " ".join(line.strip() for line in diff.report(Change(before, after), grown))


def counted(live, allocated, block_size=16384, **more):
    return one_class(block_size, live=live, allocations_total=allocated, frees_total=allocated - live, **more)


class Live(unittest.TestCase):
    def test_blocks_that_stay(self):
        text = said(reading(0.0, [counted(100, 100)]), reading(30.0, [counted(1300, 1300)]))
        self.assertIn("server (pid 77), 30.0 s: live memory grew by 18.8 MiB to 21.3 MiB", text)
        self.assertIn(
            "Blocks of 16384 bytes grew by 1200 (18.8 MiB), 40/s: 1200 were allocated, none was freed. "
            "1300 are live now (20.3 MiB).", text
        )  # fmt: skip

    def test_blocks_of_which_some_are_freed(self):
        text = said(reading(0.0, [counted(10, 100)]), reading(1.0, [counted(11, 151)]))
        self.assertIn("grew by 1 (16.0 KiB), 1.0/s: 51 were allocated, 50 were freed.", text)

    def test_the_largest_growth_first_and_the_rest_in_one_sentence(self):
        sizes = [4096 * (number + 1) for number in range(13)]
        before = reading(0.0, [counted(0, 0, size) for size in sizes])
        text = said(before, reading(1.0, [counted(1, 1, size) for size in sizes]))
        self.assertLess(text.index("Blocks of 53248 bytes"), text.index("Blocks of 49152 bytes"))
        self.assertNotIn("Blocks of 4096 bytes", text)
        self.assertIn("Blocks of 3 more sizes grew by 24.0 KiB in all.", text)

    def test_one_size_at_the_expense_of_another(self):
        before = reading(0.0, [counted(2, 2, 4096), counted(0, 0, 8192)])
        text = said(before, reading(1.0, [counted(0, 2, 4096), counted(1, 1, 8192)]))
        self.assertIn("live memory stayed the same", text)
        self.assertIn("some sizes grew at the expense of others", text)
        self.assertIn("Blocks of 8192 bytes grew by 1", text)
        self.assertIn("Blocks of 4096 bytes fell by 8.0 KiB.", text)

    def test_large_blocks(self):
        before = reading(0.0, large_blocks=0, large_live_bytes=0, large_allocations_total=0)
        after = reading(1.0, large_blocks=2, large_live_bytes=5 * MIB, large_allocations_total=2)
        text = said(before, after)
        self.assertIn("Blocks above 1 MiB, and growing ones, grew by 2 (5.0 MiB)", text)
        # The same blocks, longer.
        after = reading(1.0, large_live_bytes=5 * MIB)
        self.assertIn("Blocks above 1 MiB, and growing ones, grew by 5.0 MiB.", said(before, after))


class Nothing(unittest.TestCase):
    def test_nothing_grew(self):
        before = reading(0.0, [counted(10, 100)])
        lines = diff.report(Change(before, reading(10.0, [counted(10, 5000)])))
        self.assertEqual(
            " ".join(lines),
            "server (pid 77), 10.0 s: nothing grew. Live memory stayed the same, 1.2 MiB.",
        )

    def test_it_fell(self):
        text = said(reading(0.0, [counted(10, 100)]), reading(10.0, [counted(9, 100)]))
        self.assertIn("nothing grew. Live memory fell by 16.0 KiB to 1.1 MiB.", text)
        self.assertIn("Blocks of 16384 bytes fell by 16.0 KiB.", text)


class Kinds(unittest.TestCase):
    """What grew is told from what else could have."""

    def test_thread_caches(self):
        before = reading(0.0, [counted(1, 1, cached=1)])
        text = said(before, reading(1.0, [counted(1, 1, cached=65)], thread_caches=3))
        self.assertIn("live memory stayed the same", text)
        self.assertIn("what grew is memory in thread caches.", text)
        self.assertIn("thread caches grew by 1.0 MiB to 1.0 MiB, of at most 16.0 MiB", text)
        self.assertIn("1 more thread has a cache.", text)
        self.assertNotIn("Live memory:", text)

    def test_free_memory(self):
        before = reading(0.0, [counted(640, 640)])
        after = reading(1.0, [counted(0, 640)], pool_free_bytes=18 * MIB, purged_bytes_total=MIB)
        text = said(before, after)
        self.assertIn("live memory fell by 10.0 MiB", text)
        self.assertIn("what grew is free memory kept.", text)
        self.assertIn("Free memory that the process keeps grew by 10.0 MiB to 16.0 MiB: what", text)
        self.assertIn("1.0 MiB went back in this time.", text)

    def test_blocks_of_mimalloc(self):
        after = reading(2.0, mimalloc_live_bytes=3 * MIB, mimalloc_committed_bytes=64 * MIB)
        text = said(reading(0.0), after)
        self.assertIn("They grew by 2.0 MiB to 3.0 MiB, 1.0 MiB/s", text)
        self.assertIn("What mimalloc holds for them grew by 32.0 MiB to 64.0 MiB", text)

    def test_blocks_of_mimalloc_that_are_counted(self):
        before = reading(0.0, mimalloc_live_blocks=100)
        text = said(before, reading(2.0, mimalloc_live_bytes=3 * MIB, mimalloc_live_blocks=1300))
        self.assertIn("They grew by 2.0 MiB (+1200 blocks) to 3.0 MiB, 1.0 MiB/s", text)

    def test_tenants(self):
        def tenant(name, size, limit=0):
            return {"tenant": name, "live_bytes": size, "live_blocks": size // 4096, "soft_limit_bytes": limit}

        before = reading(0.0, tenants=[tenant("web", 4096), tenant("sql", 8192, MIB), tenant("idle", 5)])
        after = [tenant("web", MIB), tenant("sql", 2 * MIB, MIB), tenant("idle", 5), tenant("new", 9)]
        text = said(before, reading(1.0, tenants=after))
        self.assertIn("Tenants: sql grew by 2.0 MiB (+510 blocks) to 2.0 MiB, above its soft limit of 1.0 MiB.", text)
        self.assertIn("web grew by 1020 KiB (+255 blocks) to 1.0 MiB.", text)
        self.assertNotIn("idle", text)

    def test_resident_memory_that_is_not_the_allocators(self):
        text = said(reading(0.0), reading(1.0, process={"resident": 90 * MIB}))
        self.assertIn("what grew is resident memory.", text)
        self.assertIn("It grew by 40.0 MiB to 90.0 MiB. 40.0 MiB of that is in none", text)

    def test_resident_memory_within_the_kernels_error(self):
        after = reading(1.0, process={"resident": (50 * MIB) + (300 << 10)})
        self.assertIn("nothing grew", said(reading(0.0), after))

    def test_resident_memory_that_live_blocks_explain(self):
        after = reading(1.0, [counted(64, 64)], process={"resident": 51 * MIB})
        text = said(reading(0.0, [counted(0, 0)]), after)
        self.assertIn("It grew by 1.0 MiB to 51.0 MiB.", text)
        self.assertNotIn("none of the above", text)

    def test_the_kernel_refused(self):
        after = reading(1.0, pool_free_bytes=9 * MIB, purges_refused_total=2)
        self.assertIn("The kernel refused 2 times to take memory back.", said(reading(0.0), after))


class Stacks(unittest.TestCase):
    SERVE, SETUP = (0x2000, 0x3000), (0x4000, 0x3000)  # innermost first
    BEFORE = encode([(SERVE, (1000, 1)), (SETUP, (500, 1))])

    def test_growth_is_of_stacks_that_hold_more(self):
        after = encode(
            [(self.SERVE, (4000, 1)), (self.SERVE, (200, 1)), (self.SETUP, (400, 1)), ((0x5000,), (70, 1))]
        )
        self.assertEqual(
            stacks.growth(self.BEFORE, after),
            [(("[nonexistent+0x2000]", "[nonexistent+0x1000]"), 3200), (("[nonexistent+0x4000]",), 70)],
        )
        self.assertEqual(stacks.growth(self.BEFORE, self.BEFORE), [])

    def test_words(self):
        self.assertEqual(stacks.words(("main", "serve", "read")), "read, called by serve, called by main")
        self.assertEqual(
            stacks.words(("main", "a", "b", "c", "le\x1bak")),
            "le?ak, called by c, called by b, called by a, and so on",
        )

    def test_sentences(self):
        grown = [(("main", "leak"), 3 * MIB), (("main", "serve"), MIB)]
        text = said(reading(0.0, [counted(0, 0)]), reading(1.0, [counted(200, 200)]), grown)
        self.assertIn("About 3.0 MiB more (75 % of the growth) by leak, called by main.", text)
        self.assertIn("About 1.0 MiB more (25 % of the growth) by serve, called by main.", text)

    def test_the_largest_first_and_the_rest_in_one_sentence(self):
        grown = [((f"f{number}",), 1024 * (9 - number)) for number in range(8)]
        text = said(reading(0.0), reading(1.0), grown)
        self.assertIn("by f4.", text)
        self.assertNotIn("by f5.", text)
        self.assertIn("About 9.0 KiB more by 3 other stacks.", text)

    def test_nothing_and_no_profile(self):
        self.assertIn("No sampled stack holds more", said(reading(0.0), reading(1.0), []))
        self.assertNotIn("stack", said(reading(0.0), reading(1.0)))
        grew = said(reading(0.0, [counted(0, 0)]), reading(1.0, [counted(9, 9)]))
        self.assertIn("`spillway ctl 77 profile start`", grew)


class Source:
    """Gives these readings."""

    pid = 77

    def __init__(self, *readings):
        self.readings, self.is_warm = list(readings), False

    def read(self):
        """The first one twice: diff throws one away."""
        return self.readings.pop(0) if self.is_warm else self.warm()

    def warm(self):
        self.is_warm = True
        return self.readings[0]


class Run(unittest.TestCase):
    def run_it(self, *arguments, **more):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.assertEqual(diff.run(*arguments, **more), 0)
        return out.getvalue()

    def test_waits_and_prints(self):
        waited = []
        text = self.run_it(Source(reading(0.0), reading(5.0)), 5, lambda: None, wait=waited.append)
        self.assertEqual(waited, [5])
        self.assertIn("nothing grew", text)
        self.assertTrue(all(len(line) <= 80 for line in text.splitlines()))

    def test_profiles_of_both_moments(self):
        profiles = [Stacks.BEFORE, encode([(Stacks.SERVE, (2000, 1))])]
        both = Source(reading(0.0), reading(5.0))
        text = self.run_it(both, 5, lambda: profiles.pop(0), wait=lambda _: None)
        self.assertIn("About 1000 B more (100 % of the growth)", " ".join(text.split()))
        # It was started, or another program came, in between.
        profiles = [None, Stacks.BEFORE]
        both = Source(reading(0.0), reading(5.0))
        self.assertNotIn("stack", self.run_it(both, 5, lambda: profiles.pop(0), wait=lambda _: None))

    def test_ctrl_c_ends_the_wait(self):
        def interrupted(_):
            raise KeyboardInterrupt

        text = self.run_it(Source(reading(0.0), reading(2.0)), 5, lambda: None, wait=interrupted)
        self.assertIn("2.0 s: nothing", text)

    def test_the_number_of_seconds(self):
        self.assertEqual(diff.seconds(["0.5"]), 0.5)
        for words in ([], ["1", "2"], ["x"], ["0"], ["nan"], ["-1"]):
            with self.assertRaisesRegex(UserError, "^diff: .*number"):
                diff.seconds(words)

    def test_another_program(self):
        with self.assertRaisesRegex(UserError, "another program runs in process 77"):
            diff.run(Source(reading(0.0), reading(1.0, program="x")), 1, lambda: None, wait=lambda _: None)


if __name__ == "__main__":
    unittest.main()
