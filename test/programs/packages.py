# SPDX-License-Identifier: MIT
"""Debian's packages: which are missing, their versions, and their installation."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

POLICY = pathlib.Path("/usr/sbin/policy-rc.d")


def _known(names):
    asked = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status} ${Version}\n", *names],
                           capture_output=True, text=True)
    rows = (line.split() for line in asked.stdout.splitlines())
    return {row[0]: row[2] for row in rows if len(row) == 3 and row[1] == "installed"}


def missing(names):
    """Those of the names, PACKAGE or PACKAGE:PROGRAM, that neither dpkg nor PATH knows, without :PROGRAM."""
    if not names:
        return []
    pairs = [name.partition(":")[::2] for name in names]
    known = _known([package for package, _ in pairs])
    return [package for package, program in pairs if package not in known and not (program and shutil.which(program))]


def version(name):
    return _known([name.partition(":")[0]]).get(name.partition(":")[0], "")


def install(names):
    """As scripts/setup does; no service is started."""
    wanted = missing(sorted(names))
    if not wanted:
        return
    as_root = [] if os.geteuid() == 0 else ["sudo"]
    print("programs: installing from Debian:", *wanted, flush=True)
    # The file by which Debian lets an administrator forbid that packages start their services.
    ours = not POLICY.exists() and not as_root
    if ours:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        with tempfile.TemporaryFile() as log:
            subprocess.run([*as_root, "apt-get", "-qq", "update"], stdout=log, stderr=log)
            done = subprocess.run([*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y",
                                   "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=600", "install",
                                   "--no-install-recommends", *wanted], stdout=log, stderr=log)
            if done.returncode != 0:
                log.seek(0)
                sys.exit("\n".join(log.read().decode(errors="replace").splitlines()[-20:])
                         + f"\napt-get install failed: {' '.join(wanted)}")
    finally:
        if ours:
            POLICY.unlink()
