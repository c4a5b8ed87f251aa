# SPDX-License-Identifier: MIT
"""Whether processes use an allocator: what a look that fails does to the looks after it."""

import itertools
import unittest
from unittest import mock

import support
from spillway_cli import elf
from spillway_cli.ab import verify


class Looks(unittest.TestCase):
    def seen(self, processes):
        """(users, strangers) of a watch that has seen something."""
        with verify.Watch("/no/such.so", processes) as watch:
            support.wait_until(watch.has_seen)
        return watch.users, watch.strangers

    def test_it_goes_on(self):
        with support.waiting_process() as process:
            looks = [PermissionError, ProcessLookupError]

            def processes():
                if looks:
                    raise looks.pop()
                return [process.pid]

            allocators = itertools.chain([None], itertools.repeat("/lib/libother.so"))
            with mock.patch.object(verify.process, "allocator", side_effect=allocators), \
                 mock.patch.object(verify.elf, "read", side_effect=elf.NotElf) as read:  # fmt: skip
                users, strangers = self.seen(processes)
        self.assertEqual((users, list(strangers.values()), looks), (set(), ["calls malloc of libother.so"], []))
        read.assert_called_once()


if __name__ == "__main__":
    unittest.main()
