#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""prometheus.py LIBRARY PROGRAM: statistics as a fleet's engines see them. PROGRAM is `monitoring_holder`.

Two preloaded programs write their files; Debian's node_exporter serves both, Debian's Prometheus scrapes it, with the
alert rules loaded, and answers with the right values. Everything listens on the loopback interface and ends here.
"""
import contextlib
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from holders import HUNG, environment, holder, wait_until  # noqa: E402

LIBRARY, PROGRAM = sys.argv[1:3]
TOP = pathlib.Path(__file__).resolve().parent.parent.parent
# scripts/setup puts them there: installed, their packages would start services.
PLACES = os.pathsep.join([str(TOP / "build/deps/prometheus/usr/bin"), os.environ["PATH"]])
TOOLS = {name: shutil.which(name, path=PLACES) for name in ("promtool", "prometheus", "prometheus-node-exporter")}
NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def get(port, path):
    """The answer, or None while no server answers."""
    with contextlib.suppress(OSError):
        with NO_PROXY.open(f"http://127.0.0.1:{port}{path}", timeout=HUNG) as answer:
            return answer.read().decode()
    return None


class Daemon:
    """A server on a free port: tried again if another process took the port first."""

    def __init__(self, case, tool, path, *arguments):
        log = open(case.folder / (tool + ".log"), "wb")  # noqa: SIM115: until the end
        case.addCleanup(log.close)

        def answers():
            if self.process is None or self.process.poll() is not None:
                self.port = free_port()
                self.process = subprocess.Popen(
                    [TOOLS[tool], f"--web.listen-address=127.0.0.1:{self.port}", *arguments],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            return get(self.port, path) is not None

        self.process = None
        case.addCleanup(self.end)
        wait_until(answers, f"{tool} answers; see its log")

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class Prometheus(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="spillway_prometheus_"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.files = self.folder / "files"
        self.files.mkdir()

    def query(self, server, query):
        """The samples' labels and values."""
        text = get(server.port, "/api/v1/query?" + urllib.parse.urlencode({"query": query}))
        found = json.loads(text)
        self.assertEqual(found["status"], "success")
        return [(sample["metric"], float(sample["value"][1])) for sample in found["data"]["result"]]

    def promtool(self, *arguments, text=None):
        return subprocess.run([TOOLS["promtool"], *arguments], input=text, text=True, capture_output=True, timeout=HUNG,
                              cwd=TOP / "scripts/monitoring")

    def test_promtool_is_content(self):
        file = self.files / "one.prom"
        options = environment(LIBRARY, stats="prometheus", stats_file=file)
        subprocess.run([PROGRAM, "3"], env=options, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True,
                       timeout=HUNG)
        done = self.promtool("check", "metrics", text=file.read_text())
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))
        for arguments in (("check", "rules", "alerts.yaml"), ("test", "rules", "alerts_test.yaml")):
            done = self.promtool(*arguments)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_processes_are_watched(self):
        exporter = Daemon(self, "prometheus-node-exporter", "/metrics", "--collector.disable-defaults",
                          "--collector.textfile", f"--collector.textfile.directory={self.files}")
        (self.folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: 500ms, evaluation_interval: 500ms}}
rule_files: ['{TOP / "scripts/monitoring/alerts.yaml"}']
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ['127.0.0.1:{exporter.port}']}}]
""")
        server = Daemon(self, "prometheus", "/-/ready", f"--config.file={self.folder / 'prometheus.yml'}",
                        f"--storage.tsdb.path={self.folder / 'data'}", "--log.level=warn")
        options = {"stats": "prometheus", "stats_file": self.files / "spillway.%p.prom", "stats_interval": 1}
        with holder(LIBRARY, PROGRAM, 37, **options) as (_, (first,)), \
                holder(LIBRARY, PROGRAM, 11, **options) as (_, (second,)):
            for pid, count in ((first, 37), (second, 11)):
                query = f'spillway_class_live{{pid="{pid}",block_size="327680"}}'
                (labels, _), = wait_until(lambda query=query, count=count: [
                    sample for sample in self.query(server, query) if sample[1] == count], query)
                self.assertEqual(labels["program"], os.path.basename(PROGRAM))
                self.assertEqual(labels["instance"], f"127.0.0.1:{exporter.port}")
            self.assertEqual(self.query(server, "node_textfile_scrape_error")[0][1], 0)
            kinds = json.loads(get(server.port, "/api/v1/metadata?metric=spillway_allocations_total"))["data"]
            self.assertEqual(kinds["spillway_allocations_total"][0]["type"], "counter")
            ages = self.query(server, f'time() - spillway_start_time_seconds{{pid="{first}"}}')
            self.assertTrue(0 <= ages[0][1] < 600, ages)
            groups = json.loads(get(server.port, "/api/v1/rules"))["data"]["groups"]
            self.assertTrue(all(rule["health"] != "err" for group in groups for rule in group["rules"]), groups)


if __name__ == "__main__":
    missing = [name for name, place in TOOLS.items() if place is None]
    if missing:
        print("skipped: scripts/setup brings", *missing)
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
