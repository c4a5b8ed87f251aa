# SPDX-License-Identifier: MIT
"""What scripts/bench prints."""

import textwrap

from report import noise, words
from runner import goals, table
from runner.suites import SUITES


def heading(campaign, chosen, left_out):
    context = campaign.context
    rounds = ", ".join(f"{campaign.done.get(suite, 0)} of {suite}" for suite in chosen)
    lines = [f"{context.get('cpu', 'unknown processor')}, {context.get('cores', '?')} cores, "
             f"{context.get('memory_mib', '?')} MiB, Linux {context.get('kernel', '?')}",
             f"huge pages {context.get('thp', '?')}; load {context.get('load', '?')}"]
    lines += textwrap.wrap(f"rounds: {rounds}", table.WIDTH)
    lines += [f"left out: {line}" for line in left_out]
    for line in warnings(campaign):
        lines += textwrap.wrap(line, table.WIDTH, subsequent_indent="  ", break_on_hyphens=False)
    return lines


def warnings(campaign):
    lines = [f"FAILED: {name}, {suite}: {message}"
             for (suite, name), message in campaign.failures.items()]
    if campaign.interrupted:
        lines.append("interrupted: only complete rounds count")
    if campaign.environment:
        set_ = ", ".join(f"{name}={value}" for name, value in campaign.environment.items())
        lines.append(f"allocators read variables that are set here: {set_}")
    min_difference = noise.min_difference(campaign.noise.spread())
    if min_difference:
        lines.append(words.noise_sentence(min_difference))
    return lines


def suite_rows(campaign, suite):
    """The suite's rows as a table; nothing if it found none."""
    rows = campaign.rows_of(suite)
    names = [one.name for one in campaign.allocators if any(one.name in c for c in rows.values())]
    if not names:
        return []
    if suite == "pool":
        lines = table.against_table(rows, goals.SUBJECT, campaign.disturbed, campaign.units,
                                    goals.BASES)
    else:
        lines = table.rows_table(rows, names, campaign.disturbed, campaign.units)
    return "\n".join(lines).rstrip().split("\n")


def report(campaign, chosen, left_out, verdicts):
    lines = heading(campaign, chosen, left_out)
    for suite in chosen:
        rows = suite_rows(campaign, suite)
        if rows:
            lines += ["", SUITES[suite].heading, *rows]
    if campaign.disturbed:
        lines += ["* other programs took a core too often; of threads, the least disturbed",
                  "  repetitions count"]
    if verdicts:
        lines += ["", *table.goals_table(verdicts)]
    if not all(verdict.sure for verdict in verdicts):
        lines += textwrap.wrap("? too close to tell: the rounds, or what is drawn from them at "
                               "random, do not agree. Or they are fewer than three, were mostly "
                               "disturbed (*), or the machine's noise reaches the limit",
                               table.WIDTH)
    return "\n".join(lines)
