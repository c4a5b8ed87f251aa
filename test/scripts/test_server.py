# SPDX-License-Identifier: MIT
"""`spillway ab --server`: one run of a server under a load, and how each part of it fails."""

import os
import socket
import subprocess
import tempfile
import time
import unittest
from unittest import mock

import support
from spillway_cli.ab import measure, server, usage

# Answers each connection; at the first request it takes 30 MiB and burns 50 ms.
SOURCE = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static char* held;
int main(int count, char** words) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr*)&here, sizeof here) || listen(listener, 5)) return perror("bind"), 3;
  for (;;) {
    int one = accept(listener, NULL, NULL);
    char request[8] = {0};
    if (read(one, request, 4) == 4) {
      if (!strcmp(request, "die!")) { fprintf(stderr, "bad heap\n"); abort(); }
      clock_t begin = clock();
      if (!held) {
        memset(held = malloc(30 << 20), 1, 30 << 20);
        while (clock() - begin < CLOCKS_PER_SEC / 20) {}
      }
      if (write(one, "done", 4) != 4) return 4;
    }
    close(one);
  }
}
"""
ASK = """exec 3<>/dev/tcp/127.0.0.1/$1 && printf '%s' "$2" >&3 && read -r -N 4 answer <&3 && echo "got $answer" """


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Run(support.WithFolder):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(holder.cleanup)
        cls.program = os.path.join(holder.name, "answering")
        with open(cls.program + ".c", "w", encoding="utf-8") as file:
            file.write(SOURCE)
        cls.compile(cls.program + ".c", cls.program)

    def setUp(self):
        super().setUp()
        self.port = free_port()

    def run_server(self, command=None, ready=None, load=("true",), settle=False, warm_ups=0, stdin=subprocess.DEVNULL):
        made = server.Server(tuple(command or (self.program, str(self.port))), ready or self.port, warm_ups)
        with open(self.folder / "log", "w+b") as log, open(self.folder / "out", "w+b") as out, \
             open(self.folder / "err", "w+b") as err:  # fmt: skip
            try:
                return server.Run(made, load, log).run(dict(os.environ), stdin, out, err, settle)
            finally:
                with self.assertRaises(ChildProcessError):  # nothing stays, whatever happened
                    os.wait4(-1, 0)

    def failing(self, *arguments, **more):
        with self.assertRaises(server.Failed) as caught:
            self.run_server(*arguments, **more)
        return str(caught.exception)

    def ask(self, word="work"):
        return ("bash", "-c", ASK, "bash", str(self.port), word)

    def test_a_load(self):
        with mock.patch.object(server, "SETTLED", 0.0):
            sample, left = self.run_server(load=self.ask(), settle=True)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "got done\n")
        self.assertGreater(sample.wall, 0.0)
        self.assertGreaterEqual(sample.cpu, 0.05)
        self.assertGreater(sample.peak_rss, 30 << 20)
        self.assertGreater(sample.minor_faults, 30 << 8)
        self.assertGreater(left, 30 << 20)
        self.assertFalse(sample.left_behind)

    def test_only_the_measured_load_counts(self):
        sample, left = self.run_server(load=self.ask(), warm_ups=1)
        self.assertIsNone(left)
        self.assertLess(sample.minor_faults, 30 << 7)  # the first one had them
        self.assertGreater(sample.peak_rss, 30 << 20)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "got done\n")

    def test_input_is_the_loads_from_its_start_each_time(self):
        (self.folder / "in").write_text("text\n", encoding="utf-8")
        with open(self.folder / "in", "rb") as file:
            self.run_server(("sh", "-c", "echo up; exec sleep 1000"), "^up$", ("cat",), warm_ups=2, stdin=file)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "text\n")

    def test_what_the_server_prints_tells_that_it_is_ready(self):
        began = time.monotonic()
        sample, _ = self.run_server(("sh", "-c", "sleep 0.1; echo up >&2; exec sleep 1000"), "^up$")
        self.assertGreater(time.monotonic() - began, 0.1)
        self.assertFalse(sample.left_behind)

    def test_a_server_that_becomes_a_daemon(self):
        _, left = self.run_server(("sh", "-c", "setsid sh -c 'echo up; sleep 1000' & exit 0"), "up")
        self.assertIsNone(left)

    def test_a_server_that_does_not_end(self):
        with mock.patch.object(measure, "LINGER", 0.1):
            sample, _ = self.run_server(("sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"), "up")
        self.assertTrue(sample.left_behind)

    def test_failures_before_the_load(self):
        self.assertEqual(self.failing(("sh", "-c", "echo no memory; exit 7"), "up"),
                         "the server ended before it was ready: exit status 7: no memory")
        with mock.patch.object(server, "LONGEST_START", 0.05):
            self.assertIn("not ready after 0 s: nothing matches up", self.failing(("sh", "-c", "echo yet; exec sleep 100"), "up"))
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertEqual(self.failing(), f"another program has port {self.port} already")
        self.assertIn("cannot be executed", self.failing(("/etc/passwd",), "up"))

    def test_failures_of_the_load(self):
        self.assertEqual(self.failing(load=("sh", "-c", "echo why >&2; exit 3")), "the load failed: exit status 3: why")
        self.assertEqual(self.failing(load=self.ask("die!")), "the server ended during the load: killed by SIGABRT: bad heap")
        with mock.patch.object(measure, "LONGEST_RUN", 0.05):
            self.assertIn("did not end within", self.failing(load=("sleep", "1000")))

    def test_what_a_load_leaves_running_is_ended(self):
        self.run_server(("sh", "-c", "echo up; exec sleep 1000"), "up", ("sh", "-c", "sleep 1000 &"))


class Usage(unittest.TestCase):
    def test_a_process_that_is_gone_counts_for_nothing(self):
        with subprocess.Popen(["true"]) as process:
            gone = [process.pid]
        self.assertEqual((usage.processor_seconds(gone), usage.minor_faults(gone), usage.peak(gone), usage.held(gone)), (0, 0, 0, 0))
        usage.forget_peaks(gone)

    def test_of_this_one(self):
        own = [os.getpid()]
        before = usage.processor_seconds(own)
        sum(range(100_000))
        self.assertGreater(usage.processor_seconds(own), before)
        self.assertGreater(usage.minor_faults(own), 0)
        self.assertGreater(usage.peak(own), 1 << 20)
        self.assertGreater(usage.held(own), 1 << 20)


if __name__ == "__main__":
    unittest.main()
