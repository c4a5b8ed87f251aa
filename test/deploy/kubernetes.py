#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""kubernetes.py LIBRARY: the manifest, as a node would take it: its volume, its variables, its limit of memory."""
import json
import os
import pathlib
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import root  # noqa: E402

try:
    import yaml
except ImportError:
    print("skipped: Debian's python3-yaml is not installed")
    sys.exit(root.SKIPPED)

CONFIG_MAP_BYTES = 1 << 20  # at most
UNITS = {"Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
MANIFEST = root.DEPLOY / "kubernetes.yaml"
# Blocks of 16 MiB, zeroed and so not resident, but held.
HOLDER = "blocks = [bytes(16 << 20) for _ in range({})]; print(len(blocks))"


def byte_count(quantity):
    return int(quantity[:-2]) * UNITS[quantity[-2:]]


class Manifest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
        pod = cls.manifest["spec"]["template"]["spec"]
        (cls.container,) = pod["containers"]
        (cls.volume,) = pod["volumes"]
        cls.variables = {one["name"]: one["value"] for one in cls.container["env"]}
        cls.limit = byte_count(cls.container["resources"]["limits"]["memory"])
        (mounted,) = cls.container["volumeMounts"]
        assert mounted["name"] == cls.volume["name"]
        cls.root = root.Root()
        cls.place = cls.root / mounted["mountPath"]
        cls.place.mkdir(parents=True)
        # As kubelet lays out a volume: names are links, so that all can change at once.
        (cls.place / "..data").mkdir()
        cls.library = cls.place / "..data" / "libspillway.so"
        subprocess.run(["strip", "-o", cls.library, sys.argv[1]], check=True)
        (cls.place / "libspillway.so").symlink_to("..data/libspillway.so")

    def statistics(self, blocks, group=None):
        """What a program says that holds so many of HOLDER's blocks."""
        file = "/tmp/statistics.json"
        variables = {**self.variables, "SPILLWAY_STATS": "json", "SPILLWAY_STATS_FILE": file}
        said = self.root.run("/usr/bin/python3", "-c", HOLDER.format(blocks), variables=variables, group=group)
        self.assertEqual(said, (f"{blocks}\n", ""))
        return json.loads((self.root / file).read_text(encoding="utf-8"))

    def test_labels_and_the_comments_commands(self):
        spec = self.manifest["spec"]
        self.assertEqual(spec["selector"]["matchLabels"], spec["template"]["metadata"]["labels"])
        text = MANIFEST.read_text(encoding="utf-8")
        self.assertIn(f"create configmap {self.volume['configMap']['name']} --from-file=libspillway.so\n", text)

    def test_the_library_fits_a_config_map(self):
        self.assertLess(self.library.stat().st_size, CONFIG_MAP_BYTES * 3 // 4)  # with some room

    def test_the_options_are_understood(self):
        variables = {**self.variables, "SPILLWAY_VERBOSE": "1"}
        _, said = self.root.run("/bin/true", variables=variables)
        self.assertEqual([line for line in said.splitlines() if "default" not in line],
                         ["spillway: limit = 80% (SPILLWAY_CONF)", "spillway: pressure = 10 (SPILLWAY_CONF)",
                          "spillway: verbose = 1 (environment)"])

    def test_the_limit_is_the_manifests(self):
        here = root.Root()  # whose control group is made up
        root.pretend_memory(here, self.limit)
        here.show(self.place, self.variables["LD_PRELOAD"].rsplit("/", 1)[0])
        variables = {**self.variables, "SPILLWAY_STATS": "json"}
        _, said = here.run("/usr/bin/python3", "-c", "", variables=variables)
        self.assertEqual(json.loads(said)["limit_bytes"], self.limit // 100 * 80)

    def test_the_limit_is_that_of_a_memory_group(self):
        try:
            group = root.MemoryGroup(self.limit)
        except OSError as error:
            self.skipTest(f"no memory cgroup can be made here: {error}")
        limit = self.limit // 100 * 80
        fits = limit // (16 << 20) - 1
        below = self.statistics(fits - 1, group)
        self.assertEqual((below["limit_bytes"], below["limit_crossed_total"]), (limit, 0))
        above = self.statistics(fits + 2, group)
        self.assertEqual((above["limit_bytes"], above["limit_crossed_total"]), (limit, 1))


if __name__ == "__main__":
    root.enter()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
