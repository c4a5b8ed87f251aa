# SPDX-License-Identifier: MIT
"""scripts/setup, scripts/build and scripts/test: what they say and where they stop; nothing is installed here."""

import os
import shutil
import subprocess
import unittest

import support

SETUP = support.ROOT / "scripts" / "setup"
TOOLS = ("awk", "bash", "dirname", "dpkg-query", "sed", "sort")


def run(*command, **options):
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, **options
    )  # fmt: skip


class Setup(support.WithFolder):
    def copy(self, package):
        """A checkout of only scripts/setup, which wants one package more; readable by everyone."""
        (self.folder / "scripts").mkdir()
        text = SETUP.read_text(encoding="utf-8")
        changed = text.replace("build_packages=(", f"build_packages=({package} ", 1)
        self.assertNotEqual(text, changed)
        path = self.folder / "scripts" / "setup"
        path.write_text(changed, encoding="utf-8")
        path.chmod(0o755)
        self.folder.chmod(0o755)
        return path

    def test_unknown_argument(self):
        done = run(SETUP, "everything")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown argument 'everything'", done.stderr)

    def test_check_names_what_is_missing_and_changes_nothing(self):
        done = run(self.copy("no-such-package"), "--check", "build")
        self.assertEqual(done.returncode, 1)
        self.assertIn("missing packages: no-such-package", done.stdout)
        self.assertIn("missing: build/deps/mimalloc", done.stdout)
        self.assertFalse((self.folder / "build").exists())

    def test_a_program_stands_for_its_package(self):
        done = run(self.copy("no-such-package:sh"), "--check", "build")
        self.assertNotIn("no-such-package", done.stdout)

    @unittest.skipUnless(os.geteuid() == 0, "becoming nobody takes root")
    def test_one_who_may_not_install_is_told_the_packages(self):
        script = self.copy("no-such-package")
        tools = self.folder / "tools"  # a PATH without sudo
        tools.mkdir()
        for name in TOOLS:
            (tools / name).symlink_to(shutil.which(name))
        done = run(
            script, "build", user=65534, group=65534, extra_groups=[], cwd="/",
            env=dict(os.environ, PATH=f"{tools}:/bin" if not shutil.which("sudo") else str(tools)),
        )  # fmt: skip
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertIn("apt-get install --no-install-recommends", done.stderr)
        self.assertIn("no-such-package", done.stderr)


class SourceEntry(support.WithFolder):
    """The function of scripts/setup that turns an entry of apt's configuration into a deb-src one."""

    def entry(self, name, content, number):
        configured = self.folder / name
        configured.write_text(content, encoding="utf-8")
        (self.folder / "sources").mkdir(exist_ok=True)
        text = SETUP.read_text(encoding="utf-8")
        begin = text.index("source_entry() {")
        function = text[begin : text.index("\n}\n", begin) + 3]
        done = run(
            "bash", "-euc", f'work=$1\n{function}source_entry stable main "$2"', "bash",
            self.folder, f"{configured}:{number}",
        )  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        made = self.folder / "sources" / f"mimalloc.{'sources' if name.endswith('.sources') else 'list'}"
        return made.read_text(encoding="utf-8").splitlines()

    def test_one_line_format(self):
        content = "# a comment\ndeb [signed-by=/k.gpg arch=amd64] http://a.example/d stable main extra\n"
        content += "deb http://b.example/d other main\n"
        self.assertEqual(
            self.entry("x.list", content, 2),
            ["deb-src [signed-by=/k.gpg arch=amd64] http://a.example/d stable main"],
        )
        self.assertEqual(self.entry("x.list", content, 3), ["deb-src http://b.example/d stable main"])

    def test_deb822_format(self):
        content = "Types: deb\n# a comment\nURIs: http://a.example/d\nSuites: x\nComponents: y\n\n"
        content += "Types: deb deb-src\nURIs: http://b.example/d\nSuites: stable updates\n"
        content += "Components: main extra\nSigned-By: /k.gpg\n"
        self.assertEqual(
            self.entry("x.sources", content, 2),
            ["Types: deb-src", "URIs: http://b.example/d", "Suites: stable", "Components: main",
             "Signed-By: /k.gpg"],
        )  # fmt: skip


class Build(unittest.TestCase):
    def test_unknown_preset(self):
        done = run(support.ROOT / "scripts" / "build", "fastest")
        self.assertEqual(done.returncode, 2)
        self.assertIn("unknown preset 'fastest'", done.stderr)


class Test(unittest.TestCase):
    def test_help_fits_a_terminal(self):
        done = run(support.ROOT / "scripts" / "test", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)

    def test_wrong_arguments_end_before_anything_is_installed(self):
        for arguments, reason in (
            (("fastest",), "there is no 'fastest'"),
            (("--busy", "fastest"), "there is no 'fastest'"),
            (("--fast",), "there is no '--fast'"),
            (("--deploy", "all"), "--deploy takes no arguments"),
            (("--fuzz", "long"), "--fuzz takes a number of seconds"),
        ):
            done = run(support.ROOT / "scripts" / "test", *arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertEqual(
                done.stderr, f"scripts/test: {reason}; scripts/test --help tells more\n"
            )


if __name__ == "__main__":
    unittest.main()
