#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Does the model see what it is there to see? Weakens a copy of the sources at each place of
mutations.txt, one at a time, and checks that the suite named there fails, and only then.

    test/model/mutations.py                  all of them
    test/model/mutations.py PATTERN...       those whose title has one of these words in it

Needs build/release with test_model in it (or --build FOLDER). Compiles what includes the changed
file and is a part of the suite's program. Exit status 1 when a mutation survives, or the sources fail as they are.
"""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
TABLE = pathlib.Path(__file__).with_name("mutations.txt")
PROGRAM = "test/model/test_model"
HANG_S = 1800  # only ends what hangs
CAUGHT = re.compile(r"(error: .*)\nagain: SPILLWAY_MODEL_SCHEDULE=|error: .*(at the start: .*)")


class Mutation:
    """A block of mutations.txt: a title, the file, the suite, and what replaces what."""

    def __init__(self, block):
        title, place, *lines = block.strip("\n").split("\n")
        self.title = title.strip()
        self.file, _, self.suite = (part.strip() for part in place.partition("|"))
        self.old = [line[1:] for line in lines if line.startswith("-")]
        self.new = [line[1:] for line in lines if line.startswith("+")]

    def apply(self, source):
        old, new = "\n".join(self.old), "\n".join(self.new)
        if not self.old or source.count(old) != 1:
            raise ValueError(f"{self.title}: {source.count(old)} places in {self.file}, not 1")
        return source.replace(old, new)


def read_table(path=TABLE):
    text = "\n".join(line for line in path.read_text().split("\n") if not line.startswith("#"))
    return [Mutation(block) for block in re.split(r"^== ", text, flags=re.M)[1:]]


class Build:
    """How the build makes test_model: each object's command and headers, and the link."""

    def __init__(self, folder):
        self.folder = folder
        self.compile = {}  # by object
        for entry in json.loads((folder / "compile_commands.json").read_text()):
            command = shlex.split(entry["command"])
            output = command[command.index("-o") + 1]
            if output.startswith("test/model/"):
                self.compile[output] = (entry["file"], command)
        line = self.ninja("-t", "commands", "-s", PROGRAM).strip().split("\n")[-1]
        link = shlex.split(re.sub(r"^: && | && :$", "", line))
        link[link.index(PROGRAM)] = "PROGRAM"
        self.engine = [part for part in link if "model_engine.dir" in part]
        self.cases = [part for part in link if "model_cases.dir" in part]
        self.link = [part for part in link if part not in self.engine + self.cases]
        self.depends = {name: self.headers(name) for name in self.engine + self.cases}
        self.objects = {}  # by suite

    def ninja(self, *arguments):
        return subprocess.run(["ninja", "-C", self.folder, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def headers(self, name):
        listed = self.ninja("-t", "deps", name).split("\n")[1:]
        paths = (os.path.normpath(self.folder / line.strip()) for line in listed if line.strip())
        return {str(pathlib.Path(path).relative_to(TOP))
                for path in paths if path.startswith(str(TOP) + os.sep)}

    def link_to(self, program, objects, *more):
        # Objects first: what they need is found in what follows.
        command = [self.link[0], *objects, *self.link[1:], *more]
        command = [str(program) if part == "PROGRAM" else part for part in command]
        return subprocess.run(command, check=True, text=True, cwd=self.folder,
                              stdout=subprocess.PIPE).stdout

    def find_objects(self, suite):
        """The objects that a suite's cases consist of and call: nothing else is compiled."""
        case = next(name for name in self.cases if name.endswith(f"/{suite}.cc.o"))
        with tempfile.TemporaryDirectory() as folder:
            archive = f"{folder}/engine.a"
            subprocess.run(["ar", "qcs", archive, *self.engine], check=True,
                           cwd=self.folder)
            used = self.link_to(f"{folder}/program", [case], archive, "-Wl,--trace,--trace")
        names = {pathlib.Path(name).name: name for name in self.engine}
        found = set(re.findall(r"[\w.]+\.cc\.o", used)) & set(names)
        self.objects[suite] = [case] + [names[name] for name in sorted(found)]

    def make(self, mutated, mutation):
        """Links the suite's cases with what depends on the file, from the folder `mutated`."""
        objects = []
        for name in self.objects[mutation.suite]:
            objects.append(name)
            if mutation.file in self.depends[name]:
                source, command = self.compile[name]
                objects[-1] = str(mutated / name.replace("/", "_"))
                command = [command[0], f"-I{mutated}", "-w", *command[1:]]
                command[command.index("-o") + 1] = objects[-1]
                if source == str(TOP / mutation.file):
                    command[command.index(source)] = str(mutated / mutation.file)
                subprocess.run(command, check=True, cwd=self.folder)
        program = mutated / "test_model"
        self.link_to(program, objects)
        return program


def outcome(program, suite):
    """Whether the suite fails, and the first line that says how."""
    try:
        result = subprocess.run(
            [program, "--catch_system_errors=no", "--color_output=no", f"--run_test={suite}"],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=HANG_S,
            check=False)
    except subprocess.TimeoutExpired:
        return False, "has not ended"
    if result.returncode == 0:
        return False, "survives"
    found = CAUGHT.search(result.stdout)
    if not found:
        return False, f"ends with status {result.returncode} and no schedule:\n{result.stdout}"
    return True, (found[1] or found[2]).removeprefix("error: ")


def run(build, mutation):
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder) / mutation.file
        target.parent.mkdir(parents=True)
        target.write_text(mutation.apply((TOP / mutation.file).read_text()))
        return outcome(build.make(pathlib.Path(folder), mutation), mutation.suite)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/release")
    parser.add_argument("patterns", nargs="*")
    arguments = parser.parse_args()
    table = read_table()
    for one in table:
        one.apply((TOP / one.file).read_text())  # each has its place, whichever are tried
    if arguments.patterns:
        for word in arguments.patterns:
            if not any(word in one.title for one in table):
                parser.error(f"no title has '{word}' in it")
        table = [one for one in table if any(word in one.title for word in arguments.patterns)]
    build = Build(arguments.build.resolve())
    bad = 0
    plain = build.folder / PROGRAM
    for suite in sorted({one.suite for one in table}):
        build.find_objects(suite)
        failed, how = outcome(plain, suite)
        if failed or how != "survives":
            print(f"fails as it is: {suite}: {how}")
            bad += 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutation, (caught, how) in zip(table, pool.map(lambda one: run(build, one), table)):
            print(f"{'caught' if caught else 'SURVIVES'}: {mutation.title}: {how}", flush=True)
            bad += 0 if caught else 1
    print(f"{len(table)} mutations, {bad} not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
