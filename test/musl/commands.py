#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""commands.py LIBRARY PROGRAM STATIC: `spillway run`, `check` and `ctl`, statistics and a profile of
waits.c with musl: PROGRAM with LIBRARY preloaded, and STATIC, which is linked with the archive.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

SPILLWAY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "spillway"
STATUS, BLOCKS, BYTES = 3, 64, 64 << 10
failed = False


def expect(condition, *what):
    global failed
    if not condition:
        failed = True
        print("FAILED:", *what)


def spillway(*words):
    return subprocess.run(
        [SPILLWAY, *map(str, words)], text=True, capture_output=True, check=False, stdin=subprocess.DEVNULL
    )  # fmt: skip


def ready(command, variables):
    process = subprocess.Popen(
        command, env={"PATH": "/usr/bin:/bin", **variables}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    expect(process.stdout.readline() == "ready\n", command, "does not start")
    return process


def look_at(command, folder, variables, frame):
    profile = folder / "profile"
    process = ready(command, {
        "SPILLWAY_CONF": f"stats:json,profile:64K,profile_file:{profile}", **variables})  # fmt: skip
    checked = spillway("check", process.pid)
    expect(checked.returncode == 0 and "YES: " in checked.stdout, "check:", checked)
    read = spillway("ctl", process.pid, "stats", "json")
    expect(read.returncode == 0 and json.loads(read.stdout)["pool_live_bytes"] >= BLOCKS * BYTES, "ctl:", read)
    _, messages = process.communicate("")
    expect(process.returncode == STATUS, command, "ends with", process.returncode)
    statistics = json.loads(messages)
    expect(statistics["program"] == pathlib.Path(command[0]).name, statistics["program"])
    expect(statistics["pool_live_bytes"] >= BLOCKS * BYTES, "at the end:", statistics["pool_live_bytes"])
    shown = spillway("profile", profile)
    expect(shown.returncode == 0 and frame in shown.stdout, "profile:", shown)


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    library, program, static = sys.argv[1:]
    with tempfile.TemporaryDirectory() as name:
        look_at([program], pathlib.Path(name), {"LD_PRELOAD": library}, "[unknown]")
        look_at([static], pathlib.Path(name), {}, "take_blocks")
    done = spillway("run", "--stats", "--lib", library, "--", program)
    expect(done.returncode == STATUS, "run:", done)
    expect("spillway: statistics" in done.stderr and "warning" not in done.stderr, "run:", done)
    done = spillway("run", "--stats", "--", static)
    expect(done.returncode == STATUS and "pool_live_bytes" in done.stderr, "run of the linked one:", done)
    expect("warning" not in done.stderr, "run of the linked one:", done)
    # A library and a program of two C libraries: the program runs, alone.
    done = spillway("run", "--stats", "--lib", library, "--", "/bin/true")
    expect(done.returncode == 0 and "uses glibc, not musl" in done.stderr, "run of glibc's:", done)
    done = spillway("check", "--lib", library)
    expect(done.returncode == 1 and "uses glibc, not musl" in done.stdout, "check of the library:", done)
    if not failed:
        print("ok")
    sys.exit(failed)


if __name__ == "__main__":
    main()
