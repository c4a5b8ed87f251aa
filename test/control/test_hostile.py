# SPDX-License-Identifier: MIT
"""Whatever tools write to the control page, a process that works goes on working: rubbish, torn and
over-long requests, floods, slow readers and tools that are killed. The program checks its blocks."""

import contextlib
import os
import random
import signal
import struct
import threading
import time
import unittest

from processes import UserError, WithProcesses, attach, program, request, wait_until

ROUNDS = 120


class Hostile(WithProcesses):
    def setUp(self):
        self.process, line = self.start(program("control_load"))
        self.assertEqual(line, "working")
        self.attachment = attach.find(self.process.pid)
        self.memory, self.note = self.attachment._memory, self.attachment.note
        self.box = self.attachment._mailbox
        self.random = random.Random(4711)

    def assert_well(self):
        """The process answers, and its blocks were right all the time."""
        self.assertEqual(request(self.process.pid, "get min_size"), "4096\n")
        self.assertGreater(int(self.finish(self.process)), 0)

    def knock(self):
        self.box.knock()

    def test_random_bytes(self):
        for _ in range(ROUNDS):
            at = self.random.randrange(512)
            self.memory.write(self.note.page + at, self.random.randbytes(512 - at))
            self.knock()
        self.assert_well()

    def test_random_bytes_over_the_whole_page(self):
        """The process's own half, too: it reads nothing back from there that it would follow."""
        self.attachment.snapshot()
        for _ in range(ROUNDS):
            at = self.random.randrange(1100)
            self.memory.write(self.note.page + at, self.random.randbytes(1100 - at))
            self.knock()
        self.assert_well()

    def test_random_requests_that_are_whole(self):
        for _ in range(ROUNDS):
            words = (b"stats", b"purge", b"flush", b"get", b"set ", b"=", b"limit", b" ", b"%", b"\x00", b"\xff")
            text = b"".join(self.random.choice(words) for _ in range(self.random.randrange(9)))
            self.box.post(text[: self.random.randrange(1, 481)])
            self.knock()
        # A limit may have come out of it.
        for name in ("limit", "hard_limit"):
            request(self.process.pid, f"set {name}=none")
        self.assert_well()

    def test_over_long_and_torn_requests(self):
        self.attachment.snapshot()
        for length in (481, 4096, 1 << 31, (1 << 32) - 1):
            identity = self.random.getrandbits(63) + 1
            self.memory.write(self.note.page + 12, struct.pack("<IQQ", length, 0, identity))
            self.knock()
            wait_until(lambda: self.box.answers().answered == identity)  # noqa: B023
            text, is_error = self.box.read_answer(identity, self.box.answers())
            self.assertEqual((text, is_error), (b"the request is too long", True))
        for _ in range(ROUNDS):
            self.box.post(b"purge")
            self.memory.write(self.note.page + 32, self.random.randbytes(5))
            self.knock()
        self.assert_well()

    def test_flood(self):
        end = threading.Event()

        def ask():
            attachment = attach.find(self.process.pid)
            while not end.is_set():
                with contextlib.suppress(UserError):
                    attachment.request("stats prometheus")
                    attachment.snapshot_text(0)

        askers = [threading.Thread(target=ask) for _ in range(8)]
        for asker in askers:
            asker.start()
        for _ in range(10 * ROUNDS):
            self.box.watch()
            self.knock()
        end.set()
        for asker in askers:
            asker.join()
        self.assert_well()

    def test_slow_reader_finds_an_old_text_gone(self):
        self.attachment.snapshot()
        answers = self.box.answers()
        self.assertIsNotNone(self.box.read_snapshot(answers.snapshot))
        for _ in range(3):
            self.attachment.snapshot(0)
        self.assertIsNone(self.box.read_snapshot(answers.snapshot))
        identity = self.box.post(b"get")
        self.knock()
        wait_until(lambda: self.box.answers().answered == identity)
        old = self.box.answers()
        self.attachment.request("stats")
        self.assertIsNone(self.box.read_answer(identity, old))
        self.assert_well()

    def test_tools_killed_at_any_moment(self):
        for round_number in range(20):
            child = os.fork()
            if child == 0:
                try:
                    attach.find(self.process.pid).request("get")
                finally:
                    os._exit(0)
            time.sleep(round_number * 0.002)  # before it is killed, somewhere on its way
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
        self.assert_well()


class KilledWhileWaking(WithProcesses):
    def test_tracer_killed_at_any_moment(self):
        """Each process sleeps, and has to be woken; the whole group of the tool is killed meanwhile."""
        for round_number in range(6):
            process, _ = self.start(program("control_lives"), "idle", SPILLWAY_PURGE_DELAY="never")
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                try:
                    attach.find(process.pid).request("get")
                finally:
                    os._exit(0)
            with contextlib.suppress(PermissionError):
                os.setpgid(child, child)
            time.sleep(0.02 + round_number * 0.004)  # from when it wakes on
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            self.assertEqual(request(process.pid, "get min_size"), "4096\n")
            self.finish(process)


if __name__ == "__main__":
    unittest.main()
