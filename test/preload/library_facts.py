#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""library_facts.py LIBRARY EXPORTS: what readelf says about the preload library.

It needs libc alone, has at most 64 bytes of static TLS and no dynamic TLS, cannot be unloaded, has no text relocations,
is bound at start and read-only after it, and exports exactly the names in EXPORTS (sorted, one per line).
"""
import re
import subprocess
import sys

MAX_TLS_BYTES = 64
ALLOWED_NEEDED = re.compile(r"libc\.so\.6|ld-linux[-\w]*\.so\.\d+")

failures = []


def readelf(*options):
    result = subprocess.run(["readelf", "-W", *options, library], capture_output=True, text=True,
                            check=True, env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"})
    return result.stdout


def check(condition, text):
    if not condition:
        failures.append(text)


def check_dynamic():
    text = readelf("-d")
    needed = re.findall(r"\(NEEDED\).*\[(.*)\]", text)
    check("libc.so.6" in needed, "does not need libc.so.6")
    for name in needed:
        check(ALLOWED_NEEDED.fullmatch(name), f"needs {name}")
    flags = " ".join(re.findall(r"\(FLAGS(?:_1)?\)(.*)", text))
    check("NODELETE" in flags, "not linked with -z nodelete")
    check("NOW" in flags, "not linked with -z now")
    check("TEXTREL" not in text, "has text relocations")
    check("RPATH" not in text and "RUNPATH" not in text, "has a run path")
    soname = re.findall(r"\(SONAME\).*\[(.*)\]", text)
    check(len(soname) == 1 and re.fullmatch(r"libspillway\.so\.\d+\.\d+", soname[0]), f"its soname is {soname}")


def check_segments():
    segments = {}
    for line in readelf("-l").splitlines():
        fields = line.split()
        if len(fields) > 6 and fields[1].startswith("0x"):
            segments[fields[0]] = fields
    check("GNU_RELRO" in segments, "no RELRO segment")
    if "TLS" in segments:
        size = int(segments["TLS"][5], 16)
        check(size <= MAX_TLS_BYTES, f"{size} bytes of TLS, more than {MAX_TLS_BYTES}")
    stack = segments.get("GNU_STACK")
    check(stack is not None and "E" not in "".join(stack[6:-1]), "executable stack")


def check_tls_model():
    relocations = readelf("-r")
    for kind in ("DTPMOD", "DTPOFF", "TLSDESC"):
        check(kind not in relocations, f"has {kind} relocations: some TLS is not initial-exec")


def check_symbols(exports):
    defined, undefined = set(), set()
    for line in readelf("--dyn-syms").splitlines():
        fields = line.split()
        if len(fields) < 8 or fields[4] not in ("GLOBAL", "WEAK"):
            continue
        name = fields[7].split("@")[0]
        (undefined if fields[6] == "UND" else defined).add(name)
    check("__tls_get_addr" not in undefined, "imports __tls_get_addr")
    for name in sorted(defined - exports):
        failures.append(f"exports {name}, which the list does not have")
    for name in sorted(exports - defined):
        failures.append(f"does not export {name}, which the list has")


library, exports_file = sys.argv[1:]
with open(exports_file, encoding="ascii") as file:
    lines = file.read().splitlines()
check(lines == sorted(set(lines)), f"{exports_file} is not sorted")
check_dynamic()
check_segments()
check_tls_model()
check_symbols(set(lines))
for failure in failures:
    print(f"{library}: {failure}")
sys.exit(1 if failures else 0)
