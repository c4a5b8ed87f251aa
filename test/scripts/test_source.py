"""Readings of a live process through a stand-in for the control channel."""

import os
import signal
import types
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


def attach(*attachments):
    """Finds these, one after the other."""
    found = list(attachments)
    return types.SimpleNamespace(find=lambda pid: found.pop(0))


class Live(unittest.TestCase):
    def setUp(self):
        process = support.waiting_process()
        self.process = process.__enter__()
        self.addCleanup(process.__exit__, None, None, None)
        self.pid = self.process.pid

    def test_a_reading_names_the_process(self):
        found = source.LiveSource(self.pid, attach(Attachment([{"pool_off": 0}]))).read()
        self.assertEqual((found.pid, found.program), (self.pid, "sh"))
        self.assertEqual(found.snapshot["version"], "0.1.0")
        self.assertGreater(found.figures.resident, 0)

    def test_what_the_snapshot_says_of_itself_is_kept(self):
        snapshot = {"pid": 1, "program": "in a container", "version": "0.2.0"}
        found = source.LiveSource(self.pid, attach(Attachment([snapshot]))).read()
        self.assertEqual((found.program, found.snapshot["version"]), ("in a container", "0.2.0"))

    def test_options_are_read_now_and_then(self):
        one = Attachment([{}, {}])
        live = source.LiveSource(self.pid, attach(one))
        expected = {"limit": "1048576", "stats_file": '"a (b)"'}
        self.assertEqual(live.read().options, expected)
        self.assertEqual(live.read().options, expected)
        self.assertEqual(one.requests, 1)
        self.assertEqual(source.LiveSource(self.pid, attach(Attachment([{}], False))).read().options, {})

    def test_no_spillway_and_no_process(self):
        with self.assertRaisesRegex(UserError, rf"process {self.pid} \(sh\) runs without Spillway"):
            source.LiveSource(self.pid, attach(None))
        with self.assertRaisesRegex(UserError, "no process 999999999"):
            source.LiveSource(999999999, attach())

    def test_the_end(self):
        one = Attachment([{}, UserError("gone")])
        live = source.LiveSource(self.pid, attach(one))
        live.read()
        self.process.kill()
        support.wait_until(lambda: self.is_corpse())
        with self.assertRaisesRegex(Ended, rf"process {self.pid} \(sh\) has ended"):
            live.read()

    def is_corpse(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            return file.read().split()[2] == "Z"

    def test_another_program_is_found_anew(self):
        first = Attachment([UserError("other program")], is_there=False)
        live = source.LiveSource(self.pid, attach(first, Attachment([{"pool_off": 1}])))
        self.assertEqual(live.read().snapshot["pool_off"], 1)
        self.assertFalse(first.is_open)

    def test_another_program_without_spillway(self):
        first = Attachment([UserError("other program")], is_there=False)
        live = source.LiveSource(self.pid, attach(first, None))
        with self.assertRaisesRegex(Ended, "runs another program, without Spillway"):
            live.read()

    def test_no_answer_may_be_one_later(self):
        live = source.LiveSource(self.pid, attach(Attachment([UserError("no answer"), {}])))
        with self.assertRaisesRegex(NoAnswer, "no answer"):
            live.read()
        live.read()

    def test_a_stopped_process_is_not_asked(self):
        live = source.LiveSource(self.pid, attach(Attachment([{}])))
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

    def test_choosing(self):
        own = types.SimpleNamespace(pid=os.getpid(), name="tested")
        other = types.SimpleNamespace(pid=self.pid, name="sh")
        machine = types.SimpleNamespace(all_processes=lambda: [own, other])
        self.assertEqual(source.choose("4711", machine), 4711)
        self.assertEqual(source.choose("tested", machine), os.getpid())
        # By the command that started it, too, which need not be the kernel's name.
        other.name = "renamed"
        self.assertEqual(source.choose("sh", machine), self.pid)
        with self.assertRaisesRegex(UserError, "no process 'x\\?' under Spillway"):
            source.choose("x\x07", machine)
        other.name = "tested"
        pids = " ".join(map(str, sorted((os.getpid(), self.pid))))
        with self.assertRaisesRegex(UserError, f"2 processes are called 'tested': {pids}$"):
            source.choose("tested", machine)


if __name__ == "__main__":
    unittest.main()
