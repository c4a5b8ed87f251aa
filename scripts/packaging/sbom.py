#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""sbom.py VERSION COMMIT MIMALLOC FILE...: prints what a release consists of, as SPDX 2.3 in JSON.

FILE... are its packages and archives; MIMALLOC is the folder of Debian's source of mimalloc, which is
compiled in. What the Debian packages among FILE... need is listed, too. SOURCE_DATE_EPOCH is its date.
"""
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

NONE = "NOASSERTION"
COMPILED = ("src", "include")  # folders of mimalloc's that the libraries are compiled from
KINDS = {".h": "SOURCE", ".c": "SOURCE", ".cc": "SOURCE", ".deb": "ARCHIVE", ".gz": "ARCHIVE"}


def identifier(*words):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.]+", "-", "-".join(words)).strip("-")


def checksums(content):
    return [
        {"algorithm": algorithm.upper(), "checksumValue": hashlib.new(algorithm, content).hexdigest()}
        for algorithm in ("sha1", "sha256")
    ]


def file_entry(owner, name, content, licence):
    return {
        "SPDXID": identifier("File", owner, name),
        "fileName": f"./{name}",
        "fileTypes": [KINDS.get(pathlib.PurePath(name).suffix, "OTHER")],
        "checksums": checksums(content),
        "licenseConcluded": licence,
        "licenseInfoInFiles": [licence],
        "copyrightText": NONE,
    }


def verification_code(files):
    """Of a package: SPDX's digest of the digests of its files."""
    digests = sorted(file["checksums"][0]["checksumValue"] for file in files)
    return {"packageVerificationCodeValue": hashlib.sha1("".join(digests).encode()).hexdigest()}


def copyright_of(licence):
    return re.search(r"^Copyright .*$", licence, re.MULTILINE)[0]


def package(name, version, licence="", files=(), **more):
    entry = {
        "SPDXID": identifier("Package", name),
        "name": name,
        "downloadLocation": NONE,
        "filesAnalyzed": bool(files),
        "licenseConcluded": licence or NONE,
        "licenseDeclared": licence or NONE,
        "copyrightText": NONE,
        **more,
    }
    if version:
        entry["versionInfo"] = version
    if files:
        entry["packageVerificationCode"] = verification_code(files)
        entry["licenseInfoFromFiles"] = [licence]
        entry["hasFiles"] = [file["SPDXID"] for file in files]
    return entry


def mimalloc(folder):
    """The package and its files."""
    version = re.match(r"mimalloc \((.+?)\)", (folder / "debian" / "changelog").read_text(encoding="utf-8"))[1]
    licence = (folder / "LICENSE").read_text(encoding="utf-8")
    paths = [path for top in COMPILED for path in (folder / top).rglob("*") if path.is_file()]
    names = sorted(path.relative_to(folder).as_posix() for path in paths)
    files = [file_entry("mimalloc", name, (folder / name).read_bytes(), "MIT") for name in names]
    purl = {
        "referenceCategory": "PACKAGE-MANAGER",
        "referenceType": "purl",
        "referenceLocator": f"pkg:deb/debian/mimalloc@{version}?arch=source",
    }
    entry = package("mimalloc", version, "MIT", files, copyrightText=copyright_of(licence),
                    supplier="Organization: Debian", externalRefs=[purl])  # fmt: skip
    return entry, files


class Need:
    """What Debian packages ask of another one."""

    def __init__(self):
        self.required = False  # nothing works without
        self.versions = {}  # a set in the order of the packages
        self.instead = {}

    def __str__(self):
        words = f"version {' and '.join(self.versions)}" if self.versions else "any version"
        return words + "".join(f", or {name} instead" for name in self.instead)


def needed(debs):
    """By name, what the Debian packages need; of alternatives the first counts."""
    needs = {}
    for deb in debs:
        for field, required in (("Depends", True), ("Recommends", False)):
            done = subprocess.run(["dpkg-deb", "-f", deb, field], check=True, capture_output=True, text=True)
            for part in filter(None, (text.strip() for text in done.stdout.split(","))):
                (name, version), *others = (
                    re.match(r"\s*([^\s:(]+)[^(]*(?:\((.*?)\))?", one).groups() for one in part.split("|")
                )
                need = needs.setdefault(name, Need())
                need.required |= required
                need.versions.update({version: None} if version else {})
                need.instead.update(dict.fromkeys(other for other, _ in others))
    return needs


def document(version, commit, mimalloc_folder, paths):
    date = datetime.datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), datetime.timezone.utc)
    root = pathlib.Path(__file__).resolve().parents[2]
    paths = sorted(paths, key=lambda path: path.name)
    files = [file_entry("spillway", path.name, path.read_bytes(), "MIT") for path in paths]
    own = package("spillway", version, "MIT", files,
                  copyrightText=copyright_of((root / "LICENSE").read_text(encoding="utf-8")),
                  sourceInfo=f"git commit {commit}")  # fmt: skip
    contained, contained_files = mimalloc(mimalloc_folder)
    packages, relations = {}, [("SPDXRef-DOCUMENT", "DESCRIBES", own), (own["SPDXID"], "CONTAINS", contained)]
    debs = [path for path in paths if path.suffix == ".deb"]
    own_names = {path.name.split("_")[0] for path in debs}
    for name, need in needed(debs).items():
        if name in own_names:
            continue
        packages[name] = package(name, "", supplier="Organization: Debian", comment=str(need))
        if need.required:
            relations.append((own["SPDXID"], "DEPENDS_ON", packages[name]))
        else:
            relations.append((packages[name]["SPDXID"], "OPTIONAL_DEPENDENCY_OF", own))
    return {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"spillway-{version}",
        "documentNamespace": f"https://spillway.invalid/spdx/spillway-{version}-{commit}",
        "creationInfo": {
            "created": date.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Organization: The Spillway authors", "Tool: scripts/packaging/sbom.py"],
        },
        "packages": [own, contained, *(packages[name] for name in sorted(packages))],
        "files": files + contained_files,
        "relationships": [
            {"spdxElementId": one, "relationshipType": kind, "relatedSpdxElement": other["SPDXID"]}
            for one, kind, other in relations
        ],
    }


def main():
    if len(sys.argv) < 5:
        sys.exit(__doc__)
    version, commit, folder = sys.argv[1:4]
    made = document(version, commit, pathlib.Path(folder), [pathlib.Path(name) for name in sys.argv[4:]])
    print(json.dumps(made, indent=1, sort_keys=False, ensure_ascii=False))


if __name__ == "__main__":
    main()
