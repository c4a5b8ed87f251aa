# SPDX-License-Identifier: MIT
"""A campaign as the page that people look at: report.html."""

import datetime

from report import model
from report.rows import row
from runner import table, text
from runner.allocators import GLIBC
from runner.goals import YARDSTICKS
from runner.suites import SUITES


def content(campaign, chosen, left_out, verdicts, subject, title):
    baseline = GLIBC if any(one.name == GLIBC for one in campaign.allocators) else subject
    machine = [(name.replace("_", " "), value) for name, value in campaign.context.items()
               if name not in ("allocator", "malloc_from")]
    machine += [(f"rounds of {suite}", str(count)) for suite, count in campaign.done.items()]
    return model.Report(
        title=title,
        made=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        subject=subject,
        baseline=baseline,
        machine=machine,
        allocators=[(one.name, one.version, str(one.library or "the C library"))
                    for one in campaign.allocators],
        sections=[_section(campaign, SUITES[suite], subject, baseline) for suite in chosen
                  if campaign.rows_of(suite)],
        warnings=[f"left out: {line}" for line in left_out] + text.warnings(campaign),
        goals=[_goal(verdict) for verdict in verdicts] or None,
        noise=campaign.noise.spread(),
    )


def _section(campaign, suite, subject, baseline):
    rows = [_row(campaign, suite, name, columns, subject, baseline)
            for name, columns in campaign.rows_of(suite.name).items()
            if suite.kind(name, campaign.unit_of(name))]
    return model.Section(
        title=suite.heading.partition(":")[0], about=suite.about, rows=rows,
        curves=suite.curves(campaign.series.get(suite.name, {})),
        table="\n".join(text.suite_rows(campaign, suite.name)), notes=list(suite.notes))


def _row(campaign, suite, name, columns, subject, baseline):
    """Yardsticks are no peers: they are left to the terminal's table."""
    shown = {one: values for one, values in columns.items() if one not in YARDSTICKS}
    unit = campaign.unit_of(name)
    return row(name, unit, suite.kind(name, unit), shown, subject, baseline)


def _goal(verdict):
    goal, measured, result, at = table.goal_cells(verdict)
    return (verdict.goal.work, goal, measured, result, at)
