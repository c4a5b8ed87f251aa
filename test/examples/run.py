#!/usr/bin/python3 -B
# SPDX-License-Identifier: MIT
"""run.py EXAMPLE PROGRAM PRELOAD: runs an example and checks what it does."""
import os
import pathlib
import re
import select
import socket
import subprocess
import sys
import tempfile

SKIPPED = 77
SECONDS = 60


def run(program, *arguments, preload=None, status=0):
    """What it prints, errors included."""
    variables = {**os.environ, **({"LD_PRELOAD": preload} if preload else {})}
    done = subprocess.run([program, *arguments], env=variables, text=True, check=False, timeout=SECONDS,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # fmt: skip
    if done.returncode == SKIPPED:
        print(f"skipped: {done.stdout.strip()}")
        sys.exit(SKIPPED)
    expect(done.returncode, status, done.stdout)
    return done.stdout


def expect(result, wanted, context=""):
    if result != wanted:
        sys.exit(f"FAILED: {result!r} instead of {wanted!r} {context}")


def buffer_pool(program, _):
    expect(run(program), "ell\n")


def preloaded(program, preload):
    expect(run(program), "without Spillway\n")
    expect(run(program, preload=preload), "with Spillway, which holds the block\n")


def override(program, _):
    expect(bool(re.fullmatch(r"version \d+, purged\n", run(program))), True)


def tenants(program, preload):
    expect(run(program), "a long report\n")
    said = run(program, preload=preload)
    expect(bool(re.fullmatch(r"tenant 1: 3\d{6} bytes, limit 1048576\na long report\n", said)), True, said)


def receive(client, count):
    received = b""
    while len(received) < count:
        part = client.recv(65536)
        if not part:
            break
        received += part
    return received


def echo_server(program, _):
    run(program, "0", status=2)
    run(program, "1", "2", status=2)
    server = subprocess.Popen([program, "11"], stdout=subprocess.PIPE, text=True)
    try:
        if not select.select([server.stdout], [], [], SECONDS)[0]:
            sys.exit("FAILED: no port")
        port = int(server.stdout.readline().split()[1])

        def connect():
            client = socket.create_connection(("127.0.0.1", port), SECONDS)
            client.settimeout(SECONDS)
            return client

        with connect() as one, connect() as other:
            for text in (b"hello", b"x" * 100_000, os.urandom(7)):
                for client in (one, other):
                    client.sendall(text)
                    expect(receive(client, len(text)) == text, True, text[:10])
        # Clients that send and don't read: each holds a buffer, the ninth is refused.
        clients = [connect() for _ in range(9)]
        for client in clients:
            client.setblocking(False)
            sent_all = 0
            try:
                while True:
                    sent = client.send(b"y" * 65536)
                    sent_all += sent
                    # The kernel's own buffers are full when nothing was taken for a moment.
                    if not select.select([], [client], [], 0.2)[1]:
                        break
            except (BlockingIOError, ConnectionError):
                pass
            expect(sent_all > 0, True)
        for client in clients:
            client.close()
        said = server.communicate(timeout=SECONDS)[0]
    finally:
        server.kill()
        server.wait()
    expect(server.returncode, 0)
    expect(said.count("closing a connection: exhausted\n"), 1, said)
    counted = re.search(r"(\d+) buffers taken, (\d+) of them again, (\d+) bytes held", said)
    taken, again, held = map(int, counted.groups())
    expect(taken > 12 and taken - again <= 8 and held == 0, True, said)


def uring_copy(program, _):
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "from", pathlib.Path(folder) / "to"
        for size in (0, 1, 65536, 3_000_001):
            content = os.urandom(size)
            source.write_bytes(content)
            expect(run(program, source, target), "")
            expect(target.read_bytes() == content, True, size)
        run(program, status=2)
        missing = run(program, f"{folder}/missing", target, status=1)
        expect(missing, f"uring_copy: {folder}/missing: No such file or directory\n")
        expect(target.read_bytes() == content, True, "after a copy of nothing")
        same = run(program, source, source, status=1)
        expect(same, f"uring_copy: {source} and {source} are the same file\n")
        expect(source.read_bytes() == content, True, "copied to itself")
        # A file that says it has a page and has a line.
        short = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")
        if short.exists():
            expect(run(program, short, target, status=1), "uring_copy: read: the file ended early\n")
        if pathlib.Path("/dev/full").exists():
            expect(run(program, source, "/dev/full", status=1), "uring_copy: write: No space left on device\n")


EXAMPLES = {
    "buffer_pool": buffer_pool,
    "buffer_pool_c": buffer_pool,
    "echo_server": echo_server,
    "override": override,
    "preloaded": preloaded,
    "tenants": tenants,
    "uring_copy": uring_copy,
}

if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in EXAMPLES:
        sys.exit(__doc__)
    EXAMPLES[sys.argv[1]](sys.argv[2], sys.argv[3])
