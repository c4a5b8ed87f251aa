# SPDX-License-Identifier: MIT
"""The programs that `spillway ab` brings."""
import pathlib
import subprocess
import tempfile
import unittest

import support

from spillway_cli.ab import programs


class Programs(unittest.TestCase):
    """Each built-in program, at a hundredth of its work: it runs and its output is the same twice."""

    def test_table_and_programs_agree(self):
        with tempfile.TemporaryDirectory() as folder:
            made = programs.builtin(pathlib.Path(folder), 1)
            files = {path.name for path in programs.FOLDER.iterdir() if path.is_file()} - {"PROGRAMS"}
            self.assertEqual({program.name for program in made}, files)
            for program in made:
                with self.subTest(program=program.name):
                    self.assertLessEqual(len(f"{program.name}: {program.description}"), 80)
                    programs.prepare(program)
                    outputs = {self.output(program) for _ in range(2)}
                    self.assertEqual(len(outputs), 1)
                    self.assertNotEqual(outputs, {b""})

    def output(self, program):
        return subprocess.run(program.command, stdout=subprocess.PIPE, check=True, timeout=support.HANG_SECONDS).stdout


if __name__ == "__main__":
    unittest.main()
