#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Records every_call under an allocator and looks whether the trace says what the program did, then
replays the trace. Arguments: build folder, the program, the allocator's library or libc.so.6."""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

SPILLWAY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "spillway"
HANDED, BRIEF, FORKS = 2000, 200, 40

# Call, size, alignment if any: of blocks that are made once and ended once.
ONCE = """
malloc 100000
malloc 100001
realloc 100003
realloc 100040
calloc 100002
aligned 100005 64
aligned 102400 128
aligned 100007 256
aligned 100008 4096
aligned 106496 4096
malloc 100010
malloc 100011
malloc 110001
malloc 110002
malloc 110003
malloc 110004
malloc 110005
malloc 110006
aligned 110007 512
aligned 110008 512
aligned 110009 512
aligned 110010 512
aligned 128000 128
malloc 110011
malloc 120001
malloc 130001
""".split("\n")[1:-1]  # fmt: skip


def run(*command, status=0):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False, timeout=500
    )
    if done.returncode != status:
        sys.exit(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done


def expect(what, found, wanted):
    if found != wanted:
        sys.exit(f"{what}: {found}, not {wanted}")


class Trace:
    """The events that made a block of 100 kB or more: `made`, block -> what is known of it."""

    def __init__(self, text):
        self.made = {}
        for line in text.splitlines():
            thread, call, *numbers = line.replace("-> ", "").split()
            numbers = [int(number) for number in numbers]
            if call in ("free", "realloc"):
                ended = self.made.get(numbers.pop(0))
                if ended is not None:
                    expect(f"{line}: ended before", ended.get("end"), None)
                    ended["end"], ended["ender"] = call, thread
            if call != "free" and numbers[1] >= 100000:
                words = " ".join(map(str, [call, *numbers[1:]]))
                self.made[numbers[0]] = {"what": words, "maker": thread}

    def of(self, what):
        return [one for one in self.made.values() if one["what"] == what]


def check(trace):
    for what in ONCE:
        found = trace.of(what)
        expect(f"blocks of '{what}'", len(found), 1)
        expect(f"'{what}' ended", "end" in found[0], True)
    handed = trace.of("malloc 200000")
    expect("blocks handed over", len(handed), HANDED)
    expect("of them ended by another thread", {one["ender"] != one["maker"] for one in handed}, {True})
    expect("grown by the other thread", len(trace.of("realloc 300000")), HANDED / 2)
    expect("blocks of brief threads", len(trace.of("malloc 400000")), BRIEF)
    expect("blocks of the child", len(trace.of("malloc 500001")), 0)


def check_program(record, dump, program, path):
    """The one with most events of two processes of a name, both started by a shell."""
    shell = "sh", "-c", '"$0"; exit 5', program
    told = run(*record, "--program", "trace_every_call", "-o", path, "--", *shell, status=5).stderr
    expect("lines", told.count("\n"), 1)
    expect("its name", ": trace_every_call, " in told, True)
    check(Trace(run(*dump, path).stdout))
    missing = path.with_name("missing.trace")
    told = run(*record, "--program", "cat", "-o", missing, "--", *shell, status=1).stderr
    expect("told", told, "spillway: no process named cat called malloc\n")
    expect("a trace of nothing", missing.exists(), False)


def check_forks(record, dump, program, folder):
    """A forked child's file has the calls of both threads that made its first."""
    folder.mkdir()
    run(*record, "--children", "-o", folder / "t", "--", program, "forks")
    children = list(folder.glob("t.*"))
    expect("children", len(children), FORKS)
    for child in children:
        trace = Trace(run(*dump, child).stdout)
        expect(f"blocks in {child.name}", len(trace.of("malloc 600001")), 2)


def main():
    build, program, allocator = sys.argv[1:]
    dump = f"{build}/bench/bench_trace", "dump"
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        path = folder / "every.trace"
        library = "glibc" if allocator == "libc.so.6" else allocator
        record = [SPILLWAY, "record", "--build-dir", build, "--allocator", library]
        told = run(*record, "--children", "-o", path, "--", program, status=7).stderr
        expect("a line per process", len(re.findall(r"^spillway: .*: trace_every_call, ", told, re.M)), 2)
        expect("threads", " 2 threads, " in told, True)
        expect("threads that ended", f"; its {BRIEF + 3} threads share 2" in told, True)
        check(Trace(run(*dump, path).stdout))

        (child,) = folder.glob("every.trace.trace_every_call.*")
        trace = Trace(run(*dump, child).stdout)
        expect("the child's blocks", len(trace.of("malloc 500001") + trace.of("malloc 500002")), 2)
        expect("the parent's", len(trace.of("malloc 120001")), 0)

        check_program(record, dump, program, folder / "program.trace")
        if library == "glibc":
            check_forks(record, dump, program, folder / "forks")

        cut = folder / "cut.trace"
        told = run(*record, "--skip", 10, "--events", 300, "-o", cut, "--", program, status=7).stderr
        expect("told", "cut after 300 events" in told, True)
        facts = json.loads(run(dump[0], "show", "--json", cut).stdout)
        expect("events of the cut trace", 200 < facts["events"] <= 300, True)

        chosen = "glibc" if library == "glibc" else f"glibc,it={library}"
        replay = [SPILLWAY, "replay", "--build-dir", build, "--allocators", chosen, "--rounds", 1]
        figures = folder / "figures.json"
        run(*replay, "--repetitions", 1, "--json", figures, path, cut)
        results = json.loads(figures.read_text(encoding="utf-8"))["results"]
        expect("rows", len(results), 2 * len(chosen.split(",")))
        expect("each took time", all(result["ns"][0] > 0 for result in results), True)


main()
