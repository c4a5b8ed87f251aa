"""The allocators of Debian that Spillway is compared with: file and package of each."""

import os
import subprocess

DEBIAN = {
    "glibc": ("libc.so.6", "libc6"),
    "mimalloc": ("libmimalloc.so.2", "libmimalloc2.0"),
    "jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
}


def package_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f=${Version}\n", package],
                          capture_output=True, text=True, check=False)
    return done.stdout.split("\n")[0] or "unknown"


def checkout_version(folder):
    done = subprocess.run(["git", "-C", folder, "describe", "--always", "--dirty"],
                          capture_output=True, text=True, check=False,
                          env=dict(os.environ, GIT_OPTIONAL_LOCKS="0"))
    return f"checkout {done.stdout.strip()}" if done.returncode == 0 else "checkout"
