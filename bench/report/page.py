# SPDX-License-Identifier: MIT
"""report.html: one file that needs no other, no network and no script; for screen, phone and paper."""

import pathlib

from report import files, plots, tables, words
from report.colours import Colours
from report.tables import escaped

STYLE = pathlib.Path(__file__).with_name("page.css")
METHOD = (
    "A figure is the median of the rounds. Within a round every allocator runs once, so that a slow "
    "moment of the machine does not fall on one of them alone.",
    "Intervals cover 95 % and come from drawing rounds with replacement (bootstrap). Those of ratios "
    "draw pairs from the same round: they can be narrower than the figures' own.",
    "A difference counts when the ratio's interval does not contain 1, and of times, and of metrics of your "
    "own, when it is more than the machine itself varied by. With many rows, one in twenty "
    "without any difference may still look like one.",
    "A geometric mean weighs every row the same; its interval takes rows as independent, but for "
    "those of the same name, such as wall and processor time of one program.",
)


def write(path, report):
    """Writes the page whole or not at all. Without matplotlib it has the tables and says so."""
    files.write(path, page(report))


def page(report):
    return _Page(report).text()


class _Page:
    def __init__(self, report):
        self.report = report
        self.colours = Colours(report.names(), report.subject, report.baseline)
        self.plots = 0
        try:
            plots.load()
            self.no_plots = None
        except plots.NoMatplotlib as error:
            self.no_plots = str(error)

    def text(self):
        report = self.report
        parts = [("summary", "Summary", self._summary())]
        if report.goals:
            parts.append(("goals", "Goals", tables.goals(report)))
        for index, section in enumerate(report.sections):
            parts.append((f"section-{index + 1}", section.title, self._section(section)))
        parts.append(("machine", "Machine and allocators", self._machine()))
        parts.append(("method", "How to read it", _list(METHOD, "notes")))
        contents = "".join(f'<li><a href="#{id_}">{escaped(title)}</a></li>' for id_, title, _ in parts)
        body = "\n".join(
            f'<section aria-labelledby="{id_}"><h2 id="{id_}">{escaped(title)}</h2>\n{content}\n</section>'
            for id_, title, content in parts
        )
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            f"<title>{escaped(report.title)}</title>\n<style>\n{self._style()}</style>\n</head>\n<body>\n"
            f'<header><h1>{escaped(report.title)}</h1>\n<p class="made">made {_made(report.made)}</p>\n'
            f'<nav aria-label="Contents"><ul>{contents}</ul></nav></header>\n'
            f"<main>\n{self._warnings()}{body}\n</main>\n</body>\n</html>\n"
        )

    def _style(self):
        text = STYLE.read_text(encoding="utf-8")
        text = text.replace("LIGHT", self.colours.css(dark=False))
        return text.replace("DARK", self.colours.css(dark=True))

    def _warnings(self):
        lines = list(self.report.warnings)
        if self.no_plots:
            lines.append(self.no_plots)
        if not lines:
            return ""
        return f'<div class="warnings" role="note" aria-label="Warnings">{_list(lines)}</div>\n'

    def _summary(self):
        """Wins and losses, then in words: what speaks against the subject first, beside the plot where
        there is room."""
        said, subject = words.grouped(self.report), self.report.subject
        whole = self._speed_against_memory() + tables.geometric_means(self.report)
        matrix = tables.wins_and_losses(self.report)
        parts = [f"<div>{_list(said.against, 'summary')}</div>", f"<div>{whole}</div>"]
        for title, sentences in (
            ("No difference, or none that can be told", said.unclear),
            (f"Where {subject} is better", said.in_favour),
        ):
            if sentences:
                parts.append(f"<div><h3>{escaped(title)}</h3>\n{_list(sentences, 'summary')}</div>")
        return f'{matrix}\n<div class="pair">\n{"".join(parts)}\n</div>'

    def _speed_against_memory(self):
        if self.no_plots:
            return ""
        plot = plots.speed_against_memory(self.report, self.colours, self._prefix())
        caption = (
            "<strong>Speed against memory</strong>: geometric means over all rows, lower left is better"
        )
        return _figure(caption, plot) if plot else ""

    def _section(self, section):
        parts = [f'<p class="about">{escaped(section.about)}</p>'] if section.about else []
        if not self.no_plots:
            drawn = self._figures(section)
            if drawn:
                parts.append(f'<div class="plots">\n{"".join(drawn)}</div>')
        if section.rows:
            parts.append(tables.figures(self.report, section, self.colours))
        elif not section.curves and section.table is None:
            parts.append("<p>Nothing was measured.</p>")
        if section.notes:
            parts.append(_list(section.notes, "notes"))
        if section.table is not None:
            parts.append(
                f"<details><summary>As the terminal shows it</summary><pre>{escaped(section.table)}</pre>"
                "</details>"
            )
        return "\n".join(parts)

    def _figures(self, section):
        drawn = []
        for rows, of_unit in plots.row_groups(section.rows):
            unit = f", {escaped(rows[0].unit)}" if rows[0].unit else ""
            better = "longer" if rows[0].higher else "shorter"
            caption = f"<strong>{escaped(section.title)}</strong>{unit}: {better} is better"
            drawn.append(_figure(caption, plots.figures(rows, of_unit, self.colours, self._prefix())))
        for curve in section.curves:
            if any(curve.lines.values()):
                caption = f"<strong>{escaped(curve.title)}</strong>"
                drawn.append(_figure(caption, plots.curve(curve, self.colours, self._prefix())))
        return drawn

    def _prefix(self):
        self.plots += 1
        return f"p{self.plots}-"

    def _machine(self):
        report = self.report
        parts = []
        if report.machine:
            parts.append(tables.plain((), report.machine))
        if report.allocators:
            parts.append(tables.plain(("allocator", "version", "file"), report.allocators))
        return "\n".join(parts)


def _figure(caption, plot):
    return f"<figure><figcaption>{caption}</figcaption>\n{plot}</figure>\n"


def _list(lines, kind=""):
    named = f' class="{kind}"' if kind else ""
    return f"<ul{named}>" + "".join(f"<li>{_unbroken(line)}</li>" for line in lines) + "</ul>"


def _unbroken(text):
    """Escaped; a percent sign stays with its number."""
    return escaped(text).replace(" %", "&nbsp;%")


def _made(text):
    shown = text.replace("T", " ").replace("+00:00", " UTC")
    return f'<time datetime="{escaped(text)}">{escaped(shown)}</time>'
