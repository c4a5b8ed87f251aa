#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""whole_machine.py LIBRARY: /etc/ld.so.preload, by DEPLOY.md's commands, in a root of its own."""
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import page  # noqa: E402
import root  # noqa: E402

SECTION = "The whole machine: ld.so.preload"
PRELOAD = "etc/ld.so.preload"
OTHER = "/usr/local/lib/other.so\n"  # another library that the machine preloads
NOBODY = 65534
BROKEN = "__attribute__((constructor)) static void start(void) { __builtin_trap(); }\n"
EMPTY = "int spillway_test_other;\n"


class WholeMachine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.root = root.Root()
        checkout = cls.root / "checkout"
        cls.root.show(root.CHECKOUT / "scripts", "/checkout/scripts")
        (checkout / "build/release").mkdir(parents=True)
        shutil.copy(sys.argv[1], checkout / "build/release/libspillway.so")
        (place,) = page.commands("")
        build, *put = place.splitlines(keepends=True)
        assert build == "scripts/build release spillway_preload\n"
        cls.shell("".join(put).replace("sudo ", ""))
        cls.compile(EMPTY, "/usr/local/lib/other.so", "-shared", "-fPIC")
        cls.on, cls.off, cls.rescue = page.commands(SECTION)
        probe = (root.HERE / "probe.c").read_text(encoding="utf-8")
        for name, options in (("dynamic", ()), ("static", ["-static"]), ("sanitized", ["-fsanitize=address"])):
            cls.compile(probe, f"/opt/{name}", *options)

    @classmethod
    def shell(cls, text, **options):
        return cls.root.run("/bin/bash", "-e", "-c", text, folder="/checkout", **options)

    @classmethod
    def compile(cls, source, place, *options):
        subprocess.run(["cc", *options, "-x", "c", "-o", cls.root / place, "-"], input=source, text=True, check=True,
                       timeout=root.HUNG)

    def setUp(self):
        (self.root / PRELOAD).write_text(OTHER, encoding="utf-8")

    def turn_on(self):
        listed, complaints = self.shell(self.on)
        self.assertEqual(complaints, "")
        self.assertEqual(listed.count("usr\n"), 2)

    def test_dynamic_programs_have_it(self):
        self.assertEqual(self.root.run("/opt/dynamic"), ("without\n", ""))
        self.turn_on()
        self.assertEqual((self.root / PRELOAD).read_text(encoding="utf-8"), OTHER + root.LIBRARY + "\n")
        self.assertEqual(self.root.run("/opt/dynamic"), ("with\n", ""))
        listed, said = self.shell("SPILLWAY_STATS=text ls /")
        self.assertIn("usr\n", listed)
        self.assertRegex(said, r"^spillway: statistics\n  program +ls\n")
        script = "print(open('/proc/self/maps').read().count('libspillway.so') > 0)"
        self.assertEqual(self.root.run("/usr/bin/python3", "-c", script), ("True\n", ""))

    def test_static_ones_have_not(self):
        self.turn_on()
        self.assertEqual(self.root.run("/opt/static"), ("without\n", ""))

    def test_setuid_ones_have_it_without_options(self):
        if os.geteuid() != 0 or "4294967295" not in pathlib.Path("/proc/self/uid_map").read_text(encoding="ascii"):
            self.skipTest("a program that is setuid for another user takes root")
        program = self.root / "opt/setuid"
        shutil.copy(self.root / "opt/dynamic", program)
        os.chown(program, NOBODY, NOBODY)
        program.chmod(0o4755)
        self.turn_on()
        options = {"SPILLWAY_VERBOSE": "1"}
        said, lines = self.root.run("/opt/dynamic", variables=options)
        self.assertEqual((said, lines.startswith("spillway: ")), ("with\n", True))
        self.assertEqual(self.root.run("/opt/setuid", variables=options), ("with secure\n", ""))

    def test_sanitized_ones_end_at_their_start(self):
        (self.root / PRELOAD).write_text("", encoding="utf-8")
        self.assertEqual(self.root.run("/opt/sanitized"), ("without\n", ""))
        self.turn_on()
        _, said = self.root.run("/opt/sanitized", status=1)
        self.assertIn("ASan runtime does not come first", said)
        options = {"ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.assertEqual(self.root.run("/opt/sanitized", variables=options), ("with\n", ""))

    def test_it_is_taken_back(self):
        self.turn_on()
        self.shell(self.off)
        self.assertEqual((self.root / PRELOAD).read_text(encoding="utf-8"), OTHER)
        self.assertEqual(self.root.run("/opt/dynamic"), ("without\n", ""))

    def test_a_process_keeps_it_and_nothing_happens_when_the_library_goes(self):
        self.turn_on()
        script = "import sys; print(flush=True); sys.stdin.read(); " \
            "print(len(bytes(99999)), open('/proc/self/maps').read().count('libspillway.so') > 0)"
        library = self.root / root.LIBRARY
        aside = library.with_name("aside")
        with subprocess.Popen(self.root.command("/usr/bin/python3", "-c", script), stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            self.shell(self.off)
            shutil.copy(library, aside)
            library.unlink()
            try:
                self.assertEqual(process.communicate("", timeout=root.HUNG)[0], "99999 True\n")
                # The other way round: one line, and the program runs.
                (self.root / PRELOAD).write_text(root.LIBRARY + "\n", encoding="utf-8")
                done = subprocess.run(["chroot", self.root.path, "/opt/dynamic"], capture_output=True, text=True,
                                      check=False, timeout=root.HUNG)
                self.assertEqual((done.returncode, done.stdout), (0, "without\n"))
                self.assertRegex(done.stderr, "^ERROR: ld.so: object '/usr/local/lib/libspillway.so' .*: ignored.\n$")
            finally:
                shutil.move(aside, library)

    def test_an_open_shell_helps_when_no_program_starts(self):
        library = self.root / root.LIBRARY
        aside = library.with_name("aside")
        with subprocess.Popen(self.root.command("/bin/bash"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True) as shell:
            shell.stdin.write("echo open\n")
            shell.stdin.flush()
            self.assertEqual(shell.stdout.readline(), "open\n")
            shutil.move(library, aside)
            try:
                self.compile(BROKEN, root.LIBRARY, "-shared", "-fPIC")
                (self.root / PRELOAD).write_text(root.LIBRARY + "\n", encoding="utf-8")
                said, _ = shell.communicate(f"ls / || echo broken\n{self.rescue}ls / >/dev/null && echo whole\n",
                                            timeout=root.HUNG)
            finally:
                shutil.move(aside, library)
        self.assertEqual(said, "broken\nwhole\n")
        self.assertEqual((self.root / PRELOAD).read_text(encoding="utf-8"), "")


if __name__ == "__main__":
    root.enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
