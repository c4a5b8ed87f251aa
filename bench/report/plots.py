# SPDX-License-Identifier: MIT
"""The page's plots, as SVG elements; the only module that draws. matplotlib is loaded at the first one.

Each is 400 units wide with text of 11 and 12: readable at the width of a phone.
"""

from report import means, svg
from report.colours import GRID, PAPER, TEXT
from report.numbers import number, tick

WIDTH = 400.0
SMALL, MIDDLE = 11.0, 12.0  # font sizes
MAX_LABELLED = 4  # rows of one plot with a labelled bar for each allocator
MAX_BARS = 16  # rows of one unit that get such bars; more get marks
MAX_ROWS = 24  # rows of one plot
MARKS_ON_CURVE = 6
LOG_RANGE = 100.0  # a log scale where values differ by more


class NoMatplotlib(Exception):
    pass


def load():
    """Raises NoMatplotlib where it is missing."""
    try:
        import matplotlib  # noqa: F401
        import matplotlib.backends.backend_svg  # noqa: F401
    except ImportError as error:
        raise NoMatplotlib("plots are left out: they take Debian's package python3-matplotlib") from error


def row_groups(rows):
    """[(rows of one plot, all rows of that unit, which share its scale)]"""
    by_unit = {}
    for row in rows:
        if any(figure.value > 0 for figure in row.figures.values()):
            by_unit.setdefault(row.unit, []).append(row)
    groups = []
    for group in by_unit.values():
        most = MAX_ROWS if _compact(group) else MAX_LABELLED
        plots = -(-len(group) // most)
        size = -(-len(group) // plots)
        groups += [(group[i : i + size], group) for i in range(0, len(group), size)]
    return groups


def figures(rows, of_unit, colours, prefix):
    """Medians and intervals of rows of one unit: bars, or marks where a bar has no meaning or no room."""
    label = f"{', '.join(row.name for row in rows)}: medians and intervals, {rows[0].unit}".strip(", ")
    plot = (_marks if _compact(of_unit) else _bars)(rows, of_unit, colours)
    return svg.render(plot, colours.variables(), prefix, label + ". The table has the figures.")


def _values(rows):
    return [f.value for row in rows for f in row.figures.values() if f.value > 0]


def _is_log(rows):
    values = _values(rows)
    return max(values) >= LOG_RANGE * min(values)


def _compact(rows):
    return len(rows) > MAX_BARS or _is_log(rows)


def _canvas(height, left, right, top, bottom):
    """(figure, axes) in points; the margins are outside the axes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH / 72, height / 72), dpi=72)
    figure.patch.set_visible(False)
    box = (left / WIDTH, bottom / height, (WIDTH - left - right) / WIDTH, (height - top - bottom) / height)
    axes = figure.add_axes(box)
    axes.patch.set_visible(False)
    for side, spine in axes.spines.items():
        spine.set_visible(side == "bottom")
        spine.set_color(GRID)
    axes.tick_params(colors=TEXT, labelsize=SMALL, length=0)
    axes.set_axisbelow(True)
    return figure, axes


def _x_scale(axes, log):
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

    if log:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=7))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.grid(True, axis="x", color=GRID, linewidth=0.7)


def _bars(rows, of_unit, colours):
    """Under each row's name a bar for each allocator, with its name and value."""
    step, heading, gap = 15.0, 17.0, 7.0  # points
    names = [[name for name in colours.looks if name in row.figures] for row in rows]
    height = sum(heading + step * len(of_row) + gap for of_row in names)
    left = 8 + 6.3 * max(len(name) for of_row in names for name in of_row)
    figure, axes = _canvas(height + 34, left, 8, 4, 30)
    most = max(f.high or f.value for row in of_unit for f in row.figures.values())
    axes.set_xlim(0, most * 1.22 or 1)
    axes.set_ylim(height, 0)
    y = 0.0
    for row, of_row in zip(rows, names):
        axes.annotate(row.name, (0, y + heading - 4), xycoords=("axes fraction", "data"),
                      xytext=(4 - left, 0), textcoords="offset points",
                      fontsize=MIDDLE, fontweight="bold", color=TEXT)  # fmt: skip
        y += heading
        for name in of_row:
            _bar(axes, y + step / 2, row.figures[name], name, colours.looks[name], step)
            y += step
        y += gap
    axes.set_yticks([])
    _x_scale(axes, False)
    axes.set_xlabel(rows[0].unit, fontsize=SMALL, color=TEXT)
    return figure


def _bar(axes, y, figure, name, look, step):
    weight = "bold" if look.strong else "normal"
    axes.barh(y, figure.value, height=step * 0.68, color=look.colour)
    if figure.low is not None and figure.high - figure.low > 0.006 * axes.get_xlim()[1]:
        ends = [figure.low, figure.high]
        axes.plot(ends, [y, y], color=PAPER, linewidth=3.2, solid_capstyle="butt")
        axes.plot(ends, [y, y], color=TEXT, linewidth=1.4, solid_capstyle="butt")
    axes.annotate(name, (0, y), xytext=(-5, 0), textcoords="offset points", ha="right",
                  va="center_baseline", fontsize=SMALL, color=TEXT, fontweight=weight)  # fmt: skip
    axes.annotate(number(figure.value), (max(figure.value, figure.high or 0), y), xytext=(5, 0),
                  textcoords="offset points", va="center_baseline", fontsize=SMALL, color=TEXT,
                  fontweight=weight)  # fmt: skip


def _marks(rows, of_unit, colours):
    """One line for each row with a mark for each allocator."""
    step = 20.0
    left = 12 + 6.2 * min(30, max(len(row.name) for row in rows))
    names = [name for name in colours.looks if any(name in row.figures for row in rows)]
    top = 8 + 16 * _legend_lines(names)
    figure, axes = _canvas(step * len(rows) + 34 + top, left, 10, top, 34)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    for y, row in enumerate(rows):
        axes.axhline(y, color=GRID, linewidth=0.7)
        for name in sorted(row.figures, key=lambda name: colours.looks[name].strong):
            _mark(axes, y, row.figures[name], colours.looks[name])
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    log, values = _is_log(of_unit), _values(of_unit)
    _x_scale(axes, log)
    axes.set_xlim(*((min(values) / 1.3, max(values) * 1.3) if log else (0, max(values) * 1.05)))
    axes.set_xlabel(rows[0].unit, fontsize=SMALL, color=TEXT)
    _legend(figure, axes, names, colours, lines=False)
    return figure


def _mark(axes, y, figure, look):
    if figure.value <= 0 and axes.get_xscale() == "log":
        return
    if figure.low is not None and figure.low > 0:
        axes.plot([figure.low, figure.high], [y, y], color=look.colour, linewidth=1.5)
    axes.plot([figure.value], [y], **_point(look))


def _point(look):
    size = 7.5 if look.strong else 9.0 if look.mark == "|" else 5.5
    edge = look.colour if look.mark == "|" else PAPER
    return {"marker": look.mark, "markersize": size, "color": look.colour, "linestyle": "none",
            "markeredgecolor": edge, "markeredgewidth": 2.0 if look.mark == "|" else 0.7}  # fmt: skip


def _line(look):
    return _point(look) | {"linestyle": "solid", "linewidth": 2.2 if look.strong else 1.3}


def _legend_lines(names):
    return -(-len(names) // 4)


def _legend(figure, axes, names, colours, lines):
    from matplotlib.lines import Line2D

    style = _line if lines else _point
    handles = [Line2D([], [], label=name, **style(colours.looks[name])) for name in names]
    columns = -(-len(names) // _legend_lines(names))
    legend = figure.legend(
        handles=handles, loc="upper left", ncol=columns, fontsize=SMALL, frameon=False, labelcolor=TEXT,
        borderpad=0.1, borderaxespad=0.2, handlelength=2.0, columnspacing=1.4, handletextpad=0.5,
        labelspacing=0.3,
    )  # fmt: skip
    for text in legend.get_texts():
        if colours.looks[text.get_text()].strong:
            text.set_fontweight("bold")


def curve(curve, colours, prefix):
    """Lines, one for each allocator; the subject's on top."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    names = [name for name in colours.looks if curve.lines.get(name)]
    top = 8 + 16 * _legend_lines(names)
    figure, axes = _canvas(230 + top, 52, 12, top, 36)
    for name in sorted(names, key=lambda name: colours.looks[name].strong):
        points = curve.lines[name]
        every = max(1, len(points) // MARKS_ON_CURVE)
        axes.plot(*zip(*points), solid_joinstyle="round", markevery=(every // 2, every),
                  **_line(colours.looks[name]))  # fmt: skip
    _x_scale(axes, curve.x_log)
    if curve.y_log:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_locator(MaxNLocator(5))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axes.yaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.margins(x=0.01)
    axes.set_xlabel(curve.x_label, fontsize=SMALL, color=TEXT)
    axes.set_ylabel(curve.y_label, fontsize=SMALL, color=TEXT)
    _legend(figure, axes, names, colours, lines=True)
    label = f"{curve.title}: {curve.y_label} over {curve.x_label}, of {', '.join(names)}"
    return svg.render(figure, colours.variables(), prefix, label)


def speed_against_memory(report, colours, prefix):
    """Geometric means to the baseline's; None when there are not both times and memory of two."""
    times, sizes = means.to_baseline(report, "time"), means.to_baseline(report, "memory")
    names = [name for name in colours.looks if name in times and name in sizes]
    if len(names) < 2:
        return None
    figure, axes = _canvas(320, 56, 16, 12, 40)
    points = {name: (times[name][0], sizes[name][0]) for name in names}
    for name in sorted(names, key=lambda name: colours.looks[name].strong):
        x, y, look = *points[name], colours.looks[name]
        if x.low is not None:
            axes.plot([x.low, x.high], [y.value] * 2, color=look.colour, linewidth=1.3)
        if y.low is not None:
            axes.plot([x.value] * 2, [y.low, y.high], color=look.colour, linewidth=1.3)
        point = _point(look)
        axes.plot([x.value], [y.value], **point | {"markersize": point["markersize"] * 1.3})
    _ratio_scale(axes.xaxis, axes.set_xlim, [x for x, _ in points.values()])
    _ratio_scale(axes.yaxis, axes.set_ylim, [y for _, y in points.values()])
    axes.grid(True, color=GRID, linewidth=0.7)
    axes.axvline(1, color=TEXT, linewidth=0.8, dashes=(2, 3))
    axes.axhline(1, color=TEXT, linewidth=0.8, dashes=(2, 3))
    axes.set_xlabel(f"time, {report.baseline} is 1 (left is faster)", fontsize=SMALL, color=TEXT)
    axes.set_ylabel(f"memory, {report.baseline} is 1 (down is smaller)", fontsize=SMALL, color=TEXT)
    _name_points(axes, {name: (x.value, y.value) for name, (x, y) in points.items()}, colours)
    parts = [f"{n} {number(x.value)} and {number(y.value)}" for n, (x, y) in points.items()]
    label = f"Time and memory, geometric means against {report.baseline}: {', '.join(parts)}"
    return svg.render(figure, colours.variables(), prefix, label)


def _ratio_scale(axis, set_limits, ratios):
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    low = min(min(ratio.low or ratio.value for ratio in ratios), 1.0)
    high = max(max(ratio.high or ratio.value for ratio in ratios), 1.0)
    room = max(0.12 * (high - low), 0.02)
    set_limits(max(0.0, low - room), high + 1.6 * room)
    axis.set_major_locator(MaxNLocator(5))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))


def _name_points(axes, points, colours):
    """Each name beside its point, where it covers no other name and no point, if there is such a place."""
    taken = []
    at = {name: axes.transData.transform(point) for name, point in points.items()}
    for x, y in at.values():
        taken.append((x - 6, y - 6, x + 6, y + 6))
    places = ((9, 8, "left"), (-9, 8, "right"), (9, -14, "left"), (-9, -14, "right"),
              (9, 20, "left"), (9, -26, "left"), (-9, 20, "right"), (-9, -26, "right"))  # fmt: skip
    frame = axes.bbox
    for name, (x, y) in at.items():
        width = 7.0 * len(name)
        best = None
        for dx, dy, side in places:
            begin = x + dx if side == "left" else x + dx - width
            box = (begin, y + dy - 2, begin + width, y + dy + 10)
            cost = sum(_overlap(box, other) for other in taken)
            cost += 1e3 * (box[0] < frame.x0 or box[2] > frame.x1 or box[1] < frame.y0 or box[3] > frame.y1)
            if best is None or cost < best[0]:
                best = (cost, dx, dy, side, box)
        _, dx, dy, side, box = best
        taken.append(box)
        look = colours.looks[name]
        axes.annotate(name, points[name], xytext=(dx, dy), textcoords="offset points", ha=side,
                      fontsize=MIDDLE, color=look.colour,
                      fontweight="bold" if look.strong else "normal")  # fmt: skip


def _overlap(a, b):
    return max(0, min(a[2], b[2]) - max(a[0], b[0])) * max(0, min(a[3], b[3]) - max(a[1], b[1]))
