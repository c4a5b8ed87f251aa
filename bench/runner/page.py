# SPDX-License-Identifier: MIT
"""A campaign as the page that people look at: report.html."""

import datetime

from report import model
from report.statistics import median_interval
from runner import table, text
from runner.allocators import GLIBC
from runner.goals import YARDSTICKS
from runner.ratios import ratio
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
    rows = [_row(campaign, suite, row, columns, subject, baseline)
            for row, columns in campaign.rows_of(suite.name).items()
            if suite.kind(row, campaign.unit_of(row))]
    return model.Section(
        title=suite.heading.partition(":")[0], about=suite.about, rows=rows,
        curves=suite.curves(campaign.series.get(suite.name, {})),
        table="\n".join(text.suite_rows(campaign, suite.name)), notes=list(suite.notes))


def _row(campaign, suite, row, columns, subject, baseline):
    """Yardsticks are no peers: they are left to the terminal's table."""
    shown = {name: values for name, values in columns.items() if name not in YARDSTICKS}
    unit = campaign.unit_of(row)
    ratios = {}
    if subject in shown:
        ratios = {name: ratio(shown[subject], values)
                  for name, values in shown.items() if name != subject}
    against = {}
    if baseline in shown:
        against = {name: ratio(values, shown[baseline])
                   for name, values in shown.items() if name != baseline}
    return model.Row(row, unit, suite.kind(row, unit),
                     {name: median_interval(values) for name, values in shown.items()},
                     _known(ratios), against_baseline=_known(against))


def _known(ratios):
    return {name: value for name, value in ratios.items() if value is not None}


def _goal(verdict):
    goal, measured, result, at = table.goal_cells(verdict)
    return (verdict.goal.work, goal, measured, result, at)
