# SPDX-License-Identifier: MIT
"""The doctor's report, section by section: for a terminal or as JSON; and the exit status."""

import json

from spillway_cli.doctor import page


class Report:
    """Printed as it grows, or at its end as JSON."""

    def __init__(self, is_json):
        self._is_json = is_json
        self._columns = page.width()
        self._sections = {}
        self._heap = self._requests = self._verdict = None

    def add(self, title, findings):
        self._sections[title] = findings
        self._print(page.section(title, findings, self._columns))

    def add_requests(self, heap, requests):
        self._heap, self._requests = heap, requests
        self._print(page.table(requests))

    def conclude(self, found):
        """Not where there is a problem: that is the answer then."""
        if self.has_no_problem():
            self._verdict = found
            self._print(page.conclusion(found, self._columns))

    def has_no_problem(self):
        return all(one.mark != "problem" for findings in self._sections.values() for one in findings)

    def end(self):
        status = 0 if self.has_no_problem() else 1
        if self._is_json:
            found = page.as_json(self._sections, self._requests, self._heap, self._verdict, status)
            print(json.dumps(found, indent=2))
        return status

    def _print(self, lines):
        if not self._is_json:
            print("\n".join(lines), flush=True)
