#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""run.py [--install] [--table FILE] LIBRARY [TEST...]: glibc's own malloc tests without and with LIBRARY preloaded.

Builds malloc/tst-*.c of Debian's glibc-source outside glibc's tree, in a temporary folder: what they need of glibc's
support/ is compiled from the same source; include/ has what only glibc's build makes. Prints a table, and writes it to
FILE. Exit status 1: a test fails with LIBRARY and not without, and reasons.py has no reason for it.
"""
import argparse
import concurrent.futures
import os
import pathlib
import platform
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
import bounded  # noqa: E402
import packages  # noqa: E402
from reasons import OUTSIDE, REASONS  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = pathlib.Path("/usr/src/glibc")
DEBUG = f"/lib/{platform.machine()}-linux-gnu/libc_malloc_debug.so.0"
# Both only end what hangs. SECONDS is above each test's own limit: 20 to 50 seconds, times FACTOR.
SECONDS = 600
FACTOR = "10"

# As malloc/Makefile has them: environment, and what is linked beside support/.
ENVIRONMENT = {
    "tst-malloc-check": {"MALLOC_CHECK_": "3", "LD_PRELOAD": DEBUG},
    "tst-malloc-usable": {"MALLOC_CHECK_": "3", "LD_PRELOAD": DEBUG},
    "tst-malloc-usable-tunables": {"GLIBC_TUNABLES": "glibc.malloc.check=3", "LD_PRELOAD": DEBUG},
    "tst-mxfast": {"GLIBC_TUNABLES": "glibc.malloc.tcache_count=0:glibc.malloc.mxfast=0"},
    "tst-dynarray": {"LD_PRELOAD": DEBUG},
    "tst-dynarray-fail": {"LD_PRELOAD": DEBUG},
    "tst-compathooks-on": {"LD_PRELOAD": DEBUG},
    "tst-mallocstate": {"LD_PRELOAD": DEBUG},
}
NO_THREAD, THREAD = "malloc/tst-interpose-aux-nothread.c", "malloc/tst-interpose-aux-thread.c"
LINKED = {
    "tst-interpose-nothread": [NO_THREAD],
    "tst-interpose-thread": [THREAD],
    "tst-mallocstate": [DEBUG],
}
# Parts of glibc that some tests are about and that its library hides.
PARTS = ("alloc_buffer_", "dynarray_", "scratch_buffer_")
# Not tests of their own, or linked statically: nothing is preloaded into those.
NOT_TESTS = ("tst-interpose-aux", "tst-interpose-skeleton", "tst-interpose-static")


class Builder:
    def __init__(self, source, out):
        self.source, self.out = source, out
        after = (source / "include", source, source / "sysdeps/generic", source / "malloc")
        self.flags = ["-std=gnu11", "-O2", "-g", "-w", "-fno-builtin", "-D_GNU_SOURCE", "-DMODULE_NAME=testsuite",
                      "-DTEST_NO_MALLOPT", "-DTIMEOUTFACTOR=1", "-include", str(HERE / "include/first.h"),
                      f"-I{HERE / 'include'}", f"-I{source / 'support'}", *(f"-idirafter{folder}" for folder in after)]

    def compile(self, file):
        """The object, or None: support/ has files for parts of glibc that no malloc test uses."""
        target = self.out / f"{file.stem}.o"
        made = subprocess.run(["gcc", *self.flags, "-c", file, "-o", target], capture_output=True)
        return target if made.returncode == 0 else None

    def support(self, pool):
        files = [file for file in sorted((self.source / "support").glob("*.c"))
                 if not file.name.startswith(("tst-", "test-")) and not file.name.endswith("-container.c")]
        files += [file for file in sorted((self.source / "malloc").glob("*.c")) if file.name.startswith(PARTS)]
        objects = [made for made in pool.map(self.compile, files) if made]
        subprocess.run(["ar", "rc", self.out / "libsupport.a", *objects], check=True)

    def test(self, name):
        """None, or why the program cannot be built."""
        linked = [word if word.startswith("/") else self.source / word for word in LINKED.get(name, [])]
        made = subprocess.run(["gcc", *self.flags, self.source / "malloc" / f"{name}.c", *linked, "-o", self.out / name,
                               self.out / "libsupport.a", "-pthread"], capture_output=True, text=True)
        if made.returncode == 0:
            return None
        wrong = [line for line in made.stderr.splitlines() if "error" in line or "undefined" in line]
        return (wrong or [made.stderr])[0]


def run(program, library):
    """The outcome in a word or two, and the output."""
    extra = ENVIRONMENT.get(program.name, {})
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TIMEOUTFACTOR": FACTOR, **extra}
    if library:
        environment["LD_PRELOAD"] = ":".join(filter(None, (library, extra.get("LD_PRELOAD"))))
    with tempfile.TemporaryDirectory(prefix="spillway-glibc-") as folder:
        environment["TMPDIR"] = folder
        result = bounded.run([program], folder, environment, SECONDS)
    output = (result.out + result.err).decode(errors="replace")
    if result.status is None or b"Timed out" in result.out + result.err:
        return "does not end", output
    if result.status < 0:
        return f"signal {-result.status}", output
    return {0: "passes", 77: "unsupported"}.get(result.status, "fails"), output


def table(rows, version):
    passed = [sum(row[column] == "passes" for row in rows) for column in (1, 2)]
    head = f"""# glibc's malloc tests

`malloc/tst-*.c` of Debian's glibc-source {version}, built outside glibc's tree, without
and with `libspillway.so` preloaded. Made by `scripts/test --glibc`. Programs: {len(rows)}; pass
with glibc: {passed[0]}, with Spillway: {passed[1]}.

| test | glibc | Spillway | reason |
|---|---|---|---|
"""
    return head + "".join(f"| {' | '.join(row)} |\n" for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true")
    parser.add_argument("--table", type=pathlib.Path)
    parser.add_argument("library", type=pathlib.Path)
    parser.add_argument("tests", nargs="*")
    given = parser.parse_args()
    library = str(given.library.resolve(strict=True))
    if given.install:
        packages.install({"glibc-source", "gcc", "libc6-dev"})
    archives = sorted(SOURCES.glob("glibc-*.tar.xz"))
    if not archives:
        print("Debian's glibc-source is not installed")
        return 77
    version = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", "glibc-source"], capture_output=True, text=True).stdout
    rows, unexplained = [], []
    with tempfile.TemporaryDirectory(prefix="spillway-glibc-") as folder, \
            concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        with tarfile.open(archives[-1]) as archive:
            archive.extractall(folder)
        source, out = next(pathlib.Path(folder).glob("glibc-*")), pathlib.Path(folder) / "out"
        out.mkdir()
        builder = Builder(source, out)
        builder.support(pool)
        tests = given.tests or ["mallocbug", *sorted(file.stem for file in (source / "malloc").glob("tst-*.c")
                                                     if not file.stem.startswith(NOT_TESTS))]
        for name, problem in zip(tests, list(pool.map(builder.test, tests))):
            if problem:
                rows.append((name, "not built", "not built", problem.replace(str(source) + "/", "").replace("|", "/")))
                print(*rows[-1], sep="  ", flush=True)
                continue
            (plain, _), (ours, output) = (run(out / name, preload) for preload in (None, library))
            reason = OUTSIDE.get(name, "") if plain != "passes" else ""
            if plain == "passes" and ours != "passes":
                reason = REASONS.get(name, "")
                if not reason:
                    unexplained.append(name)
                    print(output[-2000:])
            elif name in REASONS:
                print(f"{name} passes: reasons.py still has it")
            rows.append((name, plain, ours, reason))
            print(*rows[-1], sep="  ", flush=True)
    if given.table:
        given.table.write_text(table(rows, version))
    print(f"{len(rows)} tests of glibc's, {len(unexplained)} fail only with Spillway and without a reason", *unexplained)
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
