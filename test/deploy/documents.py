#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""documents.py: DEPLOY.md shows each file of scripts/deploy as it is, and README and RUNNING lead to it."""
import os
import re
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import page  # noqa: E402
import root  # noqa: E402


class Documents(unittest.TestCase):
    def test_each_file_follows_its_link(self):
        pattern = r"\[([^\]]+)\]\(\.\./\.\./scripts/deploy/([^)]+)\):\n\n```\w*\n(.*?)^```$"
        shown = {name: block for _, name, block in re.findall(pattern, page.TEXT, re.MULTILINE | re.DOTALL)}
        expected = page.files()
        del expected["Dockerfile.dockerignore"]
        self.assertEqual(shown, expected)

    def test_files_that_commands_name(self):
        for name in re.findall(r"\bscripts/deploy/([\w.-]+)", page.TEXT):
            self.assertTrue((root.DEPLOY / name).is_file(), name)

    def test_links(self):
        for name in ("README.md", "alloc/docs/RUNNING.md"):
            self.assertIn("DEPLOY.md", (root.CHECKOUT / name).read_text(encoding="utf-8"), name)


if __name__ == "__main__":
    unittest.main()
