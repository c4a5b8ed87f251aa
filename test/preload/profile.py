#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""profile.py LIBRARY PROGRAM: profiles of `profile_sites` name its places with their bytes.

Bounds are six standard deviations of the estimates, so that a right profile fails once in ten million runs.
"""
import glob
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
from spillway_cli import pprof, profile, symbols  # noqa: E402

LIBRARY, PROGRAM = map(os.path.abspath, sys.argv[1:3])
HUNG = 120  # seconds; ends what hangs
RATE = 64 * 1024
SPILLWAY = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "spillway"
# Place: size, requests of allocate_all(), of which so many live on.
SITES = {
    "small_leak": ((48,), 100000, True),
    "small_churn": ((200,), 200000, False),
    "medium_leak": ((3000,), 5000, True),
    "pooled_leak": ((20000,), 1000, True),
    "pooled_churn": ((50000,), 5000, False),
    "large_leak": ((3000000,), 10, True),
    "zeroed_churn": ((8000,), 5000, False),
    "aligned_leak": ((640,), 5000, True),
    "realloc_churn": ((30, 60, 6000), 5000, False),
}


def deviation(sizes, count):
    variance = 0
    for size in sizes:
        # Of small requests the size that decides is that of mimalloc's block, at most a quarter more.
        probability = -math.expm1(-size / RATE)
        variance += count * size**2 * (1 - probability) / probability
    return math.sqrt(variance)


def environment(**options):
    own = {f"SPILLWAY_{name.upper()}": str(value) for name, value in options.items()}
    return {"PATH": os.environ["PATH"], "LD_PRELOAD": LIBRARY} | own


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="spillway_profile_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def run_program(self, *arguments, file="heap.pb", **options):
        options = {"profile": RATE, "profile_file": self.path(file)} | options
        done = subprocess.run(
            [PROGRAM, *arguments], env=environment(**options), capture_output=True, text=True, timeout=HUNG
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def read(self, file="heap.pb"):
        found = pprof.read(self.path(file))
        return found, symbols.Symbols(found)

    def bytes_of(self, found, kind):
        read, names = found
        sums = {}
        for stack, value, _ in profile.stacks(read, names, f"{kind}_space", f"{kind}_objects"):
            sums[stack[-1]] = sums.get(stack[-1], 0) + value
        return sums

    def assert_known_bytes(self, found, times=1, but=()):
        allocated, live = self.bytes_of(found, "alloc"), self.bytes_of(found, "inuse")
        for name, (sizes, count, stays) in SITES.items():
            if name in but:
                continue
            expected = times * count * sum(sizes)
            bound = 6 * deviation(sizes, times * count) + 0.001 * expected
            self.assertLess(abs(allocated.get(name, 0) - expected), bound, name)
            if stays:
                self.assertEqual(live[name], allocated[name], name)
            else:
                self.assertEqual(live.get(name, 0), 0, name)


class Sites(Case):
    def test_each_place_has_its_bytes(self):
        self.run_program()
        found = self.read()
        self.assert_known_bytes(found)
        self.assertEqual(found[0].period, RATE)
        self.assertLess(abs(time.time() - found[0].nanoseconds / 1e9), HUNG)
        # The program's own frames alone, from the place to main().
        for stack, _, _ in profile.stacks(*found, "alloc_space", "alloc_objects"):
            self.assertIn("main", stack)

    def test_threads_with_small_stacks(self):
        self.run_program("threads")
        self.assert_known_bytes(self.read(), times=4)

    def test_signal_handlers_allocate_meanwhile(self):
        self.run_program("signals")
        self.assert_known_bytes(self.read(), but=("pooled_churn",))

    def test_a_forked_child_goes_on_and_writes_its_own(self):
        self.run_program("fork", file="heap.%p.pb")
        files = glob.glob(self.path("heap.*.pb"))
        self.assertEqual(len(files), 2)
        for file in files:
            self.assert_known_bytes(self.read(file), but=("pooled_leak",))

    def test_without_a_name_of_its_own_a_child_writes_none(self):
        self.run_program("fork")
        self.assertEqual(os.listdir(self.folder), ["heap.pb"])
        self.assert_known_bytes(self.read(), but=("pooled_leak",))

    def test_statistics_count_it(self):
        self.run_program(stats="prometheus", stats_file=self.path("stats"))
        with open(self.path("stats"), encoding="ascii") as file:
            counts = dict(re.findall(r"^spillway_(profile_\w+)\{.*\} (\d+)$", file.read(), re.MULTILINE))
        self.assertGreater(int(counts["profile_samples_total"]), int(counts["profile_samples"]))
        self.assertGreater(int(counts["profile_samples"]), 100)
        self.assertEqual(int(counts["profile_dropped_total"]), 0)


class Options(Case):
    def test_nothing_is_written_without_a_profile(self):
        self.run_program(profile="none")
        self.assertEqual(os.listdir(self.folder), [])

    def test_what_cannot_be_is_said_in_a_line(self):
        for options, why in ({"enabled": 0}, "the pool is off"), ({"hardened": 1}, "every request is guarded"):
            done = self.run_program(**options)
            self.assertEqual(done.stderr, f"spillway: option profile has no effect: {why}\n")
            self.assertEqual(os.listdir(self.folder), [])

    def test_a_file_that_cannot_be_written_is_said_in_a_line(self):
        done = self.run_program(file="missing/heap.pb")
        self.assertRegex(done.stderr, r"^spillway: option profile_file: cannot write '.*missing/heap.pb'\n$")


class Running(Case):
    """Of a process that was started without."""

    def ctl(self, *words):
        command = [SPILLWAY, "ctl", str(self.program.pid), "profile", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=HUNG)

    def setUp(self):
        super().setUp()
        self.program = subprocess.Popen(
            [PROGRAM, "tracer"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.addCleanup(self.program.stdout.close)
        self.addCleanup(self.program.wait, HUNG)
        self.addCleanup(self.program.stdin.close)
        self.program.stdout.readline()

    def test_it_is_started_written_and_stopped(self):
        file = self.path("heap.pb")
        self.assertIn("no profile: start one", self.ctl("dump", file).stderr)
        for words in (("start", "0"), ("start", "much"), ("begin",), ("stop", "now"), ()):
            done = self.ctl(*words)
            self.assertEqual(done.returncode, 1, words)
            self.assertRegex(done.stderr, r"^spillway: .*profile.* is not .*\n$")
        done = self.ctl("start", "64K")
        self.assertEqual(done.stdout, "sampling each 65536 bytes, on average\n", done.stderr)
        seen = {}
        deadline = time.monotonic() + HUNG
        while seen.get("until_told", 0) < 1 << 24 and time.monotonic() < deadline:
            self.assertEqual(self.ctl("dump", file).returncode, 0)
            seen = self.bytes_of(self.read(), "alloc")
        self.assertGreaterEqual(seen["until_told"], 1 << 24)
        self.assertRegex(self.ctl("stop").stdout, r"^sampled \d+ blocks, of which \d+ are live\n$")
        self.assertEqual(self.ctl("dump", file).returncode, 0)
        before = self.bytes_of(self.read(), "alloc")
        self.assertEqual(self.ctl("dump", file).returncode, 0)
        self.assertEqual(self.bytes_of(self.read(), "alloc"), before)


class Readers(Case):
    """Programs of others that know the format."""

    def test_protobuf_itself(self):
        try:
            from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
        except ImportError:
            self.skipTest("python3-protobuf is not installed")
        self.run_program()
        number, text, packed = 3, 9, 3  # types of descriptor.proto: INT64, STRING
        fields = {
            "Type": (("type", 1, number, 1), ("unit", 2, number, 1)),
            "Sample": (("location", 1, 4, packed), ("value", 2, number, packed)),
            "Mapping": (("id", 1, 4, 1), ("start", 2, 4, 1), ("end", 3, 4, 1), ("offset", 4, 4, 1), ("file", 5, 3, 1)),
            "Location": (("id", 1, 4, 1), ("mapping", 2, 4, 1), ("address", 3, 4, 1)),
            "Profile": (
                ("sample_type", 1, "Type", 3), ("sample", 2, "Sample", 3), ("mapping", 3, "Mapping", 3),
                ("location", 4, "Location", 3), ("string_table", 6, text, 3), ("drop_frames", 7, number, 1),
                ("time_nanos", 9, number, 1), ("period_type", 11, "Type", 1), ("period", 12, number, 1),
                ("comment", 13, number, packed), ("default_sample_type", 14, number, 1),
            ),
        }  # fmt: skip
        file = descriptor_pb2.FileDescriptorProto(name="p.proto", package="p", syntax="proto3")
        for name, members in fields.items():
            message = file.message_type.add(name=name)
            for member, place, kind, label in members:
                field = message.field.add(name=member, number=place, label=label)
                field.type = kind if isinstance(kind, int) else 11
                if not isinstance(kind, int):
                    field.type_name = f".p.{kind}"
        pool = descriptor_pool.DescriptorPool()
        pool.Add(file)
        decoded = message_factory.MessageFactory(pool).GetPrototype(pool.FindMessageTypeByName("p.Profile"))()
        with open(self.path("heap.pb"), "rb") as written:
            decoded.ParseFromString(written.read())
        own = pprof.read(self.path("heap.pb"))
        strings = decoded.string_table
        self.assertEqual(tuple(strings[one.type] for one in decoded.sample_type), own.types)
        self.assertEqual(strings[decoded.default_sample_type], "inuse_space")
        self.assertEqual([strings[one.file] for one in decoded.mapping], [one.file for one in own.mappings])
        self.assertEqual(
            [tuple(one.value) for one in decoded.sample], [tuple(one.values.values()) for one in own.samples]
        )
        locations = {one.id: one.address for one in decoded.location}
        self.assertEqual(len(locations), len(decoded.location))
        self.assertEqual(
            [tuple(locations[one] for one in sample.location) for sample in decoded.sample],
            [sample.addresses for sample in own.samples],
        )

    def test_pprof(self):
        tools = glob.glob("/usr/lib/go-*/pkg/tool/*/pprof") + [shutil.which("pprof") or ""]
        tools = [tool for tool in tools if tool]
        if not tools:
            self.skipTest("no pprof; Debian has it in golang-go")
        self.run_program()
        done = subprocess.run(
            [tools[0], "-top", "-sample_index=inuse_space", self.path("heap.pb")],
            env={"PATH": os.environ["PATH"], "HOME": self.folder}, capture_output=True, text=True, timeout=HUNG
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("Type: inuse_space", done.stdout)
        lines = {line.split()[-1]: line.split()[0] for line in done.stdout.splitlines() if "%" in line}
        for name in ("large_leak", "pooled_leak", "medium_leak"):
            self.assertIn(name, lines)
        self.assertRegex(lines["large_leak"], r"^28.*MB$")

    def test_perf_knows_the_probes(self):
        done = subprocess.run(["readelf", "-nW", LIBRARY], capture_output=True, text=True, timeout=HUNG, check=True)
        notes = re.findall(
            r"Provider: otel_memory\s+Name: (\w+)\s+Location: (0x\w+), Base: (0x\w+), Semaphore: (0x\w+)\s+"
            r"Arguments: (.*)", done.stdout
        )  # fmt: skip
        self.assertEqual([(note[0], len(note[4].split())) for note in notes], [("alloc", 3), ("free", 1)])
        for note in notes:
            self.assertNotIn("0x0000000000000000", note[1:4])

    def test_bpftrace_sees_the_probes_and_starts_the_profile(self):
        bpftrace = shutil.which("bpftrace")
        if not bpftrace or os.geteuid() != 0:
            self.skipTest("no bpftrace, or not root")
        able = subprocess.run([bpftrace, "-e", "BEGIN { exit(); }"], capture_output=True, text=True, timeout=HUNG)
        if able.returncode != 0 or "Attaching" not in able.stdout:
            self.skipTest(f"the kernel does not let bpftrace trace: {able.stderr.strip()[-200:]}")
        options = {"stats": "prometheus", "stats_file": self.path("stats")}
        program = subprocess.Popen(
            [PROGRAM, "tracer"], env=environment(**options), stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            program.stdout.readline()
            script = (
                f"usdt:{LIBRARY}:otel_memory:alloc {{ @bytes = sum(arg1); @weight = sum(arg2); @n = count(); }}"
                f"usdt:{LIBRARY}:otel_memory:free {{ @freed += 1; if (@freed > 100) {{ exit(); }} }}"
            )
            traced = subprocess.run(
                ["timeout", "60", bpftrace, "-p", str(program.pid), "-e", script],
                capture_output=True, text=True, timeout=HUNG
            )  # fmt: skip
        finally:
            program.stdin.close()
            program.wait(HUNG)
            program.stdout.close()
        self.assertEqual(traced.returncode, 0, traced.stderr)
        sums = {name: int(value) for name, value in re.findall(r"^@(\w+): (\d+)$", traced.stdout, re.MULTILINE)}
        self.assertGreater(sums["n"], 10)
        self.assertGreater(sums["weight"], sums["bytes"])
        with open(self.path("stats"), encoding="ascii") as file:
            self.assertRegex(file.read(), r"(?m)^spillway_profile_samples_total\{.*\} [1-9]")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
