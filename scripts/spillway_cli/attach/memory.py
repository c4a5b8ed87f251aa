# SPDX-License-Identifier: MIT
"""Another process's memory, read and written without stopping it.

Through /proc/PID/mem, which stands for the address space that the process had when it was opened:
after an exec, or in another process that got the number, nothing is there, while
process_vm_writev() would write into whatever runs now. The kernel opens it to those who may debug
the process: its own user, unless the process is privileged or Yama says otherwise, and root.
"""

import os


class Gone(Exception):
    """The address space is no more: the process has ended, or runs another program."""


class Memory:
    """PermissionError, FileNotFoundError and ProcessLookupError at the start."""

    _file = -1

    def __init__(self, pid):
        self._file = os.open(f"/proc/{pid}/mem", os.O_RDWR | os.O_CLOEXEC)

    def close(self):
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __del__(self):
        self.close()

    def read(self, address, length):
        """`length` bytes at `address`; OSError when not all are there. Gone."""
        found = b""
        while len(found) < length:
            part = os.pread(self._file, length - len(found), address + len(found))
            if not part:
                raise Gone
            found += part
        return found

    def read_up_to(self, address, length):
        """The same, but what is there: empty where nothing is."""
        try:
            return os.pread(self._file, length, address)
        except OSError:
            return b""

    def write(self, address, data):
        """Writes all of `data`, or raises as read() does."""
        if not data:
            return
        done = os.pwrite(self._file, data, address)
        if done == 0:
            raise Gone
        if done < len(data):
            self.write(address + done, data[done:])
