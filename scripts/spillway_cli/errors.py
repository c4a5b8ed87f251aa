# SPDX-License-Identifier: MIT
"""An error whose message is for the user: printed as one line, without a traceback."""


class UserError(Exception):
    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def described(error):
    """One line of an exception, of an OSError with the file's name."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}"


def usage_error(message):
    return UserError(message, status=2)
