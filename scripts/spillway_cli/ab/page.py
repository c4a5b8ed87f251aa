# SPDX-License-Identifier: MIT
"""A comparison as the report that report.html shows: a section for each measure, a row for each program."""

from spillway_cli.ab import measures, table
from spillway_cli.allocators import BASELINE, SUBJECT

from report import model, noise
from report.rows import row

MEMORY = (
    "Resident memory of all processes together, every few milliseconds in one run before the measured "
    "ones, which are not watched. Pages that processes share count once for each; a shorter peak goes "
    "unseen."
)


def content(comparisons, allocators, left_out, machine, settings, made):
    names = [allocator.name for allocator in allocators]
    subject = _subject(names)
    sections = _sections(comparisons, subject)
    curves = [_curve(comparison) for comparison in comparisons]
    curves = [curve for curve in curves if curve.lines]
    if curves:
        sections.append(model.Section("Memory over time", MEMORY, curves=curves))
    if comparisons:
        sections.append(_programs(comparisons, noise.min_difference(settings["noise"])))
    return model.Report(
        title=_title(subject, [name for name in names if name != subject]),
        made=made,
        subject=subject,
        baseline=BASELINE,
        machine=_machine(machine, settings),
        allocators=[(a.name, a.version, str(a.library)) for a in allocators],
        sections=sections,
        warnings=_warnings(comparisons, left_out, settings),
        noise=settings["noise"],
    )


def _subject(names):
    """Spillway; without it the first that is compared with the baseline."""
    others = [name for name in names if name != BASELINE]
    return SUBJECT if SUBJECT in names else (others or names)[0]


def _title(subject, others):
    if not others:
        return subject
    first = f"{', '.join(others[:-1])} and " if len(others) > 1 else ""
    return f"{subject} beside {first}{others[-1]}"


def _sections(comparisons, subject):
    """One for each measure of each program, in the order in which they appear."""
    shown = dict.fromkeys(measure for c in comparisons for measure in measures.all_of(c.program))
    ordered = sorted(shown, key=lambda measure: measure.key == measures.LEFT.key)
    sections = [
        model.Section(
            measure.title, measure.about,
            [made for c in comparisons if measure in measures.all_of(c.program) for made in _rows(c, measure, subject)],
        )
        for measure in ordered
    ]  # fmt: skip
    return [section for section in sections if section.rows]


def _rows(comparison, measure, subject):
    """The program's row of the measure, if it has one."""
    if comparison.failure:
        return []
    values = {r.allocator: measure.values(r) for r in comparison.results.values() if not r.failure}
    # An interruption may have left some allocators with one value more of what is left.
    count = min((len(found) for found in values.values() if found), default=0)
    values = {name: found[:count] for name, found in values.items() if found}
    if not values:
        return []
    program = comparison.program
    return [row(program.name, measure.unit, measure.kind, values, subject, BASELINE,
                about=program.description, higher=measure.higher)]  # fmt: skip


def _curve(comparison):
    lines = {
        result.allocator: [(ms / 1000, kib / 1024) for ms, kib in result.memory]
        for result in comparison.results.values()
        if result.memory and not result.failure and not comparison.failure
    }
    return model.Curve(f"{comparison.program.name}: memory over time", "s", "MiB", lines)


def _programs(comparisons, min_difference):
    notes = []
    for comparison in comparisons:
        notes.append(f"{comparison.program.name}: {comparison.program.description}")
        told = comparison.notes + [note for r in comparison.results.values() for note in r.notes]
        notes += [f"{comparison.program.name}: {note}" for note in told]
    text = "\n\n".join(table.format_comparison(comparison, min_difference) for comparison in comparisons)
    return model.Section("Programs", "What was run.", notes=notes, table=text)


def _machine(machine, settings):
    return [
        ("processor", f"{machine['cpu']}, {machine['cores']} cores"),
        ("memory", f"{machine['memory_bytes'] / 2**30:.0f} GiB"),
        ("kernel", f"Linux {machine['kernel']}"),
        ("system", machine["system"]),
        ("transparent huge pages", machine["transparent_huge_pages"]),
        ("rounds", str(settings["rounds"])),
        ("work of the built-in programs", f"{settings['percent']} %"),
        ("cores that others kept busy", f"{settings['other_load_cores']:.2f}"),
        ("spread of a fixed piece of work", _spread(settings["noise"])),
    ]


def _spread(noise):
    return "not known: too few rounds" if noise is None else f"{100 * noise:.1f} %"


def _warnings(comparisons, left_out, settings):
    lines = []
    if settings["interrupted"]:
        done = [f"{c.program.name} after {c.rounds()} of {settings['rounds']} rounds" for c in comparisons]
        lines.append("interrupted" + (f" in {done[-1]}" if done else ""))
    lines += [f"left out: {reason}" for reason in left_out]
    for comparison in comparisons:
        name = comparison.program.name
        if comparison.failure:
            lines.append(f"{name}: failed: {comparison.failure}")
        lines += [
            f"{name}: {result.allocator} failed: {result.failure}"
            for result in comparison.results.values()
            if result.failure
        ]
    return lines + settings["warnings"]
