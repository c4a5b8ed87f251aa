#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""documents.py: what README and alloc/docs show is what works.

Each program there is one of the examples, or lines of one that stand together. Each target of CMake is one
that the tests link with, and each line that finds Spillway is the one that test/consumers runs. Each script,
and each subcommand of `spillway`, exists. The points that names of the pool's tests begin with are explained
in test/pool/README.md.
"""
import pathlib
import re
import sys
import textwrap
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

from spillway_cli.main import make_parser  # noqa: E402

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "alloc" / "docs").glob("*.md"))]
EXAMPLES = {path.name: path.read_text(encoding="utf-8")
            for path in sorted(HERE.iterdir()) if path.suffix in (".c", ".cc")}  # fmt: skip
PROGRAM = re.compile(r"^ *#(?:include|define)\b|^[^#$]*[;{]$", re.MULTILINE)
# Blocks in other languages, although a line ends like a program's.
OTHERS = re.compile(r"^(?:bt|FROM|spec:|\[Service\]|\{)", re.MULTILINE)
TARGET = re.compile(r"^target_link_libraries\(.*?\)", re.MULTILINE)
WAY = re.compile(r"^(add_subdirectory|find_package)\(.*?\)", re.MULTILINE)
SCRIPT = re.compile(r"^(?:sudo )?(scripts/\w+)(?: ([a-z]+))?", re.MULTILINE)


def blocks():
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for block in re.finditer(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            where = f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, block.start()) + 1}"
            yield where, block[1]


def lines(text):
    """Without what the place gives: indentation, and blank lines at both ends."""
    return textwrap.dedent(text).strip("\n").splitlines()


def stands_in(part, whole):
    part = lines(part)
    whole = whole.splitlines()
    return any(lines("\n".join(whole[at : at + len(part)])) == part for at in range(len(whole)))


class Documents(unittest.TestCase):
    def test_programs(self):
        found = 0
        for where, block in blocks():
            if PROGRAM.search(block) and not OTHERS.match(block):
                found += 1
                with self.subTest(where):
                    self.assertTrue([name for name, text in EXAMPLES.items() if stands_in(block, text)],
                                    f"in none of {', '.join(EXAMPLES)}:\n{block}")  # fmt: skip
        self.assertGreaterEqual(found, 5)

    def test_cmake(self):
        known = "".join((HERE / name).read_text(encoding="utf-8") for name in
                        ("CMakeLists.txt", "../consumers/project/CMakeLists.txt"))  # fmt: skip
        consumers = (HERE / "../consumers/run.py").read_text(encoding="utf-8")
        parts = re.search(r"^EXPECTED = .*", consumers, re.MULTILINE)[0]
        linked = set(re.findall(r"spillway::(\w+)", known)) | set(re.findall(r'"(\w+)": "', parts))
        found = 0
        for where, block in blocks():
            for line in TARGET.findall(block):
                for name in re.findall(r"spillway::(\w+)", line):
                    found += 1
                    with self.subTest(where):
                        self.assertIn(name, linked, line)
        self.assertGreaterEqual(found, 3)

    def test_ways_to_find_spillway(self):
        consumers = (HERE / "../consumers/run.py").read_text(encoding="utf-8")
        ways = {}
        for where, block in blocks():
            for way in WAY.finditer(block):
                ways.setdefault(way[1], {}).setdefault(way[0], []).append(where)
        self.assertEqual(sorted(ways), ["add_subdirectory", "find_package"])
        for command, all_lines in ways.items():
            with self.subTest(command):
                self.assertIn(f'documented_line("{command}(")', consumers)
                self.assertEqual(len(all_lines), 1, all_lines)

    def test_scripts(self):
        subcommands = make_parser()[1]
        found = 0
        for where, block in blocks():
            for script, word in SCRIPT.findall(block):
                found += 1
                with self.subTest(where):
                    self.assertTrue((ROOT / script).is_file(), script)
                    if script == "scripts/spillway" and word:
                        self.assertIn(word, subcommands, f"{script} {word}")
        self.assertGreaterEqual(found, 20)

    def test_points_of_the_pool(self):
        text = (ROOT / "test" / "pool" / "README.md").read_text(encoding="utf-8")
        explained = re.findall(r"^\| ([ABC]\d+) \|", text, re.MULTILINE)
        named = set()
        for path in (ROOT / "test" / "pool").glob("*.cc"):
            named |= set(re.findall(r"TEST_CASE\(([abc]\d+)_", path.read_text(encoding="utf-8")))
        self.assertEqual(sorted(explained), sorted(name.upper() for name in named))


if __name__ == "__main__":
    unittest.main()
