# SPDX-License-Identifier: MIT
"""`spillway goals`: holds a report.json of `spillway ab` against what Spillway has to reach in programs.

Each goal is a ratio of medians of one report: of the subject's figure to the best of some peers'.
"""

import dataclasses
import math
import pathlib
import statistics
import sys

from spillway_cli import paths
from spillway_cli.ab import saved
from spillway_cli.allocators import BASELINE, SUBJECT, SUBJECT_OFF
from spillway_cli.errors import usage_error

from report import noise

RIVALS = ("mimalloc", "jemalloc", "tcmalloc")
PEERS = (BASELINE, *RIVALS)
OFF = (SUBJECT_OFF,)
OFF_LIMIT = 1.02  # of each figure with the pool to that without it
FAILED = "failed!"
HIDDEN = "~"  # marks what noise hides
TIMES = ("cpu",)  # the fields that a noisy machine changes
NAME, CELL, HEADING = 10, 10, 12  # columns


@dataclasses.dataclass(frozen=True)
class Goal:
    field: str  # of FIGURES
    heading: str
    others: tuple
    limit: float  # of the subject's figure to the best of the others'
    share: float = 1.0  # of the programs that have to be within it
    mean: bool = True  # whether the geometric mean has to be below each one of the others'

    def told_from(self, min_difference, limit=None):
        """The ratio above which the limit, or this one, is plainly exceeded; of noise.min_difference()."""
        limit = self.limit if limit is None else limit
        return max(limit, 1 + min_difference) if self.field in TIMES else limit


GOALS = (
    Goal("cpu", "CPU", PEERS, 1.02),
    Goal("peak", "peak", RIVALS, 1.05),
    Goal("faults", "faults", RIVALS, 1.0, share=5 / 7, mean=False),
    Goal("left", "left", PEERS, 1.0, mean=False),
    Goal("cpu", "CPU/off", OFF, OFF_LIMIT, mean=False),
    Goal("peak", "peak/off", OFF, OFF_LIMIT, mean=False),
    Goal("faults", "faults/off", OFF, OFF_LIMIT, mean=False),
)

# What is read of a result, as a list with a value per round.
FIGURES = {
    "cpu": lambda result: [sample["cpu"] for sample in result["samples"]],
    "peak": lambda result: [sample["peak_rss"] for sample in result["samples"]],
    "faults": lambda result: [sample["minor_faults"] for sample in result["samples"]],
    "left": lambda result: result.get("left_bytes", []),
}


def add_parser(subparsers):
    parser = subparsers.add_parser(
        "goals",
        help="hold a report of `ab` against what Spillway has to reach in programs",
        description="Judges each program of a report.json of `spillway ab` by ratios. Processor time is "
        "compared with the fastest peer's. Peak memory and page faults are compared with the best of "
        "mimalloc, jemalloc and tcmalloc. What a server holds after its load is compared with the best of all. "
        f"Each figure is compared with that of {SUBJECT_OFF}, too, if the report has it. A program that "
        "fails under Spillway misses each goal that a peer has a figure for.",
        epilog="exit status: 0; 1 when a goal is missed; 2 for a wrong command line, or no report.",
    )
    parser.add_argument(
        "report", metavar="REPORT", nargs="?", type=pathlib.Path, default=paths.reports() / "report.json",
        help="(that of the last `ab`)",
    )  # fmt: skip
    parser.add_argument("--subject", metavar="NAME", default=SUBJECT, help=f"another allocator ({SUBJECT})")
    parser.set_defaults(handler=handle)


def handle(arguments):
    programs, spread, warnings = read(arguments.report)
    if not any(arguments.subject in medians for medians in programs.values()):
        raise usage_error(f"goals: {arguments.report} has no figures of {arguments.subject}")
    lines, missed = judge(programs, arguments.subject, noise.min_difference(spread))
    print("\n".join(lines))
    for warning in warnings:
        print(f"spillway: {warning}", file=sys.stderr)
    return int(missed)


def read(path):
    """(program -> allocator -> figure -> median, the machine's noise or None, warnings); what failed, or was
    not measured, is not in the first."""
    report = saved.load(path, "goals")
    try:
        settings = report.get("settings", {})
        programs = {program["name"]: _medians(program) for program in report["programs"]}
        return programs, settings.get("noise"), settings.get("warnings", [])
    except (LookupError, TypeError, AttributeError):
        raise saved.no_report(path, "goals") from None


def _medians(program):
    found = {}
    for result in program["results"]:
        values = {name: of_result(result) for name, of_result in FIGURES.items()}
        if result["samples"] and not result["failure"] and not program["failure"]:
            found[result["allocator"]] = {n: statistics.median(v) for n, v in values.items() if v}
    return found


def judge(programs, subject, min_difference=0.0):
    """(lines to print, whether a goal is missed). Differences in time up to `min_difference` can't be told: a goal
    within that is neither met nor missed."""
    goals = [goal for goal in GOALS if any(_ratio(goal, medians, subject) for medians in programs.values())]
    lines = [f"{'':{NAME}}" + "".join(f"{goal.heading:<{CELL}}" for goal in goals)]
    lines += [f"{'at most':{NAME}}" + "".join(f"{goal.limit:<{CELL}g}" for goal in goals), ""]
    for name, medians in programs.items():
        cells = (_cell(goal, _ratio(goal, medians, subject), min_difference) for goal in goals)
        lines.append(f"{name:{NAME}}" + "".join(f"{cell:<{CELL}}" for cell in cells))
    lines += ["", "x: ratio to the best of them, whose name begins so; ! is a goal missed"]
    if any(FAILED in line for line in lines):
        lines.append(f"{FAILED} no figure of {subject}, one of the others")
    if any(HIDDEN in line for line in lines):
        lines.append(f"{HIDDEN} above the goal, by no more than the machine itself varied by")
    lines.append("")
    missed = False
    for goal in goals:
        ratios = [ratio for medians in programs.values() if (ratio := _ratio(goal, medians, subject))]
        within = sum(ratio <= goal.limit for ratio, _ in ratios)
        hidden = sum(goal.limit < ratio <= goal.told_from(min_difference) for ratio, _ in ratios)
        wanted = round(goal.share * len(ratios))
        too_few = within + hidden < wanted or any(math.isinf(ratio) for ratio, _ in ratios)
        missed |= too_few
        lines.append(f"{goal.heading + ':':{HEADING}}{within} of {len(ratios)} within {goal.limit:g}, wanted {wanted}"
                     + (f", {hidden} hidden by noise" if hidden else "") + (" !" if too_few else ""))  # fmt: skip
        means = {other: _mean(goal, programs, subject, other) for other in goal.others}
        means = {other: mean for other, mean in means.items() if mean}
        too_high = goal.mean and any(mean >= goal.told_from(min_difference, 1.0) for mean in means.values())
        missed |= too_high
        listed = ", ".join(f"{mean:.3f} x {other}" for other, mean in means.items())
        lines.append(f"{'':{HEADING}}geometric mean {listed}" + (" !" if too_high else ""))
    return [line.rstrip() for line in lines], missed


def _ratio(goal, medians, subject):
    """(the subject's figure to the best of the others', whose it is); None without one of theirs.

    Infinite without the subject's: the program failed under it.
    """
    own = medians.get(subject, {}).get(goal.field, math.inf)
    others = {o: medians[o][goal.field] for o in goal.others if goal.field in medians.get(o, {})}
    if not others:
        return None
    best = min(others, key=others.get)
    return own / max(others[best], 1e-9), best


def _cell(goal, ratio, min_difference):
    if ratio is None:
        return "-"
    value, best = ratio
    if math.isinf(value):
        return FAILED
    mark = "!" if value > goal.told_from(min_difference) else HIDDEN if value > goal.limit else " "
    return f"{value:.2f}{mark}" + ("" if goal.others == OFF else best[:2])


def _mean(goal, programs, subject, other):
    """Over the programs that have both; None without any."""
    alone = dataclasses.replace(goal, others=(other,))
    found = [ratio[0] for medians in programs.values() if (ratio := _ratio(alone, medians, subject))]
    ratios = [ratio for ratio in found if math.isfinite(ratio)]
    return statistics.geometric_mean(ratios) if ratios and min(ratios) > 0 else None
