# SPDX-License-Identifier: MIT
"""A terminal of a given size that a program runs in: tmux, with a server of its own."""
import os
import subprocess
import time

HANG_SECONDS = 120  # ends what hangs; nothing is judged by it


class Terminal:
    """Runs `command` by a shell; use it as a context manager."""

    def __init__(self, command, width, height):
        self.name = f"spillway-test-{os.getpid()}-{id(self)}"
        environment = dict(os.environ, LANG="C.UTF-8", LC_ALL="C.UTF-8")
        environment.pop("TMUX", None)
        subprocess.run(
            ["tmux", "-L", self.name, "-f", "/dev/null", "new-session", "-d", "-x", str(width), "-y", str(height),
             f"{command}; echo status $?; stty -a | grep -o ' echo '; exec cat"],
            env=environment, check=True, timeout=HANG_SECONDS)  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["tmux", "-L", self.name, "kill-server"], check=False, timeout=HANG_SECONDS)

    def _tmux(self, *arguments):
        return subprocess.run(
            ["tmux", "-L", self.name, *arguments], check=True, capture_output=True, text=True, timeout=HANG_SECONDS
        ).stdout  # fmt: skip

    def lines(self):
        return self._tmux("capture-pane", "-p").split("\n")[:-1]

    def press(self, *keys):
        self._tmux("send-keys", *keys)

    def resize(self, width, height):
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def wait_for(self, *texts, without=()):
        """The lines as soon as all of `texts` and none of `without` are among them."""

        def is_there(shown):
            return all(text in shown for text in texts) and not any(text in shown for text in without)

        return self.wait_until(is_there, f"{texts} without {without}")

    def wait_until(self, is_there, what):
        """The lines as soon as `is_there` holds for their text."""
        end = time.monotonic() + HANG_SECONDS
        while True:
            lines = self.lines()
            shown = "\n".join(lines)
            if is_there(shown):
                return lines
            if time.monotonic() > end:
                raise AssertionError(f"never came: {what}; there is\n{shown}")
            time.sleep(0.05)
