#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""run.py BUILD CASE: projects that use Spillway as README says are configured, built and run.

BUILD is a release build of Spillway, which is what is installed. The cases:

    quick.subdirectory  add_subdirectory and Makefiles; objects of the library come from BUILD
    quick.fetched       FetchContent and Ninja, the buffer pool without mimalloc; likewise
    quick.installed     an installed package that was moved, in C++ and in C alone; pkg-config; by hand
    quick.by_hand       the compiler's lines of LINKING, POOL and README
    quick.libcxx        clang with libc++: the headers, and the installed archive
    package             BUILD is a folder with the content of the Debian packages: as quick.installed
    full                all of it compiled: each way with each generator, compiler and standard
"""
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKING = (ROOT / "alloc" / "docs" / "LINKING.md").read_text(encoding="utf-8")
POOL_IN_C = (ROOT / "test" / "examples" / "buffer_pool.c").read_text(encoding="utf-8")
SKIPPED = 77
GENERATORS = ("Unix Makefiles", "Ninja")
GNU, CLANG = ("gcc", "g++", ""), ("clang", "clang++", "")
LIBCXX = ("clang", "clang++", "-stdlib=libc++")
FETCH = "include(FetchContent)\nFetchContent_Declare(spillway SOURCE_DIR /path/to/spillway)\n" \
    "FetchContent_MakeAvailable(spillway)"  # fmt: skip
EXPECTED = {"override": "with\n", "preload": "with\n", "pool": "ell\n", "pool_shared": "ell\n"}


def run(*command, folder=None, variables=None):
    """The command's output; a failure ends the test and shows it."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(variables or {})}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{done.stdout}\nFAILED: {shlex.join(map(str, command))}")
    return done.stdout


def documented_line(start):
    """The line of CMake code in README and LINKING that begins so."""
    found = [re.search(rf"^{re.escape(start)}.*?\)", text, re.MULTILINE) for text in (README, LINKING)]
    found = {match[0] for match in found if match}
    if len(found) != 1:
        sys.exit(f"FAILED: README.md and LINKING.md have {len(found)} lines that begin with '{start}'")
    return found.pop()


def readme_example():
    """README's program of the buffer pool."""
    return re.search(r"^```\n(#include <cstdio>\n.*?)^```", README, re.MULTILINE | re.DOTALL)[1]


class Project:
    """A copy of project/ that gets Spillway by `way`, CMake code."""

    def __init__(self, folder, way):
        self.source, self.build = folder / "source", folder / "build"
        shutil.copytree(HERE / "project", self.source)
        for name in ("pool", "pool_shared"):
            (self.source / f"{name}.cc").write_text(readme_example(), encoding="utf-8")
            (self.source / f"{name}.c").write_text(POOL_IN_C, encoding="utf-8")
        (self.source / "way.cmake").write_text(way.replace("/path/to/spillway", str(ROOT)) + "\n")

    def check(self, parts, generator, languages="C;CXX", standard="", tools=GNU, settings=(), reuse=None):
        """Configures, builds and runs the programs of `parts`."""
        c_compiler, cxx_compiler, flags = tools
        launcher = [f"-DCMAKE_{language}_COMPILER_LAUNCHER={HERE / 'reuse.py'};{reuse}"
                    for language in languages.split(";") if reuse]  # fmt: skip
        variables = {"CONSUMER_BUILD": str(self.build)}
        run("cmake", "-G", generator, "-S", self.source, "-B", self.build, f"-DWAY={self.source}/way.cmake",
            f"-DPARTS={';'.join(parts)}", f"-DLANGUAGES={languages}", f"-DSTANDARD={standard}",
            f"-DCMAKE_C_COMPILER={c_compiler}", f"-DCMAKE_CXX_COMPILER={cxx_compiler}",
            f"-DCMAKE_CXX_FLAGS={flags}", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", *launcher, *settings,
            variables=variables)  # fmt: skip
        run("cmake", "--build", self.build, "--target", *parts, "-j", str(os.cpu_count()), variables=variables)
        for part in parts:
            preloaded = {}
            if part == "preload":
                preloaded = {"LD_PRELOAD": (self.build / "preloaded").read_text(encoding="utf-8")}
            expect(run(self.build / part, variables=preloaded), part)
        self._check_flags()

    def _check_flags(self):
        """Spillway's own files: optimised although no build type is named, warnings are no errors."""
        commands = json.loads((self.build / "compile_commands.json").read_text(encoding="utf-8"))
        for entry in commands:
            words = entry["command"].split()
            if entry["file"].startswith(f"{ROOT}/alloc") and ("-O2" not in words or "-Werror" in words):
                sys.exit(f"FAILED: compiled by {entry['command']}")


def expect(output, part):
    if output != EXPECTED[part]:
        sys.exit(f"FAILED: {part} prints {output!r}, not {EXPECTED[part]!r}")


def installed(build, folder):
    """Installs `build` and moves what was installed; where it is then."""
    run("cmake", "--install", build, "--prefix", folder / "first")
    return (folder / "first").rename(folder / "moved")


def library_folder(prefix):
    return next(prefix.glob("lib*/**/libspillway.a")).parent


def subdirectory(folder, build):
    Project(folder, documented_line("add_subdirectory(")).check(
        ("override",), "Unix Makefiles", reuse=build
    )


def fetched(folder, build):
    # No mimalloc: its source is nowhere, and the system's is not looked for.
    settings = ["-DSPILLWAY_POOL_ONLY=ON", "-DSPILLWAY_MIMALLOC_SOURCE="]
    Project(folder, FETCH).check(("pool", "pool_shared"), "Ninja", settings=settings, reuse=build)


def package(folder, build, tools=GNU):
    use_package(installed(build, folder), folder, tools)


def use_package(prefix, folder, tools=GNU):
    settings = [f"-DCMAKE_PREFIX_PATH={prefix}"]
    way = documented_line("find_package(")
    parts = ("override", "preload", "pool", "pool_shared")
    (folder / "cxx").mkdir()
    Project(folder / "cxx", way).check(parts, "Unix Makefiles", tools=tools, settings=settings)
    (folder / "c").mkdir()
    Project(folder / "c", way).check(parts, "Ninja", languages="C", tools=tools, settings=settings)
    by_hand(folder, prefix)


def by_hand(folder, prefix):
    """By pkg-config, in both languages, and statically."""
    libraries = library_folder(prefix)
    lookup = {"PKG_CONFIG_PATH": f"{libraries / 'pkgconfig'}"}
    for part, compiler in (("override", "cc"), ("override", "c++"), ("pool", "cc"), ("pool", "c++")):
        name = "spillway-pool" if part == "pool" else "spillway"
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", name, variables=lookup))
        suffix = "c" if compiler == "cc" else "cc"
        source = HERE / "project" / f"override.{suffix}"
        if part == "pool":
            source = folder / f"pool.{suffix}"
            source.write_text(POOL_IN_C if suffix == "c" else readme_example(), encoding="utf-8")
            flags += [f"-Wl,-rpath,{libraries}"] + (["-std=c++20"] if suffix == "cc" else [])
        run(compiler, source, *flags, "-o", folder / "program")
        expect(run(folder / "program"), part)
    run("cc", "-static", HERE / "project" / "override.c", f"-I{prefix}/include",
        libraries / "libspillway.a", "-o", folder / "program")  # fmt: skip
    expect(run(folder / "program"), "override")
    refuse_another_expected(folder, prefix)
    check_stripped(prefix)
    check_no_place(prefix)
    run("cc", HERE / "project" / "plain.c", "-o", folder / "program")
    by_name = {"LD_PRELOAD": "libspillway.so", "LD_LIBRARY_PATH": str(libraries)}
    expect(run(folder / "program", variables=by_name), "preload")
    check_tools(prefix, folder / "program")


def check_tools(prefix, program):
    """The installed command: what it runs, says, compares and completes; and its manual."""
    command = prefix / "bin" / "spillway"
    version = run(command, "--version").splitlines()
    if not re.fullmatch(r"spillway \d+\.\d+\.\d+", version[0]) or str(prefix) not in version[1]:
        sys.exit(f"FAILED: spillway --version says {version}")
    expect(run(command, "run", "--", program), "preload")
    for words, said in (
        (["options"], "min_size"), (["licenses"], "Daan Leijen"), (["check"], "YES: "),
        (["run", "--stats", "--", program], "spillway"), (["doctor", "--once", "--", program], "exit status 0"),
    ):  # fmt: skip
        if said not in run(command, *words):
            sys.exit(f"FAILED: spillway {words[0]} does not say '{said}'")
    for page, said in (
        ("man1/spillway.1.gz", "SPILLWAY RUN"), ("man3/spillway.3.gz", "spillway_purge()"),
        ("man3/spillway_pool.3.gz", "struct spillway_pool_config"),
        ("man7/spillway.7.gz", "hard_limit"),
    ):  # fmt: skip
        file = prefix / "share" / "man" / page
        # Warnings of the formatter come with its output.
        text = run("sh", "-c", f"gzip -dc {file} | groff -man -Tascii -P-cbou -ww")
        if said not in text or "warning" in text:
            sys.exit(f"FAILED: {file}: {text}")
    completion = prefix / "share" / "bash-completion" / "completions" / "spillway"
    words = f". {completion}; COMP_WORDS=(spillway run --st); COMP_CWORD=2; _spillway spillway --st run; " \
        'echo "${COMPREPLY[*]}"'  # fmt: skip
    if run("bash", "-c", words) != "--stats\n":
        sys.exit("FAILED: completion of 'spillway run --st'")


def check_stripped(prefix):
    """The shared libraries have no debug information; files apart have, where their build ids say."""
    for library in library_folder(prefix).glob("*.so.*.*.*"):
        if ".debug_info" in run("readelf", "-SW", library):
            sys.exit(f"FAILED: {library} has debug information")
        found = re.search(r"Build ID: ([0-9a-f]{2})([0-9a-f]+)", run("readelf", "-n", library))
        file = prefix / "lib" / "debug" / ".build-id" / found[1] / f"{found[2]}.debug"
        if ".debug_info" not in run("readelf", "-SW", file):
            sys.exit(f"FAILED: {file} has no debug information")


def check_no_place(prefix):
    """No file tells where it was compiled. Compressed debug information is not looked at: it does, unless
    SPILLWAY_SOURCE_PREFIX is set, as for releases, which `scripts/release --check-reproducible` compares."""
    for file in prefix.rglob("*"):
        if file.is_file() and f"{ROOT}/".encode() in file.read_bytes():
            sys.exit(f"FAILED: {file} contains {ROOT}/")


def refuse_another_expected(folder, prefix):
    """A program of C++23 does not link with a pool that was compiled for C++20."""
    done = subprocess.run(
        ["c++", "-std=c++23", folder / "pool.cc", f"-I{prefix}/include", "-pthread", "-o", folder / "program",
         library_folder(prefix) / "libspillway_pool.a"],
        text=True, capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode == 0 or "_std_expected::Pool::create" not in done.stderr:
        sys.exit(f"FAILED: linked with another std::expected: {done.stderr}")


def by_the_documents(folder, build):
    """The lines that compile and link, as LINKING and POOL have them; static ones, too."""
    pool = (ROOT / "alloc" / "docs" / "POOL.md").read_text(encoding="utf-8")
    for text, compiler, source, part in (
        (LINKING, "cc", "app.c", "override"), (LINKING, "c++", "app.cc", "override"),
        (README, "c++", "app.cc", "override"), (pool, "g++", "example.cc", "pool"),
        (pool, "cc", "example.c", "pool"),
    ):  # fmt: skip
        content = POOL_IN_C if source.endswith(".c") else readme_example()
        if part == "override":
            content = (HERE / "project" / source.replace("app", part)).read_text(encoding="utf-8")
        (folder / source).write_text(content, encoding="utf-8")
        lines = re.findall(rf"^{re.escape(compiler)} .*$", text, re.MULTILINE)
        if not lines:
            sys.exit(f"FAILED: no line begins with '{compiler} ' in the document for {source}")
        for line in lines if part == "pool" else lines[:1]:
            line = line.replace("build/release", str(build)).replace("alloc/include", f"{ROOT}/alloc/include")
            for more in ([], ["-static"]) if part == "override" else ([],):
                run(*shlex.split(line), f"-I{ROOT}/alloc/include", *more, "-o", "program", folder=folder)
                expect(run(folder / "program"), part)


def have_libcxx(folder):
    probe = folder / "probe.cc"
    probe.write_text("#include <span>\nint main() {}\n", encoding="utf-8")
    command = ["clang++", "-stdlib=libc++", "-std=c++20", probe, "-o", folder / "probe"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def libcxx(folder, build):
    prefix = installed(build, folder)
    headers = folder / "headers.cc"
    names = sorted(path.name for path in (prefix / "include" / "spillway").iterdir())
    names.remove("pool_resource.h")  # needs libc++ 16
    headers.write_text("".join(f"#include <spillway/{name}>\n" for name in names), encoding="utf-8")
    command = ["clang++", "-stdlib=libc++", f"-I{prefix}/include", "-Wall", "-Wextra", "-Werror"]
    for standard in ("c++20", "c++2b"):
        run(*command, f"-std={standard}", "-fsyntax-only", headers)
    run(*command, HERE / "project" / "override.cc", "-Wl,--undefined=malloc,--undefined=_Znwm",
        library_folder(prefix) / "libspillway.a", "-o", folder / "program")  # fmt: skip
    expect(run(folder / "program"), "override")
    check_pkg_config(folder)


def check_pkg_config(folder):
    """A pool that is compiled for libc++ asks for that. Only configured."""
    run("cmake", "-S", ROOT, "-B", folder / "pool", "-DSPILLWAY_POOL_ONLY=ON", "-DSPILLWAY_TESTS=OFF",
        "-DCMAKE_C_COMPILER=clang", "-DCMAKE_CXX_COMPILER=clang++", "-DCMAKE_CXX_FLAGS=-stdlib=libc++")  # fmt: skip
    asked = (folder / "pool" / "scripts" / "packaging" / "spillway-pool.pc").read_text(encoding="utf-8")
    if "\nLibs.private: -lc++ -pthread\n" not in asked:
        sys.exit(f"FAILED: with libc++ spillway-pool.pc is\n{asked}")


def full(folder, build):
    package_done = False
    for tools in (GNU, CLANG, LIBCXX):
        if tools is LIBCXX and not have_libcxx(folder):
            print("left out: libc++ (Debian's libc++-dev)")
            continue
        for number, (way, generator) in enumerate(
            (way, generator)
            for way in (documented_line("add_subdirectory("), FETCH)
            for generator in GENERATORS
        ):
            standard = ("", "20", "23", "17")[number]
            parts = ("override", "preload") if standard == "17" else ("override", "preload", "pool", "pool_shared")
            name = f"{tools[0]}{tools[2]}, {generator}, {way.split('(')[0]}, C++ {standard or 'unset'}"
            print(f"consumer: {name}", flush=True)
            place = folder / f"{tools[1]}{tools[2]}{number}"
            place.mkdir()
            Project(place, way).check(parts, generator, standard=standard, tools=tools)
            shutil.rmtree(place)
        if tools is not LIBCXX:
            print(f"consumer: {tools[0]}, the installed package", flush=True)
            place = folder / f"{tools[1]}package"
            place.mkdir()
            package(place, build, tools)
            package_done = True
    assert package_done
    for generator in GENERATORS:
        print(f"consumer: C alone, {generator}, add_subdirectory", flush=True)
        place = folder / f"c{generator[0]}"
        place.mkdir()
        Project(place, documented_line("add_subdirectory(")).check(
            ("override", "preload", "pool", "pool_shared"), generator, languages="C"
        )


CASES = {
    "quick.subdirectory": subdirectory,
    "quick.fetched": fetched,
    "quick.installed": package,
    "quick.by_hand": by_the_documents,
    "quick.libcxx": libcxx,
    "package": lambda folder, build: use_package(build, folder),
    "full": full,
}


def main():
    if len(sys.argv) != 3 or sys.argv[2] not in CASES:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name).resolve()
        if sys.argv[2] == "quick.libcxx" and not have_libcxx(folder):
            print("skipped: no clang with libc++ (Debian's clang and libc++-dev)")
            sys.exit(SKIPPED)
        CASES[sys.argv[2]](folder, pathlib.Path(sys.argv[1]).resolve())


if __name__ == "__main__":
    main()
