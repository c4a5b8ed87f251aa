#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""systemd.py LIBRARY: the drop-in, as systemd reads it, and a program with its variables. No service is started."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import root  # noqa: E402

DROP_IN = root.DEPLOY / "systemd.conf"
UNIT = "[Service]\nExecStart=/usr/bin/python3 -c ''\n"
NAME = "some-service"
WITH_A_WORKER = "import os; child = os.fork(); child and os.wait(); print(len(bytearray(100_000)))"
SPECIFIERS = {"%": "%", "t": "/run", "N": NAME}


def settings():
    """{key: [values]} of the drop-in, as they are for the service NAME."""
    found = {}
    for line in DROP_IN.read_text(encoding="utf-8").splitlines():
        key, assigns, value = line.partition("=")
        if assigns and not line.startswith("#"):
            value = re.sub("%(.)", lambda match: SPECIFIERS[match[1]], value)
            found.setdefault(key, []).extend(shlex.split(value))
    return found


class DropIn(unittest.TestCase):
    def test_systemd_understands_it(self):
        if shutil.which("systemd-analyze") is None:
            self.skipTest("systemd-analyze, of Debian's systemd, is not installed")
        with tempfile.TemporaryDirectory() as name:
            units = pathlib.Path(name)
            (units / f"{NAME}.service").write_text(UNIT, encoding="utf-8")
            (units / f"{NAME}.service.d").mkdir()
            shutil.copy(DROP_IN, units / f"{NAME}.service.d" / "spillway.conf")
            done = subprocess.run(
                ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"{NAME}.service"],
                env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"}, capture_output=True, text=True, check=False,
                timeout=root.HUNG)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_a_program_with_its_variables(self):
        found = settings()
        self.assertEqual(set(found), {"Environment", "RuntimeDirectory"})
        variables = dict(word.split("=", 1) for word in found["Environment"])
        here = root.Root()
        shutil.copy(sys.argv[1], here / root.LIBRARY)
        (runtime,) = found["RuntimeDirectory"]
        (here / "run" / runtime).mkdir(parents=True)
        limit = 1 << 30
        root.pretend_memory(here, limit)
        said = here.run("/usr/bin/python3", "-c", WITH_A_WORKER, variables=variables)
        self.assertEqual(said, ("100000\n100000\n", ""))
        self.assertEqual(variables["SPILLWAY_STATS_FILE"], f"/run/{runtime}/%p.prom")
        files = list((here / "run" / runtime).glob("*.prom"))
        self.assertEqual(len(files), 2)
        for file in files:
            labels = rf'\{{program="python3[\d.]*",pid="{file.stem}"\}}'
            self.assertRegex(file.read_text(encoding="utf-8"),
                             rf"(?m)^spillway_limit_bytes{labels} {limit // 100 * 80}$")
        _, said = here.run("/bin/true", variables={**variables, "SPILLWAY_VERBOSE": "1"})
        for line in ("limit = 80%", "pressure = 10", "stats = prometheus", "stats_interval = 15"):
            self.assertIn(f"spillway: {line} (", said)


if __name__ == "__main__":
    root.enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
