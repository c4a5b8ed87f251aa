#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""documents.py: what README and alloc/docs show is what works.

Each program there is one of the examples, or lines of one that stand together; each line of CMake is in a
CMakeLists.txt of the tests or one that test/consumers runs; each script, and each subcommand of `spillway`,
exists. The points that names of tests begin with are explained in POOL.md.
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
# What is no language of ours although a line ends like a program's.
OTHERS = re.compile(r"^(?:bt|FROM|spec:|\[Service\]|\{)", re.MULTILINE)
TARGET = re.compile(r"^(?:target_link_libraries|add_subdirectory|find_package)\(.*?\)", re.MULTILINE)
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
        linked = set(re.findall(r"spillway::(\w+)", known)) | set(
            re.findall(r'"(\w+)": "', re.search(r"^EXPECTED = .*", (HERE / "../consumers/run.py").read_text(), re.M)[0]))  # fmt: skip
        for where, block in blocks():
            for line in TARGET.findall(block):
                with self.subTest(where):
                    for name in re.findall(r"spillway::(\w+)", line):
                        self.assertIn(name, linked, line)

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
        text = (ROOT / "alloc" / "docs" / "POOL.md").read_text(encoding="utf-8")
        explained = re.findall(r"^\| ([ABC]\d+) \|", text, re.MULTILINE)
        named = set()
        for path in (ROOT / "test" / "pool").glob("*.cc"):
            named |= set(re.findall(r"TEST_CASE\(([abc]\d+)_", path.read_text(encoding="utf-8")))
        self.assertEqual(sorted(explained), sorted(name.upper() for name in named))


if __name__ == "__main__":
    unittest.main()
