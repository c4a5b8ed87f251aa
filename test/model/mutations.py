#!/usr/bin/python3
"""Does the model see what it is there to see? Weakens a copy of the sources at each place of
mutations.txt, one at a time, and checks that the tests named there fail, and only then.

    test/model/mutations.py                  all of them
    test/model/mutations.py PATTERN...       those whose title has one of these words in it
    test/model/mutations.py --every N        each Nth one: a sample

Needs build/release with test_model in it (or --build FOLDER). Compiles what includes the changed
file and nothing else. Exit status 1 when a mutation survives, or the sources fail as they are.
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
HANG_S = 300  # only ends what hangs
CAUGHT = re.compile(r"(error: .*)\nagain: SPILLWAY_MODEL_SCHEDULE=|error: .*(at the start: .*)")


class Mutation:
    """A block of mutations.txt: a title, the file, the tests, and what replaces what."""

    def __init__(self, block):
        title, place, *lines = block.strip("\n").split("\n")
        self.title = title.strip()
        self.file, _, self.tests = (part.strip() for part in place.partition("|"))
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
        commands = json.loads((folder / "compile_commands.json").read_text())
        self.compile = {}  # by object
        for entry in commands:
            command = shlex.split(entry["command"])
            output = command[command.index("-o") + 1]
            if output.startswith("test/model/"):
                self.compile[output] = (entry["file"], command)
        link = self.ninja("-t", "commands", "-s", "test/model/test_model").strip().split("\n")[-1]
        self.link = re.sub(r"^: && | && :$", "", link)
        self.depends = {name: self.headers(name) for name in self.compile}

    def ninja(self, *arguments):
        return subprocess.run(["ninja", "-C", self.folder, *arguments], check=True, text=True,
                              stdout=subprocess.PIPE).stdout

    def headers(self, name):
        listed = self.ninja("-t", "deps", name).split("\n")[1:]
        paths = (os.path.normpath(self.folder / line.strip()) for line in listed if line.strip())
        return {str(pathlib.Path(path).relative_to(TOP))
                for path in paths if path.startswith(str(TOP) + os.sep)}

    def make(self, mutated, file):
        """Links test_model with what depends on `file` compiled from the folder `mutated`."""
        link = self.link
        for name, (source, command) in self.compile.items():
            if file not in self.depends[name]:
                continue
            output = str(mutated / (name.replace("/", "_")))
            command = [part for part in command if part != "-include"]
            at = command.index("-o")
            command[at + 1] = output
            command = [command[0], f"-I{mutated}", "-w"] + command[1:]
            own = str(mutated / file)
            command = [own if part == source and source == str(TOP / file) else part
                       for part in command]
            subprocess.run(command, check=True, cwd=self.folder)
            link = link.replace(name, output)
        program = mutated / "test_model"
        link = re.sub(r"-o \S*test_model(?= )", f"-o {program}", link, count=1)
        subprocess.run(link, shell=True, check=True, cwd=self.folder)
        return program


def outcome(program, tests):
    """Whether the tests fail, and the first line that says how."""
    try:
        result = subprocess.run(
            [program, "--catch_system_errors=no", "--color_output=no", f"--run_test={tests}"],
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
        return outcome(build.make(pathlib.Path(folder), mutation.file), mutation.tests)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--build", type=pathlib.Path, default=TOP / "build/release")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("patterns", nargs="*")
    arguments = parser.parse_args()
    table = [one for one in read_table()
             if not arguments.patterns or any(word in one.title for word in arguments.patterns)]
    table = table[::arguments.every]
    build = Build(arguments.build.resolve())
    bad = 0
    plain = build.folder / "test/model/test_model"
    for tests in sorted({one.tests for one in table}):
        failed, how = outcome(plain, tests)
        if failed or how != "survives":
            print(f"fails as it is: {tests}: {how}")
            bad += 1
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutation, (caught, how) in zip(table, pool.map(lambda one: run(build, one), table)):
            print(f"{'caught' if caught else 'SURVIVES'}: {mutation.title}: {how}", flush=True)
            bad += 0 if caught else 1
    print(f"{len(table)} mutations, {bad} not as they should be")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
