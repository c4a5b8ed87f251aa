# SPDX-License-Identifier: MIT
"""What the recorder wrote, as traces: which of the recorded processes, and what is told of each."""

import dataclasses
import json
import pathlib
import subprocess
import sys

from spillway_cli.errors import UserError

NO_MALLOC = "the command did not call malloc, or one of its own"


@dataclasses.dataclass
class Image:
    """One program that ran in one process, as the recorder wrote it."""

    path: pathlib.Path  # of the recorder's file, PID.NUMBER

    @property
    def pid(self):
        return int(self.path.name.partition(".")[0])

    @property
    def number(self):
        """A process that became another program has several."""
        return int(self.path.name.partition(".")[2])


def images(folder):
    """The last program of each process, by process id."""
    found = {}
    for image in sorted((Image(path) for path in folder.iterdir()), key=lambda image: image.number):
        found[image.pid] = image
    return found


@dataclasses.dataclass
class Packing:
    """Writes traces of `images()` and tells about each in a line on stderr."""

    tools: pathlib.Path  # the build folder
    output: pathlib.Path
    events: int  # after which the recording ended

    def one(self, found, pid):
        if pid not in found:
            raise UserError(f"nothing was recorded: {NO_MALLOC}")
        self._tell(self.output, self._write(found[pid], self.output))

    def busiest(self, found, name):
        """The one with most events of the processes named so."""
        if not found:
            raise UserError(f"no process named {name} called malloc")
        self.one(found, next(iter(found)) if len(found) == 1 else self._with_most_events(found))

    def all(self, found, pid, reason):
        """The command's trace, and of each other process one of its own.

        `reason`: why the command's may be missing, if that is known.
        """
        if not found:
            raise UserError(f"nothing was recorded: {reason or NO_MALLOC}")
        if pid in found:
            self.one(found, pid)
        else:
            line = f"spillway: only processes that the command started: {reason or NO_MALLOC}"
            print(line, file=sys.stderr)
        for image in found.values():
            if image.pid != pid:
                self._write_child(image)

    def _write_child(self, image):
        path = self.output.with_name(f"{self.output.name}.{image.pid}")
        facts = self._write(image, path)
        program = facts["program"].replace("/", "_")
        named = self.output.with_name(f"{self.output.name}.{program}.{image.pid}")
        path.rename(named)
        self._tell(named, facts)

    def _with_most_events(self, found):
        """By packing each: a file has room for many events that were never made."""
        events = {}
        for pid, image in found.items():
            trial = image.path.with_suffix(".trace")
            events[pid] = self._write(image, trial)["events"]
            trial.unlink()
        return max(events, key=events.get)

    def _write(self, image, path):
        """Packs `image` into `path` and returns what the packer says of it."""
        tool = self.tools / "bench" / "bench_trace"
        done = subprocess.run(
            [tool, "pack", image.path, path], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise UserError(done.stderr.strip() or f"{tool} failed")
        return json.loads(done.stdout)

    def _tell(self, path, facts):
        done = subprocess.run(
            [self.tools / "bench" / "bench_trace", "show", path],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        print("; ".join([f"spillway: {done.stdout.strip()}", *self._notes(facts)]), file=sys.stderr)

    def _notes(self, facts):
        """How the trace differs from what the program did."""
        if facts["threads"] > facts["lanes"]:
            yield f"its {facts['threads']} threads share {facts['lanes']}"
        if facts["unknown"]:
            yield f"ends of unseen blocks left out: {facts['unknown']}"
        if facts["mended"]:
            yield f"unseen ends put where the address came again: {facts['mended']}"
        if facts["last_stamp"] >= self.events:
            yield f"cut after {self.events} events"
