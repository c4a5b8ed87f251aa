# SPDX-License-Identifier: MIT
"""Readings of a live process through a stand-in for the control channel."""

import signal
import unittest

import support
from spillway_cli.errors import UserError
from spillway_cli.figures import source
from spillway_cli.figures.reading import Ended, NoAnswer


class Attachment:
    version, how = "0.1.0", "preloaded"

    def __init__(self, snapshots, is_there=True):
        self.snapshots, self.is_there = list(snapshots), is_there
        self.is_open, self.requests = True, 0

    def snapshot(self, max_age):
        assert max_age == 0
        found = self.snapshots.pop(0)
        if isinstance(found, UserError):
            raise found
        return found

    def request(self, text):
        assert text == "get"
        self.requests += 1
        if not self.is_there:
            raise UserError("another program")
        return 'limit = 1048576 (SPILLWAY_LIMIT)\nstats_file = "a (b)" (control)\nrubbish\n'

    def describe(self):
        if not self.is_there:
            raise UserError("another program")

    def close(self):
        self.is_open = False


class Live(unittest.TestCase):
    def setUp(self):
        process = support.waiting_process()
        self.process = process.__enter__()
        self.addCleanup(process.__exit__, None, None, None)
        self.pid = self.process.pid

    def live(self, *attachments):
        """A source that has the first of these, and finds the others, one after the other."""
        for one in attachments:
            if one is not None:
                one.pid = self.pid
        rest = list(attachments[1:])
        return source.LiveSource(attachments[0], find=lambda pid: rest.pop(0))

    def test_a_reading_names_the_process(self):
        found = self.live(Attachment([{"pool_off": 0}])).read()
        self.assertEqual((found.pid, found.program), (self.pid, "sh"))
        self.assertEqual(found.snapshot["version"], "0.1.0")
        self.assertGreater(found.figures.resident, 0)

    def test_what_the_snapshot_says_of_itself_is_kept(self):
        snapshot = {"pid": 1, "program": "in a container", "version": "0.2.0"}
        found = self.live(Attachment([snapshot])).read()
        self.assertEqual((found.program, found.snapshot["version"]), ("in a container", "0.2.0"))

    def test_options_are_read_now_and_then(self):
        one = Attachment([{}, {}])
        live = self.live(one)
        expected = {"limit": "1048576", "stats_file": '"a (b)"'}
        self.assertEqual(live.read().options, expected)
        self.assertEqual(live.read().options, expected)
        self.assertEqual(one.requests, 1)
        self.assertEqual(self.live(Attachment([{}], False)).read().options, {})

    def test_the_end(self):
        one = Attachment([{}, UserError("gone")])
        live = self.live(one)
        live.read()
        self.process.kill()
        support.wait_until(lambda: self.is_corpse())
        with self.assertRaisesRegex(Ended, rf"process {self.pid} \(sh\) has ended"):
            live.read()

    def is_corpse(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            return file.read().split()[2] == "Z"

    def test_the_end_may_come_while_it_is_looked_for(self):
        def find(pid):
            self.process.kill()
            raise UserError(f"no process {pid}")

        attachment = Attachment([UserError("gone")], is_there=False)
        attachment.pid = self.pid
        with self.assertRaisesRegex(Ended, rf"process {self.pid} \(sh\) has ended"):
            source.LiveSource(attachment, find=find).read()

    def test_another_program_is_found_anew(self):
        first = Attachment([UserError("other program")], is_there=False)
        live = self.live(first, Attachment([{"pool_off": 1}]))
        self.assertEqual(live.read().snapshot["pool_off"], 1)
        self.assertFalse(first.is_open)

    def test_another_program_without_spillway(self):
        first = Attachment([UserError("other program")], is_there=False)
        live = self.live(first, None)
        with self.assertRaisesRegex(Ended, "runs another program, without Spillway"):
            live.read()

    def test_no_answer_may_be_one_later(self):
        live = self.live(Attachment([UserError("no answer"), {}]))
        with self.assertRaisesRegex(NoAnswer, "no answer"):
            live.read()
        live.read()

    def test_a_stopped_process_is_not_asked(self):
        live = self.live(Attachment([{}]))
        self.process.send_signal(signal.SIGSTOP)

        def is_stopped():
            try:
                live.read()
            except NoAnswer as error:
                return str(error).endswith("is stopped")
            live._attachment.snapshots.append({})
            return False

        support.wait_until(is_stopped)
        self.process.send_signal(signal.SIGCONT)


if __name__ == "__main__":
    unittest.main()
