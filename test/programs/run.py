#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""Debian's programs without and with LIBRARY preloaded: run.py [--install] [--less N] [--table FILE] LIBRARY [NAME...]

Each script in KIND/NAME is run twice, in an empty folder of its own, and has to print the same and end the same, within its
time, leaving no process behind. PORT and PORT2 are free ports on loopback; WORK_DIVISOR divides the work of long scripts. Its first
lines say what it needs:

    # what is run, in one line
    # packages: Debian's, the first of which is the program's; PACKAGE:PROGRAM is also there if PROGRAM is on PATH
    # program: patterns of executables' names; LIBRARY must have been seen in each
    # limit: seconds, if not 500; it only ends what hangs, and is many times what the script takes alone
    # differs: the reason, if it cannot be the same
    # fault: what is wrong in Spillway, until that is mended; the script counts as wrong

--install: missing packages are installed. --less N: long scripts do a part of their work, one in N. --table: the results
go to FILE as Markdown. Exit status 1: a script differs without a reason; 77: the one script that was asked for cannot run here.
"""
import argparse
import fnmatch
import os
import pathlib
import socket
import sys
import tempfile

import bounded
import packages

HERE = pathlib.Path(__file__).resolve().parent
LIMIT = 500  # seconds. Three runs end within the time that scripts/test gives a test.
LOOKS = 10  # Runs in which a short-lived program may go unseen, before it counts as one without the library.
SKIPPED = 77


class Script:
    def __init__(self, path, less=1):
        lines = []
        for line in path.read_text().splitlines():
            if not line.startswith("#"):
                break
            lines.append(line[1:].strip())
        self.path, self.kind, self.name, self.what, self.less = path, path.parent.name, path.name, lines[0], less
        fields = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
        self.packages = fields.get("packages", "").split()
        self.programs = fields.get("program", self.name).split()
        self.limit = int(fields.get("limit", LIMIT))
        self.differs, self.fault = fields.get("differs", ""), fields.get("fault", "")


def paths():
    return [path for path in sorted(HERE.glob("*/*")) if path.is_file() and not path.suffix and path.parent.name != "glibc"]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def environment(folder, preload, less):
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": folder, "TMPDIR": folder, "USER": "root",
           "LOGNAME": "root", "SHELL": "/bin/bash", "LC_ALL": "C.UTF-8", "TZ": "UTC",
           "PORT": free_port(), "PORT2": free_port(), "WORK_DIVISOR": str(less)}
    if preload:
        env["LD_PRELOAD"] = preload
        env.update({name: value for name, value in os.environ.items() if name.startswith("SPILLWAY_")})
    return env


def run(script, preload):
    """The result, and the executables that were seen with the library."""
    with tempfile.TemporaryDirectory(prefix="spillway-program-") as folder:
        # Two runs have folders of names as long, and what they print of them is made the same.
        result = bounded.run(["/bin/bash", str(script.path)], folder, environment(folder, preload, script.less),
                             script.limit, watch=preload)
        for stream in ("out", "err"):
            setattr(result, stream, getattr(result, stream).replace(folder.encode(), b"FOLDER"))
        return result


def same(left, right):
    return (left.status, left.out, left.err, left.left) == (right.status, right.out, right.err, right.left)


def show(name, left, right):
    for part in ("status", "out", "err", "left"):
        values = getattr(left, part), getattr(right, part)
        if values[0] != values[1]:
            texts = [value.decode(errors="replace")[-3000:] if isinstance(value, bytes) else value for value in values]
            print(f"{name}: {part} differs\n--- without the library\n{texts[0]}\n--- with it\n{texts[1]}", flush=True)


def judge(script, library):
    """One word for the outcome, the reason, and the two times."""
    plain = run(script, None)
    if plain.status == SKIPPED:
        return "skipped", plain.out.decode().strip(), ""
    if plain.status != 0 or not plain.out:
        print(f"{script.name}: without the library: status {plain.status}\n{plain.out.decode(errors='replace')[-3000:]}"
              f"{plain.err.decode(errors='replace')[-3000:]}")
        return "broken", f"fails without the library, status {plain.status}", ""
    ours = run(script, library)
    seconds = f"{plain.seconds:.1f} / {ours.seconds:.1f}"
    if same(plain, ours):
        seen = ours.seen
        for _ in range(LOOKS):
            unseen = [name for name in script.programs if not fnmatch.filter(seen, name)]
            if not unseen:
                break
            seen |= run(script, library).seen
        else:
            return "broken", f"the library was not seen in {', '.join(unseen)}, but in {', '.join(sorted(seen))}", seconds
        return "same", "", seconds
    again = run(script, None)
    if not same(plain, again):
        show(script.name, plain, again)
        return "broken", "two runs without the library differ", seconds
    show(script.name, plain, ours)
    known = script.differs or script.fault
    if ours.status is None:
        return "different", known or f"no end within {script.limit} s", seconds
    if ours.status != plain.status:
        return "different", known or f"status {ours.status} instead of {plain.status}", seconds
    return "different", known or "prints something else", seconds


def table(rows):
    count = sum(row[4] == "same" for row in rows)
    kinds = len({row[0] for row in rows})
    head = f"""# Debian's programs

{len(rows)} programs of {kinds} kinds, run without and with `libspillway.so` preloaded: the same
output, exit status and end in {count}. Made by `scripts/test --programs`; each row is a script in
this folder. Seconds, without and with, are of one run and are not judged.

| kind | program | version | what is run | outcome | seconds |
|---|---|---|---|---|---|
"""
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--less", type=int, default=1)
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    library = str(given.library.resolve(strict=True))
    scripts = [Script(path, given.less) for path in paths()]
    if given.names:
        unknown = [name for name in given.names if not any(name in (s.name, f"{s.kind}/{s.name}") for s in scripts)]
        if unknown:
            sys.exit(f"no such script: {', '.join(unknown)}")
        scripts = [s for s in scripts if s.name in given.names or f"{s.kind}/{s.name}" in given.names]
    if given.install:
        packages.install({package for script in scripts for package in script.packages})
    rows, wrong = [], []
    for script in scripts:
        missing = packages.missing(script.packages)
        if missing:
            outcome, reason, seconds = "skipped", f"not installed: {' '.join(missing)}", ""
        else:
            outcome, reason, seconds = judge(script, library)
        if outcome == "broken" or (outcome == "different" and not script.differs):
            wrong.append(script.name)
        print(f"{script.kind}/{script.name}: {outcome}{': ' * bool(reason)}{reason}  {seconds}", flush=True)
        version = packages.version(script.packages[0]) if script.packages and not missing else ""
        rows.append((script.kind, script.name.replace("_", "-"), version, script.what.rstrip("."),
                     outcome + (f": {reason}" if reason else ""), seconds))
    if given.table:
        given.table.write_text(table(rows))
    print(f"{len(rows)} programs, {len(wrong)} wrong", *wrong)
    if wrong:
        return 1
    return SKIPPED if len(rows) == 1 and rows[0][4].startswith("skipped") else 0


if __name__ == "__main__":
    sys.exit(main())
