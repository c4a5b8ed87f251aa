# SPDX-License-Identifier: MIT
"""scripts/release: what it refuses; and its parts: archives and the list of what a release contains."""

import json
import os
import shutil
import subprocess

import support

PACKAGING = support.ROOT / "scripts" / "packaging"
DATE = "1700000000"


def run(*command, **options):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=300, **options
    )  # fmt: skip


class Checkout(support.WithFolder):
    """Of only scripts/release, the version and the changelog."""

    def setUp(self):
        super().setUp()
        (self.folder / "scripts").mkdir()
        shutil.copy(support.ROOT / "scripts" / "release", self.folder / "scripts")
        self.write("CMakeLists.txt", "project(spillway VERSION 1.2.3 LANGUAGES C CXX)\n")
        self.write("CHANGELOG.md", "# Changelog\n\n## [1.2.3] - 2026-01-31\n\n## [1.2.2] - 2025-12-31\n")

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def commit(self):
        author = ["-c", "user.name=A", "-c", "user.email=a@b.invalid"]
        for words in (["init", "-q"], ["add", "-A"], [*author, "commit", "-q", "-m", "All"]):
            done = run("git", *words, cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)


class Refusals(Checkout):
    def refusal(self, *arguments):
        done = run(self.folder / "scripts" / "release", *arguments)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Arelease: [^\n]+\n\Z")
        self.assertFalse((self.folder / "build").exists())
        return done.stderr

    def test_a_tree_without_git(self):
        self.assertIn("no git checkout", self.refusal())

    def test_a_dirty_tree(self):
        self.commit()
        self.write("new", "")
        self.assertIn("differ from the commit: 1 (git status)", self.refusal("--no-test"))

    def test_another_version_in_the_changelog(self):
        self.write("CMakeLists.txt", "project(spillway VERSION 1.3.0 LANGUAGES C CXX)\n")
        self.commit()
        self.assertIn("has version 1.3.0, but CHANGELOG.md begins with 1.2.3", self.refusal())

    def test_a_changelog_without_a_date(self):
        self.write("CHANGELOG.md", "## [1.2.3] - unreleased\n")
        self.commit()
        self.assertIn("no date for 1.2.3", self.refusal("--no-test"))

    def test_no_version_in_the_changelog(self):
        self.write("CHANGELOG.md", "# Changelog\n")
        self.commit()
        self.assertIn("begins with no version", self.refusal())

    def test_an_unknown_argument(self):
        self.assertIn("unknown argument '--fast'; see scripts/release --help", self.refusal("--fast"))


class Steps(Checkout):
    """What scripts/release does in which order, with stand-ins for the building and packing."""

    def setUp(self):
        super().setUp()
        self.folder.chmod(0o755)  # the second of two builds is another user's
        self.write(".gitignore", "build/\n")
        for name, text in (
            ("scripts/setup", ""), ("scripts/test", "echo tests\n"),
            ("scripts/package", 'mkdir -p "${@: -1}/packages"\n'
                                'echo "${CC-} ${CXX-} ${CMAKE_TOOLCHAIN_FILE-}" >"${@: -1}/packages/a_1.deb"\n'),
            ("scripts/packaging/archive", 'date -d "@$SOURCE_DATE_EPOCH" >"$3"\n'),
            ("scripts/packaging/sbom.py", 'echo "$1 $2 ${@:4}" | sed "s,/[^ ]*/,,g"\n'),
            ("build/bin/cmake", ""), ("build/deps/mimalloc/file", ""),
        ):  # fmt: skip
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            self.write(name, f"#!/bin/bash\n{text}")
            (self.folder / name).chmod(0o755)
        self.commit()

    def release(self, *arguments):
        path = f"{self.folder / 'build' / 'bin'}:{os.environ['PATH']}"
        others = {"CC": "clang", "CXX": "clang++", "CMAKE_TOOLCHAIN_FILE": "/other.cmake"}
        return run(self.folder / "scripts" / "release", *arguments, env={**os.environ, "PATH": path, **others})

    def test_all_is_in_one_folder_with_checksums(self):
        done = self.release()
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(done.stdout.splitlines()[0], "tests")
        out = self.folder / "build" / "dist" / "spillway-1.2.3"
        machine = run("dpkg", "--print-architecture").stdout.strip()
        names = ["a_1.deb", f"spillway-1.2.3-linux-{machine}.tar.gz",
                 "spillway-1.2.3.spdx.json", "spillway-1.2.3.tar.gz"]  # fmt: skip
        self.assertEqual(sorted(path.name for path in out.iterdir()), ["SHA256SUMS", *names])
        self.assertEqual(run("sha256sum", "-c", "SHA256SUMS", cwd=out).stdout,
                         "".join(f"{name}: OK\n" for name in names))  # fmt: skip
        self.assertEqual((out / "a_1.deb").read_text(encoding="utf-8").strip(), "")  # no compiler of the caller's
        listed = run("tar", "-tf", out / "spillway-1.2.3.tar.gz").stdout
        self.assertIn("spillway-1.2.3/scripts/release\n", listed)
        self.assertNotIn("tests", self.release("--no-test").stdout)

    def test_two_builds_are_compared(self):
        done = self.release("--check-reproducible")
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(done.stdout.endswith("release: two builds, 5 files, the same bytes\n"), done.stdout)
        self.write("scripts/package", '#!/bin/bash\nmkdir "${@: -1}/packages"; pwd >"${@: -1}/packages/a_1.deb"\n')
        self.commit()
        done = self.release("--check-reproducible")
        self.assertEqual(done.returncode, 1, done)
        self.assertEqual([line for line in done.stdout.splitlines() if "differs" in line],
                         ["release: differs: SHA256SUMS", "release: differs: a_1.deb"])  # fmt: skip

    def test_a_build_that_fails_is_shown(self):
        self.write("scripts/package", "#!/bin/bash\necho no lintian >&2\nexit 1\n")
        self.commit()
        for argument in ("--no-test", "--check-reproducible"):
            done = self.release(argument)
            self.assertEqual(done.returncode, 1, done)
            self.assertIn("no lintian", done.stderr)
            self.assertNotIn("same bytes", done.stdout)


class Archive(support.WithFolder):
    def make(self, name, mask, date):
        """A folder with the same content, but other modes and dates, and its archive."""
        folder = self.folder / name
        before = os.umask(mask)
        try:
            (folder / "b").mkdir(parents=True)
            for path in ("b/file", "a", "program"):
                (folder / path).write_text(path, encoding="utf-8")
                os.utime(folder / path, (date, date))
        finally:
            os.umask(before)
        (folder / "program").chmod(0o700 if mask else 0o755)
        (folder / "link").symlink_to("b/file")
        made = self.folder / f"{name}.tar.gz"
        done = run(PACKAGING / "archive", folder, "top-1.0", made,
                   env={**os.environ, "SOURCE_DATE_EPOCH": DATE, "LC_ALL": "C.UTF-8" if mask else "C"})  # fmt: skip
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return made

    def test_content_alone_decides_the_bytes(self):
        first, second = self.make("one", 0, 1), self.make("other", 0o077, 10**9)
        self.assertEqual(first.read_bytes(), second.read_bytes())
        listed = run("tar", "--utc", "-tvf", first).stdout.splitlines()
        self.assertEqual([line.split()[5] for line in listed],
                         ["top-1.0/", "top-1.0/a", "top-1.0/b/", "top-1.0/b/file", "top-1.0/link", "top-1.0/program"])  # fmt: skip
        self.assertTrue(all(" 0/0 " in line and "2023-11-14 22:13" in line for line in listed), listed)
        self.assertTrue(listed[4].endswith("link -> b/file"))

    def test_needs_a_date(self):
        variables = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
        done = run(PACKAGING / "archive", self.folder, "top", self.folder / "x", env=variables)
        self.assertEqual(done.returncode, 2)
        self.assertIn("SOURCE_DATE_EPOCH", done.stderr)


class Contents(support.WithFolder):
    def setUp(self):
        super().setUp()
        mimalloc = self.folder / "mimalloc"
        for name, text in (
            ("debian/changelog", "mimalloc (2.0.9+ds-2) unstable; urgency=medium\n"),
            ("LICENSE", "MIT License\n\nCopyright (c) 2018 A Person\n"),
            ("src/b.c", "b"), ("src/a.c", "a"), ("include/m.h", "h"), ("test/t.c", "t"),
        ):  # fmt: skip
            (mimalloc / name).parent.mkdir(parents=True, exist_ok=True)
            (mimalloc / name).write_text(text, encoding="utf-8")
        self.deb("libspillway0.1", "libc6 (>= 2.34)", "python3-numpy")
        self.deb("spillway", "libspillway0.1 (= 1.2.3), python3 (>= 3.11), python3-numpy", "python3-matplotlib")
        self.deb("spillway-dev", "libc6 (>= 2.36), python3:any, python3-numpy (<< 3) | numpy-all", "")
        self.archive = self.folder / "spillway-1.2.3.tar.gz"
        self.archive.write_bytes(b"archive")

    def deb(self, name, depends, recommends):
        control = self.folder / name / "DEBIAN" / "control"
        control.parent.mkdir(parents=True)
        more = f"Recommends: {recommends}\n" if recommends else ""
        control.write_text(f"Package: {name}\nVersion: 1.2.3\nArchitecture: amd64\nMaintainer: A <a@b.invalid>\n"
                           f"Depends: {depends}\n{more}Description: short\n", encoding="utf-8")  # fmt: skip
        control.parent.chmod(0o755)
        done = run("dpkg-deb", "--root-owner-group", "-b", self.folder / name, self.folder / f"{name}_1.2.3_amd64.deb")
        self.assertEqual(done.returncode, 0, done.stderr)

    def document(self):
        debs = sorted(self.folder.glob("*.deb"))
        done = run(PACKAGING / "sbom.py", "1.2.3", "c0ffee", self.folder / "mimalloc", *debs, self.archive,
                   env={**os.environ, "SOURCE_DATE_EPOCH": DATE})  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_names_what_is_inside_and_what_is_needed(self):
        made = json.loads(self.document())
        self.assertEqual((made["spdxVersion"], made["creationInfo"]["created"]), ("SPDX-2.3", "2023-11-14T22:13:20Z"))
        packages = {package["name"]: package for package in made["packages"]}
        self.assertEqual(packages["mimalloc"]["versionInfo"], "2.0.9+ds-2")
        self.assertEqual(packages["mimalloc"]["licenseConcluded"], "MIT")
        self.assertEqual(packages["mimalloc"]["copyrightText"], "Copyright (c) 2018 A Person")
        self.assertEqual(packages["python3"]["comment"], "version >= 3.11")
        self.assertEqual(packages["libc6"]["comment"], "version >= 2.34 and >= 2.36")
        self.assertEqual(packages["python3-numpy"]["comment"], "version << 3, or numpy-all instead")
        self.assertEqual(packages["python3-matplotlib"]["comment"], "any version")
        self.assertNotIn("libspillway0.1", packages)
        relations = {
            (one["spdxElementId"], one["relationshipType"], one["relatedSpdxElement"]) for one in made["relationships"]
        }
        own = "SPDXRef-Package-spillway"
        self.assertEqual(relations, {
            ("SPDXRef-DOCUMENT", "DESCRIBES", own), (own, "CONTAINS", "SPDXRef-Package-mimalloc"),
            (own, "DEPENDS_ON", "SPDXRef-Package-libc6"), (own, "DEPENDS_ON", "SPDXRef-Package-python3"),
            (own, "DEPENDS_ON", "SPDXRef-Package-python3-numpy"),
            ("SPDXRef-Package-python3-matplotlib", "OPTIONAL_DEPENDENCY_OF", own),
        })  # fmt: skip
        sums = {file["fileName"]: file["checksums"][1]["checksumValue"] for file in made["files"]}
        self.assertEqual(sums["./spillway-1.2.3.tar.gz"],
                         run("sha256sum", self.archive).stdout.split()[0])  # fmt: skip
        self.assertIn("./src/a.c", sums)
        self.assertNotIn("./test/t.c", sums)

    def test_every_reference_is_defined_once(self):
        made = json.loads(self.document())
        defined = [entry["SPDXID"] for entry in made["packages"] + made["files"]] + [made["SPDXID"]]
        self.assertEqual(len(defined), len(set(defined)))
        for package in made["packages"]:
            self.assertLessEqual(set(package.get("hasFiles", [])), set(defined))
        for relation in made["relationships"]:
            self.assertLessEqual({relation["spdxElementId"], relation["relatedSpdxElement"]}, set(defined))

    def test_is_the_same_again(self):
        self.assertEqual(self.document(), self.document())

    def test_verification_code_is_that_of_the_files_in_any_order(self):
        made = json.loads(self.document())
        mimalloc = next(package for package in made["packages"] if package["name"] == "mimalloc")
        digests = run("sha1sum", *(self.folder / "mimalloc" / name for name in ("src/a.c", "src/b.c", "include/m.h")))
        digests = "".join(sorted(line.split()[0] for line in digests.stdout.splitlines()))
        whole = run("sha1sum", input=digests).stdout.split()[0]
        self.assertEqual(mimalloc["packageVerificationCode"]["packageVerificationCodeValue"], whole)
