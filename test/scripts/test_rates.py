# SPDX-License-Identifier: MIT
"""What changes between two readings: rates, resets, other programs under one pid."""

import unittest

from made_up import one_class, reading, without
from spillway_cli.figures.rates import Change
from spillway_cli.figures.reading import parse_stat


def rows(change):
    return {row.name or row.block_size: row for row in change.rows}


class Rates(unittest.TestCase):
    def change(self, before, after, seconds=2.0, **values):
        return Change(
            reading(10.0, [one_class(4096, **before)]),
            reading(10.0 + seconds, [one_class(4096, **after)], **values),
        )

    def test_the_first_reading_has_none(self):
        change = Change(None, reading(1.0, [one_class(4096, live=5, allocations_total=9)]))
        row = rows(change)[4096]
        self.assertEqual((row.live, row.live_bytes), (5, 5 * 4096))
        self.assertEqual((row.allocations, row.frees, row.hit_rate), (None, None, None))
        self.assertIsNone(change.rate("allocations_total"))
        self.assertIsNone(change.of_process("minor_faults"))
        self.assertIsNone(change.hit_rate())
        self.assertFalse(change.anew)

    def test_of_a_second(self):
        change = self.change(
            {"live": 10, "allocations_total": 100, "frees_total": 90},
            {"live": 4, "allocations_total": 300, "frees_total": 296},
            process={"minor_faults": 140, "processor_seconds": 2.0},
        )
        row = rows(change)[4096]
        self.assertEqual((row.allocations, row.frees, row.growth_bytes), (100, 103, -3 * 4096))
        self.assertEqual(change.rate("allocations_total"), 100)
        self.assertEqual(change.of_process("minor_faults"), 20)
        self.assertEqual(change.of_process("processor_seconds"), 0.5)

    def test_frees_follow_where_they_are_not_counted(self):
        before, after = {"live": 10, "allocations_total": 100}, {"live": 16, "allocations_total": 110}
        self.assertEqual(rows(self.change(before, after))[4096].freed, 4)
        # A block that realloc moved to this class was not allocated in it.
        after = {"live": 16, "allocations_total": 100}
        self.assertEqual(rows(self.change(before, after))[4096].freed, 0)

    def test_hit_rate(self):
        before = {"allocations_total": 0, "refills_total": 0}
        row = rows(self.change(before, {"allocations_total": 200, "refills_total": 50}))[4096]
        self.assertEqual(row.hit_rate, 0.75)
        # Hits themselves are better than what follows from refills.
        before, after = before | {"cache_hits_total": 0}, {"allocations_total": 200, "refills_total": 50}
        row = rows(self.change(before, after | {"cache_hits_total": 190}))[4096]
        self.assertEqual(row.hit_rate, 0.95)
        # Counts of different moments do not make it negative.
        row = rows(self.change({"refills_total": 0}, {"allocations_total": 1, "refills_total": 3}))
        self.assertEqual(row[4096].hit_rate, 0.0)
        # Nothing was allocated, or nothing is known of refills.
        self.assertIsNone(rows(self.change({"refills_total": 1}, {"refills_total": 1}))[4096].hit_rate)
        self.assertIsNone(rows(self.change({}, {"allocations_total": 9}))[4096].hit_rate)

    def test_bytes_and_what_was_asked_for(self):
        after = {"live": 3, "live_bytes": 12000, "cached": 2, "cached_bytes": 9000, "requested_estimate_bytes": 6000}
        row = rows(self.change({"live_bytes": 4000}, after))[4096]
        self.assertEqual((row.live_bytes, row.cached_bytes, row.fill), (12000, 9000, 0.5))
        self.assertEqual(row.grown_bytes, 8000)
        # Where the library has blocks alone, and what it does not know.
        row = rows(self.change({}, {"live": 3, "cached": 2, "requested_estimate_bytes": None}))[4096]
        self.assertEqual((row.live_bytes, row.cached_bytes, row.fill), (3 * 4096, 2 * 4096, None))

    def test_a_counter_that_fell_has_no_rate_and_the_others_have(self):
        change = self.change(
            {"allocations_total": 5, "refills_total": 9}, {"allocations_total": 15, "refills_total": 3}
        )
        row = rows(change)[4096]
        self.assertIsNone(row.refills)
        self.assertEqual(row.allocations, 5)

    def test_readings_of_one_moment_have_no_rates(self):
        row = rows(self.change({"live": 1}, {"live": 2}, seconds=0.0))[4096]
        self.assertIsNone(row.growth_bytes)
        self.assertEqual(row.grown, 1)

    def test_a_class_that_appears(self):
        change = Change(reading(0.0), reading(1.0, [one_class(8192, live=1, allocations_total=1)]))
        self.assertIsNone(rows(change)[8192].allocations)

    def test_blocks_in_no_class(self):
        before = reading(0.0, large_blocks=1, large_live_bytes=2 << 20, large_allocations_total=1)
        after = reading(1.0, large_blocks=2, large_live_bytes=6 << 20, large_allocations_total=4)
        row = rows(Change(before, after))["large"]
        self.assertEqual((row.live, row.allocated, row.freed, row.grown_bytes), (2, 3, 2, 4 << 20))
        self.assertEqual(rows(Change(before, after))["mimalloc"].live_bytes, 1 << 20)

    def test_what_the_library_does_not_tell_is_left_out(self):
        change = Change(None, without(reading(), "large_live_bytes", "mimalloc_live_bytes", "classes"))
        self.assertEqual(change.rows, [])


class AnotherProgram(unittest.TestCase):
    def check(self, before, after):
        change = Change(before, after)
        self.assertTrue(change.anew)
        self.assertIsNone(change.elapsed)
        self.assertTrue(all(row.allocations is None for row in change.rows))

    def test_exec_of_another_program(self):
        self.check(reading(0.0), reading(1.0, program="worker"))

    def test_exec_of_the_same_program(self):
        classes = [one_class(4096, allocations_total=100)], [one_class(4096, allocations_total=7)]
        self.check(reading(0.0, classes[0]), reading(1.0, classes[1]))
        self.check(reading(0.0, start_time=5), reading(1.0, start_time=6))

    def test_a_program_that_changes_its_name(self):
        before, after = reading(0.0, start_time=5.5), reading(1.0, start_time=5.5, program="renamed")
        self.assertFalse(Change(before, after).anew)

    def test_another_process_of_the_same_number(self):
        self.check(reading(0.0), reading(1.0, process={"started": 1001}))

    def test_the_reading_after_that_has_rates(self):
        another = Change(reading(0.0), reading(1.0, program="worker"))
        change = Change(another.later, reading(3.0, program="worker"))
        self.assertFalse(change.anew)
        self.assertEqual(change.elapsed, 2.0)


class Stat(unittest.TestCase):
    LINE = (
        b"77 (a) S (b)) S 1 77 77 0 -1 4194304 500 0 6 0 200 100 0 0 20 0 4 0 12345 1000000 300 1 1"
    )

    def test_a_name_with_spaces_and_parentheses(self):
        found = parse_stat(self.LINE)
        self.assertEqual((found.minor_faults, found.major_faults), (500, 6))
        self.assertEqual((found.threads, found.started), (4, 12345))
        self.assertGreaterEqual(found.resident, 300 * 4096)

    def test_a_corpse_has_ended(self):
        self.assertIsNone(parse_stat(self.LINE.replace(b")) S 1", b")) Z 1")))


if __name__ == "__main__":
    unittest.main()
