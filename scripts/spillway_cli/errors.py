# SPDX-License-Identifier: MIT
"""An error whose message is for the user: printed as one line, without a traceback."""


class UserError(Exception):
    def __init__(self, message, status=1):
        super().__init__(message)
        self.status = status


def usage_error(message):
    return UserError(message, status=2)
