# SPDX-License-Identifier: MIT
"""Processes of all kinds under a tool: idle, forking, executing, ending, stopped, confined, closed."""

import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest

from processes import (
    LIBRARY, ROOT, UserError, WithProcesses, attach, hidden_threads, program, request, resident_bytes, wait_until,
)  # fmt: skip

MIB = 1 << 20
NOBODY = 65534


def lives(*arguments):
    return (program("control_lives"), *arguments)


class Idle(WithProcesses):
    def test_purge_of_a_process_that_calls_no_more(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_PURGE_DELAY="never")
        before = resident_bytes(process.pid)
        self.assertGreater(before, 64 * MIB)
        self.assertEqual(hidden_threads(process.pid), [])
        self.assertTrue(request(process.pid, "purge").startswith("purged "))
        self.assertLess(resident_bytes(process.pid), before - 60 * MIB)
        self.finish(process)

    def test_nothing_is_left_when_nobody_watches(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_PURGE_DELAY="never")
        files = os.listdir(f"/proc/{process.pid}/fd")
        json.loads(request(process.pid, "stats json"))
        self.assertEqual(len(hidden_threads(process.pid)), 1)
        self.assertEqual(os.listdir(f"/proc/{process.pid}/fd"), files)
        mapped = self.mapped_pages(process.pid)
        wait_until(lambda: not hidden_threads(process.pid))
        self.assertLess(self.mapped_pages(process.pid), mapped)
        self.finish(process)

    @staticmethod
    def mapped_pages(pid):
        with open(f"/proc/{pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[0])

    def test_snapshot_is_that_of_the_process(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_PURGE_DELAY="never")
        attachment = attach.find(process.pid)
        self.assertEqual((attachment.how, attachment.path), ("preloaded", os.path.realpath(LIBRARY)))
        first = json.dumps(attachment.snapshot(0))
        request(process.pid, "purge")
        self.assertNotEqual(first, json.dumps(attachment.snapshot(0)))
        self.finish(process)

    def test_options_of_the_running_process(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_PURGE_DELAY="never")
        self.assertEqual(request(process.pid, "get purge_delay"), "never\n")
        before = resident_bytes(process.pid)
        self.assertEqual(request(process.pid, "set purge_delay=100"), "purge_delay = 100 (set at run time)\n")
        wait_until(lambda: resident_bytes(process.pid) < before - 50 * MIB)
        self.finish(process)


class Changes(WithProcesses):
    def test_forks_have_pages_of_their_own(self):
        process, _ = self.start(*lives("forks"))
        request(process.pid, "set on_misuse=report")
        process.stdin.write("x")
        process.stdin.flush()
        child = int(process.stdout.readline())
        self.addCleanup(os.kill, child, signal.SIGKILL)
        self.assertEqual(request(child, "set on_misuse=ignore"), "on_misuse = ignore (set at run time)\n")
        self.assertEqual(request(process.pid, "get on_misuse"), "report\n")
        self.assertEqual(request(child, "get on_misuse"), "ignore\n")
        self.finish(process)

    def test_exec_is_noticed_and_the_new_program_left_alone(self):
        process, _ = self.start(*lives("executes", program("control_lives")), SPILLWAY_PURGE_DELAY="never")
        attachment = attach.find(process.pid)
        attachment.request("get")
        process.stdin.write("x")
        process.stdin.flush()
        self.assertEqual(process.stdout.readline(), "ready\n")
        for ask in (attachment.snapshot, lambda: attachment.request("purge")):
            with self.assertRaises(UserError) as caught:
                ask()
            self.assertIn("runs another program now", str(caught.exception))
        self.assertTrue(request(process.pid, "purge").startswith("purged "))
        self.finish(process)

    def test_end_is_noticed(self):
        process, _ = self.start(*lives("idle"))
        attachment = attach.find(process.pid)
        attachment.request("get")
        self.finish(process)
        for ask in (attachment.snapshot, lambda: attachment.request("purge"), lambda: attach.find(process.pid)):
            with self.assertRaises(UserError):
                ask()


class Refused(WithProcesses):
    def test_control_off(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_CONTROL="off")
        self.assert_refused(process.pid, "control is off there")
        self.assertEqual(attach.find(process.pid).describe().control, "off")
        attach.find(process.pid)._mailbox.knock()  # as a tool that does not look would
        self.finish(process)

    def test_no_such_process_and_one_without(self):
        with self.assertRaises(UserError) as caught:
            attach.find(999999999)
        self.assertEqual(str(caught.exception), "no process 999999999")
        process, _ = self.start(*lives("idle"), library=None)
        self.assertIsNone(attach.find(process.pid))
        self.finish(process)

    def test_stopped(self):
        process, _ = self.start(*lives("idle"))
        request(process.pid, "get")
        wait_until(lambda: not hidden_threads(process.pid))
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: attach.status.fields(process.pid)["State"].startswith("T"))
        self.assert_refused(process.pid, "it is stopped")
        process.send_signal(signal.SIGCONT)
        request(process.pid, "get")
        self.finish(process)

    def test_debugged(self):
        process, _ = self.start(*lives("idle"), SPILLWAY_PURGE_DELAY="never")
        seize, detach = 0x4206, 17
        ptrace = ctypes.CDLL(None).ptrace
        self.assertEqual(ptrace(seize, process.pid, None, None), 0)
        self.assert_refused(process.pid, "another tool debugs it")
        os.kill(process.pid, signal.SIGURG)  # ignored; a tracer sees it, and may let go then
        os.waitpid(process.pid, 0x40000000)
        self.assertEqual(ptrace(detach, process.pid, None, None), 0)
        request(process.pid, "get")
        self.finish(process)

    def test_filter_of_system_calls(self):
        process, _ = self.start(*lives("filtered"), SPILLWAY_PURGE_DELAY="never")
        self.assert_refused(process.pid, "it filters its system calls")
        self.finish(process)

    def test_first_thread_has_ended(self):
        process, _ = self.start(*lives("first_thread_ends"))
        with self.assertRaises(UserError):
            found = attach.find(process.pid)
            self.assertIsNotNone(found)
            found.request("stats")
        self.finish(process)

    def test_child_in_vfork(self):
        process, child = self.start(*lives("in_vfork"))
        with self.assertRaises(UserError):  # its memory is its parent's
            attach.find(int(child)).request("stats")
        self.finish(process)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root, and setpriv")
    def test_other_user_and_undumpable_process(self):
        as_nobody = ["setpriv", f"--reuid={NOBODY}", "--clear-groups"]
        # The checkout may be below a folder that is closed to others.
        folder = self.copied_for_all("control_lives")
        scripts = folder / "scripts"
        reads = [*as_nobody, "test", "-r", scripts / "spillway_cli" / "main.py"]
        if subprocess.run(reads, check=False).returncode != 0:
            self.skipTest(f"{folder.parent} is closed to other users")
        ours, _ = self.start(*lives("idle"))
        theirs, line = self.start(
            str(folder / "control_lives"), "undumpable", library=folder / os.path.basename(LIBRARY), before=as_nobody
        )  # fmt: skip
        self.assertEqual(line, "ready")
        for process, line in ((ours, "is another user's"), (theirs, "closed to debuggers")):
            done = subprocess.run(
                [*as_nobody, "/usr/bin/python3", "-B", "-m", "spillway_cli", "ctl", str(process.pid), "stats"],
                cwd=scripts, capture_output=True, text=True, check=False,
            )  # fmt: skip
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(line, done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.finish(process)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "needs root, and setpriv")
    def test_setuid_program_is_closed_even_to_root(self):
        linked = program("control_lives_linked")
        if not os.path.exists(linked):
            self.skipTest("needs the program that is linked with the archive")
        with tempfile.TemporaryDirectory(dir=os.environ.get("SETUID_FOLDER")) as folder:
            os.chmod(folder, 0o755)
            copy = pathlib.Path(folder, "setuid")
            shutil.copy(linked, copy)
            os.chown(copy, NOBODY, NOBODY)
            copy.chmod(0o4755)
            process, _ = self.start(str(copy), "idle", library=None)
            if attach.status.fields(process.pid)["Uid"].split()[1] != str(NOBODY):
                self.skipTest("the temporary folder's file system has no setuid")
            self.assert_refused(process.pid, "privileged")
            self.finish(process)


class Elsewhere(WithProcesses):
    """Linked programs, and processes whose files are not where they were."""

    def test_linked_programs(self):
        for name, how in (("control_lives_linked", "linked"), ("control_lives_static", "static")):
            if not os.path.exists(program(name)):
                continue
            with self.subTest(name):
                process, _ = self.start(program(name), "idle", library=None, SPILLWAY_PURGE_DELAY="never")
                attachment = attach.find(process.pid)
                self.assertEqual((attachment.how, attachment.path), (how, program(name)))
                before = resident_bytes(process.pid)
                request(process.pid, "purge")
                self.assertLess(resident_bytes(process.pid), before - 60 * MIB)
                done = subprocess.run(
                    [ROOT / "scripts" / "spillway", "check", str(process.pid)], capture_output=True, text=True,
                    check=False,
                )  # fmt: skip
                self.assertEqual(done.returncode, 0)
                self.assertIn("YES: Spillway is the allocator: the program is linked with it", done.stdout)
                self.assertIn(f"version    {attachment.version}\n", done.stdout)
                self.finish(process)

    @unittest.skipUnless("ARCHIVE" in os.environ, "needs an archive with mimalloc in it")
    def test_note_survives_every_way_of_linking(self):
        here = pathlib.Path(__file__).parent
        ways = (
            ["-static", "-Wl,--gc-sections"],
            ["-static-pie", "-fPIE"],
            ["-flto", "-Wl,--gc-sections", "-Wl,-O2"],
            ["-no-pie", "-Wl,-z,now"],
        )
        for number, way in enumerate(ways):
            with self.subTest(way), tempfile.TemporaryDirectory() as folder:
                linked = pathlib.Path(folder, f"linked{number}")
                subprocess.run(
                    ["cc", "-O2", "-D_GNU_SOURCE", "-fno-builtin", f"-I{here}/../preload", here / "lives.c",
                     *way, "-pthread", "-Wl,--undefined=malloc", os.environ["ARCHIVE"], "-o", linked],
                    check=True, capture_output=True,
                )  # fmt: skip
                subprocess.run(["strip", linked], check=True)
                process, _ = self.start(str(linked), "idle", library=None)
                self.assertEqual(attach.find(process.pid).path, str(linked))
                self.assertEqual(request(process.pid, "get min_size"), "4096\n")
                self.finish(process)

    def test_library_that_was_deleted(self):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder, "another_name.so")
            shutil.copy(LIBRARY, copy)
            process, _ = self.start(*lives("idle"), library=copy)
        request(process.pid, "purge")
        self.assertEqual(attach.find(process.pid).path, str(copy))
        self.finish(process)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("unshare"), "needs root, and unshare")
    def test_namespaces_of_its_own(self):
        confined = ["unshare", "--pid", "--mount", "--net", "--ipc", "--uts", "--time", "--monotonic=100000", "--fork",
                    "--mount-proc", "--kill-child"]  # fmt: skip
        tried = subprocess.run([*confined, "true"], check=False, capture_output=True)
        if tried.returncode != 0:
            self.skipTest(f"unshare: {tried.stderr}")
        outer, _ = self.start(*lives("idle"), before=confined, SPILLWAY_PURGE_DELAY="never")
        with open(f"/proc/{outer.pid}/task/{outer.pid}/children", encoding="ascii") as file:
            pid = int(file.read())
        self.assertTrue(request(pid, "purge").startswith("purged "))
        attachment = attach.find(pid)
        for _ in range(3):
            self.assertTrue(attachment.snapshot(0))
        self.finish(outer)

    def test_all_processes(self):
        process, _ = self.start(*lives("idle"))
        other, _ = self.start(*lives("idle"), library=None)
        found = {one.pid: one for one in attach.all_processes()}
        self.assertNotIn(other.pid, found)
        self.assertEqual(
            (found[process.pid].name, found[process.pid].how, found[process.pid].control),
            ("control_lives", "preloaded", "open"),
        )


if __name__ == "__main__":
    unittest.main()
