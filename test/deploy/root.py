# SPDX-License-Identifier: MIT
"""A root of the system's own programs in which /etc, /usr/local and the control groups are the test's; programs run in
it by chroot. And memory cgroups, made up or real."""
import atexit
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
CHECKOUT = HERE.parents[1]
DEPLOY = CHECKOUT / "scripts" / "deploy"
LIBRARY = "/usr/local/lib/libspillway.so"  # where the files of scripts/deploy have it
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SKIPPED = 77
HUNG = 1800  # seconds after which a program has failed
INSIDE = "DEPLOY_TEST_INSIDE"
# Shown in the root as they are; what else a system has is not.
FOLDERS = ("bin", "dev", "lib", "lib32", "lib64", "libx32", "proc", "sbin", "sys", "usr")


def enter():
    """The test goes on in a mount namespace of its own. Where there can be none it ends, skipped."""
    if INSIDE in os.environ:
        return
    for options in (["-m"], ["-rm"]):
        if subprocess.run(["unshare", *options, "mount", "-t", "tmpfs", "none", "/tmp"], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            os.environ[INSIDE] = "1"
            os.execvp("unshare", ["unshare", *options, sys.executable, "-B", *sys.argv])
    print("skipped: neither unshare -m nor unshare -rm may mount here")
    sys.exit(SKIPPED)


def noting(program, notes, *, apart="-"):
    """A program that only appends its arguments to the file `notes`; it is `program` where they match `apart`."""
    return f'''#!/bin/sh
case "$*" in
  {apart}) exec {program} "$@" ;;
  *) echo "$@" >>{notes} ;;
esac
'''


def apt_get(notes):
    """Installs nothing; what scripts/setup asks in order to fetch sources is done."""
    return noting("/usr/bin/apt-get", notes, apart='*" -o "*|"indextargets "*')


def write_program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


class Root:
    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="spillway_root_"))
        atexit.register(self._remove)
        mount("-t", "tmpfs", "-o", "mode=755", "none", self.path)
        for name in FOLDERS:
            outside = pathlib.Path("/", name)
            if outside.is_symlink():
                (self / name).symlink_to(os.readlink(outside))
            elif outside.exists():
                (self / name).mkdir()
                mount("--rbind", outside, self / name)
        for name in ("etc", "system_etc", "opt", "run", "tmp"):
            (self / name).mkdir()
        mount("--rbind", "/etc", self / "system_etc")
        for name in set(os.listdir("/etc")) - {"ld.so.preload"}:
            (self / "etc" / name).symlink_to(f"/system_etc/{name}")
        mount("-t", "tmpfs", "-o", "mode=755", "none", self / "usr/local")
        for name in ("bin", "lib", "sbin"):
            (self / "usr/local" / name).mkdir()

    def __truediv__(self, name):
        return self.path / str(name).lstrip("/")

    def _remove(self):
        subprocess.run(["umount", "-l", self.path], check=True)
        self.path.rmdir()

    def show(self, outside, place):
        """A folder from outside, also at `place`."""
        (self / place).mkdir(parents=True, exist_ok=True)
        mount("--bind", outside, self / place)

    def command(self, *words, variables=None, folder="/"):
        """What to run for these words in the root; `variables` are the program's alone."""
        assignments = [f"{name}={value}" for name, value in {"PATH": PATH, **(variables or {})}.items()]
        return ["chroot", self.path, "/usr/bin/env", "-i", "-C", folder, *assignments, *words]

    def run(self, *words, status=0, group=None, **options):
        """Its output and what it says on stderr; another status than expected is an error that shows both."""
        done = subprocess.run(self.command(*words, **options), env={"PATH": PATH}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=HUNG, check=False,
                              preexec_fn=group and group.join)
        if done.returncode != status:
            raise AssertionError(f"{words}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr


def memberships():
    """(controllers, group) of this process; no controllers: version 2."""
    for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines():
        _, controllers, group = line.split(":", 2)
        yield controllers.split(",") if controllers else [], group


def pretend_memory(root, limit):
    """Programs in the root find this limit of memory in the files of their control groups."""
    mount("-t", "tmpfs", "none", root / "sys/fs/cgroup")
    for controllers, group in memberships():
        if controllers == [] or "memory" in controllers:
            folder = root / ("sys/fs/cgroup/memory" if controllers else "sys/fs/cgroup") / group.lstrip("/")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ("memory.limit_in_bytes" if controllers else "memory.max")).write_text(f"{limit}\n")


class MemoryGroup:
    """A memory cgroup with this limit; OSError where none can be made."""

    def __init__(self, limit):
        groups = [one for one in memberships() if one[0] == [] or "memory" in one[0]]
        controllers, group = max(groups, default=([], "/"))  # the first version's, if it has memory
        file = "memory.limit_in_bytes" if controllers else "memory.max"
        top = pathlib.Path("/sys/fs/cgroup/memory" if controllers else "/sys/fs/cgroup")
        above = top / group.lstrip("/")
        if not above.is_dir():  # the container's own group is the top
            above = top
        self.folder = above / f"spillway_test_{os.getpid()}"
        self.folder.mkdir()
        atexit.register(self.folder.rmdir)
        (self.folder / file).write_text(str(limit))
        try:
            subprocess.run(["true"], preexec_fn=self.join, check=True)
        except subprocess.SubprocessError as error:
            raise OSError("its processes can't be moved") from error

    def join(self):
        (self.folder / "cgroup.procs").write_text("0")
