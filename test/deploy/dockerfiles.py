#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""dockerfiles.py LIBRARY quick|full: the Dockerfiles' lines, done one by one in roots of the system's programs.

Packages are taken to be there: `apt-get` only notes what it is asked for. With `quick` the build is LIBRARY; with
`full` it is made, which takes minutes, what scripts/setup installs, and the network for mimalloc's source.
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import root  # noqa: E402

BUILD = "scripts/build release spillway_preload"
APP = """
blocks = [bytearray(100_000) for _ in range(100)]
print(open("/proc/self/maps").read().count("libspillway.so") > 0)
"""


def instructions(file):
    """(name, rest) of each; a line goes on after a backslash."""
    text = re.sub(r"\\\n", " ", file.read_text(encoding="utf-8"))
    lines = (line.strip() for line in text.splitlines())
    return [tuple(line.split(None, 1)) for line in lines if line and not line.startswith("#")]


class Stage:
    """One image: a root, or nothing but files for `FROM scratch`."""

    def __init__(self, base):
        self.root = None if base == "scratch" else root.Root()
        self.files = self.root or pathlib.Path(root.tempfile.mkdtemp(prefix="spillway_scratch_"))
        if self.root is None:
            root.atexit.register(shutil.rmtree, self.files)
        else:
            root.write_program(self.files / "usr/local/sbin/apt-get", root.apt_get("/run/apt-get"))
            for folder in ("/var/lib/dpkg", "/var/lib/apt"):
                self.root.show(folder, folder)
        self.variables, self.folder, self.command = {}, "/", None

    def at(self, place):
        return self.files / os.path.join(self.folder, place).lstrip("/")


class Images:
    """Builds Dockerfiles; `images` are those that COPY --from may name."""

    def __init__(self, full):
        self.full = full
        self.images = {}

    def build(self, file, context, ignored=()):
        stage = None
        for name, rest in instructions(file):
            if name == "FROM":
                base, _, alias = rest.partition(" AS ")
                stage = Stage(base)
                self.images[alias] = stage
            elif name == "WORKDIR":
                stage.folder = rest
                stage.at("").mkdir(parents=True, exist_ok=True)
            elif name == "ENV":
                stage.variables.update(word.split("=", 1) for word in shlex.split(rest))
            elif name == "CMD":
                stage.command = json.loads(rest)
            elif name == "COPY":
                self.copy(stage, shlex.split(rest), context, ignored)
            elif name == "RUN":
                self.run(stage, rest)
            else:
                raise AssertionError(f"{file.name}: {name} is unknown to this test")
        return stage

    def copy(self, stage, words, context, ignored):
        if words[0].startswith("--from="):
            context = self.images[words.pop(0).partition("=")[2]].files
        source, place = words
        target = stage.at(place)
        if source == ".":
            patterns = shutil.ignore_patterns("__pycache__")
            shutil.copytree(context, target, dirs_exist_ok=True, symlinks=True, ignore=lambda folder, names: {
                *(ignored if pathlib.Path(folder) == context else ()), *patterns(folder, names)})
            return
        if place.endswith("/"):
            target = target / os.path.basename(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(context / source.lstrip("/"), target, follow_symlinks=False)

    def run(self, stage, command):
        if command == BUILD and not self.full:
            stage.root.run("test", "-x", BUILD.split()[0], folder=stage.folder)
            made = stage.at("build/release/libspillway.so")
            made.parent.mkdir(parents=True)
            shutil.copy(sys.argv[1], made)
            return
        stage.root.run("/bin/sh", "-c", command, variables=stage.variables, folder=stage.folder)


class Dockerfiles(unittest.TestCase):
    def test_the_library_and_two_lines(self):
        images = Images(full=sys.argv[2] == "full")
        ignored = (root.DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
        images.images["spillway"] = images.build(root.DEPLOY / "Dockerfile", root.CHECKOUT, ignored)
        files = [path.name for path in images.images["spillway"].files.iterdir()]
        self.assertEqual(files, ["libspillway.so"])

        context = pathlib.Path(root.tempfile.mkdtemp(prefix="spillway_context_"))
        self.addCleanup(shutil.rmtree, context)
        (context / "app.py").write_text(APP, encoding="utf-8")
        app = images.build(root.DEPLOY / "Dockerfile.app", context)
        self.assertRegex((app.files / "run/apt-get").read_text(), "^-qq update\n-qq -y install .* python3-minimal\n$")
        self.assertEqual(app.variables["LD_PRELOAD"], root.LIBRARY)
        said = app.root.run(*app.command, variables=app.variables)
        self.assertEqual(said, ("True\n", ""))
        limit = 256 << 20
        root.pretend_memory(app.root, limit)
        _, said = app.root.run(*app.command, variables={**app.variables, "SPILLWAY_STATS": "json"})
        statistics = json.loads(said)
        self.assertEqual(statistics["limit_bytes"], limit // 100 * 80)
        self.assertGreaterEqual(statistics["allocations_total"], 100)

    def test_what_is_not_sent(self):
        """The build folder has paths of this machine; a build in the image would find them."""
        ignored = (root.DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").split()
        self.assertIn("build", ignored)

    def test_the_two_lines_come_last(self):
        """Otherwise what RUN starts would be preloaded, too."""
        last = [name for name, _ in instructions(root.DEPLOY / "Dockerfile.app")][-2:]
        self.assertEqual(last, ["COPY", "ENV"])


if __name__ == "__main__":
    if len(sys.argv) < 3 or sys.argv[2] not in ("quick", "full"):
        sys.exit(__doc__)
    root.enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
