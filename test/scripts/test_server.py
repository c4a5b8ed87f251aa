# SPDX-License-Identifier: MIT
"""`spillway ab --server`: one run of a server under a load, and how each part of it fails."""

import os
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from unittest import mock

import support
from spillway_cli.ab import measure, server, usage

# Answers each connection; at the first request it takes 30 MiB. Prints for each, between the request and the
# answer, its processor time in whole microseconds, rounded down, and its page faults.
SOURCE = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
static char* held;
static long microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
static long faults(void) {
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  return used.ru_minflt;
}
int main(int count, char** words) {
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
  here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
  int on = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener, (struct sockaddr*)&here, sizeof here) || listen(listener, 5)) return perror("bind"), 3;
  for (;;) {
    int one = accept(listener, NULL, NULL);
    char request[8] = {0};
    if (read(one, request, 4) == 4) {
      if (!strcmp(request, "die!")) { fprintf(stderr, "bad heap\n"); abort(); }
      long begin = microseconds(), before = faults();
      if (!held) memset(held = malloc(30 << 20), 1, 30 << 20);
      long end = microseconds();
      fprintf(stderr, "%ld %ld\n", end - begin - 1, faults() - before);
      if (write(one, "done", 4) != 4) return 4;
    }
    close(one);
  }
}
"""
ASK = """exec 3<>/dev/tcp/127.0.0.1/$1 && printf '%s' "$2" >&3 && read -r -N 4 answer <&3 && echo "got $answer" """


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
        # Bound until the test's end, so that no other process gets the port; a server that sets SO_REUSEADDR may.
        holder = socket.socket()
        self.addCleanup(holder.close)
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        self.port = holder.getsockname()[1]

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

    def told(self):
        """[(seconds, faults)] of each request."""
        lines = (self.folder / "log").read_text(encoding="utf-8").splitlines()
        return [(int(micros) / 1e6, int(faults)) for micros, faults in map(str.split, lines)]

    def test_a_load(self):
        with mock.patch.object(server, "IDLE", 0.0), mock.patch.object(server, "time", support.Clock()):
            sample, left = self.run_server(load=self.ask(), settle=True)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "got done\n")
        ((cpu, faults),) = self.told()
        self.assertEqual(sample.wall, support.Clock.STEP)
        self.assertGreaterEqual(sample.cpu, cpu)
        self.assertGreater(sample.peak_rss, 30 << 20)
        self.assertGreater(faults, 0)
        self.assertGreaterEqual(sample.minor_faults, faults)
        self.assertGreater(left, 30 << 20)
        self.assertFalse(sample.left_behind)

    def test_only_the_measured_load_counts(self):
        sample, left = self.run_server(load=self.ask(), warm_ups=1)
        self.assertIsNone(left)
        self.assertLess(sample.minor_faults, self.told()[0][1])  # the first one had them
        self.assertGreater(sample.peak_rss, 30 << 20)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "got done\n")

    def test_input_is_the_loads_from_its_start_each_time(self):
        (self.folder / "in").write_text("text\n", encoding="utf-8")
        with open(self.folder / "in", "rb") as file:
            self.run_server(("sh", "-c", "echo up; exec sleep 1000"), "^up$", ("cat",), warm_ups=2, stdin=file)
        self.assertEqual((self.folder / "out").read_text(encoding="utf-8"), "text\n")

    def test_what_the_server_prints_tells_that_it_is_ready(self):
        file = self.folder / "ready"
        command = ("sh", "-c", f"sleep 0.1; touch {file}; echo up >&2; exec sleep 1000")
        sample, _ = self.run_server(command, "^up$", ("test", "-e", file))
        self.assertFalse(sample.left_behind)

    def test_a_server_that_becomes_a_daemon(self):
        _, left = self.run_server(("sh", "-c", "setsid sh -c 'echo up; sleep 1000' & exit 0"), "up")
        self.assertIsNone(left)

    def test_a_server_that_does_not_end(self):
        with mock.patch.object(measure, "GRACE", 0.1):
            sample, _ = self.run_server(("sh", "-c", "trap '' TERM; echo up; while :; do sleep 1000; done"), "up")
        self.assertTrue(sample.left_behind)

    def test_failures_before_the_load(self):
        self.assertEqual(self.failing(("sh", "-c", "echo no memory; exit 7"), "up"),
                         "the server ended before it was ready: exit status 7: no memory")
        with mock.patch.object(server, "MAX_START", 0.05):
            said = self.failing(("sh", "-c", "echo yet; exec sleep 100"), "up")
            self.assertIn("not ready after 0 s: nothing matches up", said)
        with socket.create_server(("127.0.0.1", self.port)):
            self.assertEqual(self.failing(), f"another program has port {self.port} already")
        self.assertIn("cannot be executed", self.failing(("/etc/passwd",), "up"))

    def test_failures_of_the_load(self):
        self.assertEqual(self.failing(load=("sh", "-c", "echo why >&2; exit 3")), "the load failed: exit status 3: why")
        self.assertEqual(self.failing(load=self.ask("die!")),
                         "the server ended during the load: killed by SIGABRT: bad heap")  # fmt: skip
        with mock.patch.object(measure, "MAX_RUN", 0.05):
            self.assertIn("did not end within", self.failing(load=("sleep", "1000")))

    def test_what_a_load_leaves_running_is_ended(self):
        self.run_server(("sh", "-c", "echo up; exec sleep 1000"), "up", ("sh", "-c", "sleep 1000 &"))

    def test_so_is_one_in_another_process_group(self):
        """Before the next load begins, which fails otherwise."""
        pid = self.folder / "pid"
        load = f"[ ! -e {pid} ] || [ ! -e /proc/$(cat {pid})/exe ] || exit 9; set -m; sleep 1000 & echo $! >{pid}"
        self.run_server(("sh", "-c", "echo up; exec sleep 1000"), "up", ("bash", "-c", load), warm_ups=1)

    def test_what_a_load_starts_is_no_process_of_the_server(self):
        """Not even in a session of its own."""
        pid, seen = self.folder / "pid", []

        def found():
            seen.append((int(pid.read_text(encoding="utf-8")), runner.processes()))
            (self.folder / "seen").touch()

        tell = f"echo $! >{pid}.new; mv {pid}.new {pid}; until [ -e {self.folder}/seen ]; do :; done"
        load = f"setsid sleep 1000 & {tell}"
        with open(self.folder / "log", "w+b") as log, open(self.folder / "out", "w+b") as out:
            made = server.Server(("sh", "-c", "echo up; exec sleep 1000"), "up")
            runner = server.Run(made, ("bash", "-c", load), log)
            looks = threading.Thread(target=lambda: (support.wait_until(pid.exists), found()))
            looks.start()
            runner.run(dict(os.environ), subprocess.DEVNULL, out, out, False)
            looks.join()
        ((of_load, of_server),) = seen
        self.assertNotIn(of_load, of_server)
        self.assertEqual(len(of_server), 1)


class Usage(unittest.TestCase):
    def test_a_process_that_is_gone_counts_for_nothing(self):
        with subprocess.Popen(["true"]) as process:
            gone = [process.pid]
        for figure in (usage.processor_seconds, usage.minor_faults, usage.peak, usage.held):
            self.assertEqual(figure(gone), 0)
        usage.forget_peaks(gone)

    def test_of_this_one(self):
        own, of_children = [os.getpid()], sum(os.times()[2:4])
        low = time.process_time()
        found = usage.processor_seconds(own) - of_children
        high = time.process_time()
        self.assertLessEqual(low, found)
        self.assertLessEqual(found, high)
        self.assertGreater(usage.minor_faults(own), 0)
        self.assertGreater(usage.peak(own), 1 << 20)
        self.assertGreater(usage.held(own), 1 << 20)

    def test_without_the_clock_of_another_process(self):
        own, tick = [os.getpid()], 1 / usage.TICK
        with mock.patch.object(usage.time, "clock_gettime", side_effect=OSError):
            low, found, high = sum(os.times()[:4]), usage.processor_seconds(own), sum(os.times()[:4])
        self.assertLessEqual(low - tick, found)
        self.assertLessEqual(found, high + tick)


if __name__ == "__main__":
    unittest.main()
