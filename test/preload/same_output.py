#!/usr/bin/python3
"""same_output.py LIBRARY SCRIPT: SCRIPT prints the same and ends the same with LIBRARY preloaded as without.

Each run has an empty working directory of its own. A script exits 77 after one line of reason when its program is missing.
"""
import os
import signal
import subprocess
import sys
import tempfile

SKIPPED = 77
SECONDS = 290  # ends a script that hangs; below half of ctest's limit


def environment(preload):
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "USER") if name in os.environ}
    keep.update(LC_ALL="C.UTF-8", TZ="UTC")
    if preload:
        keep["LD_PRELOAD"] = preload
    return keep


def run(command, preload):
    with tempfile.TemporaryDirectory(prefix="spillway-program-") as folder:
        process = subprocess.Popen(command, cwd=folder, env=environment(preload), start_new_session=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        try:
            out, err = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            err += f"\nkilled after {SECONDS} seconds\n".encode()
        return process.returncode, out, err


library, script = os.path.realpath(sys.argv[1]), os.path.realpath(sys.argv[2])
maps = run(["cat", "/proc/self/maps"], library)
if library.encode() not in maps[1]:
    sys.exit(f"{library} is not loaded: {maps[2].decode()}")

plain = run(["/bin/bash", script], None)
if plain[0] == SKIPPED:
    print("skipped:", plain[1].decode().strip())
    sys.exit(SKIPPED)
if plain[0] != 0 or not plain[1]:
    sys.exit(f"without the library: status {plain[0]}\n{plain[1].decode()}{plain[2].decode()}")
preloaded = run(["/bin/bash", script], library)
for name, left, right in zip(("exit status", "standard output", "standard error"), plain, preloaded):
    if left != right:
        show = [value if isinstance(value, int) else value.decode(errors="replace")[-3000:] for value in (left, right)]
        print(f"{name} differs\n--- without the library\n{show[0]}\n--- with it\n{show[1]}")
sys.exit(0 if plain == preloaded else 1)
