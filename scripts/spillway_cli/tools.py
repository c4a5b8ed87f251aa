# SPDX-License-Identifier: MIT
"""The built programs and libraries that `record` and `replay` need, and where they are."""

import pathlib

from spillway_cli import allocators, paths
from spillway_cli.errors import usage_error

# Target and its file in the build folder.
FILES = {
    "librecord": "librecord.so",
    "bench_trace": "bench/bench_trace",
    "bench_replay": "bench/bench_replay",
}


def add_option(parser):
    parser.add_argument(
        "--build-dir", metavar="DIR", type=pathlib.Path,
        help="use what was built there as it is (default: build/release, brought up to date)",
    )  # fmt: skip


def folder(build_dir, targets, asked):
    """The folder with the files of `targets`: `build_dir`, or build/release after a build.

    The library is built with them when it is among the allocators `asked` for, a list as of
    allocators.choose().
    """
    if build_dir is None:
        if allocators.needs_library(asked):
            targets = (*targets, paths.TARGETS[paths.LIBRARY])
        paths.build(*targets)
        return paths.RELEASE
    for target in targets:
        if not (build_dir / FILES[target]).is_file():
            raise usage_error(f"--build-dir: no {FILES[target]} in {build_dir}")
    return build_dir.resolve()
