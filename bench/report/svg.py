# SPDX-License-Identifier: MIT
"""A matplotlib figure as an SVG element inside an HTML page: no names that clash, the page's colours.

Text stays text, in the page's fonts, and scales and can be searched with it.
"""

import html
import io
import re

SALT = "report"  # the same figure gives the same bytes


def render(figure, variables, prefix, label):
    """`prefix` is unique on the page, `label` says the figure to who can't see it."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": SALT}):
        FigureCanvasSVG(figure).print_svg(buffer, metadata={"Date": None})
    return _embedded(buffer.getvalue(), variables, prefix, label)


def _embedded(text, variables, prefix, label):
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->|<style.*?</style>", "", text, flags=re.S)
    text = text.replace("xlink:href=", "href=")
    box = re.search(r'viewBox="([^"]*)"', text[: text.index(">")]).group(1)
    width, height = box.split()[2:]
    head = (
        f'<svg viewBox="{box}" width="{width}" height="{height}" role="img" '
        f'aria-label="{html.escape(label)}">'
    )
    text = head + text[text.index(">") + 1 :]
    for stand_in, variable in variables.items():
        text = text.replace(stand_in, variable)
    text = _ids(text, prefix)
    text = re.sub(r'font: ([^;"]*?)(\d[\d.]*px)[^;"]*', _font, text)
    text = re.sub(r"<[^>]+>", lambda tag: re.sub(r"\d+\.\d{2,}", _shorter, tag.group()), text)
    return re.sub(r"\s*\n\s*", "\n", text).strip()


def _ids(text, prefix):
    """Keeps the ids that something refers to, each with the prefix; drops the others."""
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))

    def renamed(found):
        return f' id="{prefix}{found.group(1)}"' if found.group(1) in used else ""

    text = re.sub(r'\sid="([^"]*)"', renamed, text)
    return re.sub(r'(href="#|url\(#)', lambda found: found.group(1) + prefix, text)


def _shorter(found):
    """A length with one decimal: a tenth of a point is enough."""
    return f"{float(found.group()):.1f}".removesuffix(".0")


def _font(found):
    """The size and weight; the family is the page's."""
    weight = "font-weight: 700; " if re.search(r"\b(700|bold)\b", found.group(1)) else ""
    return f"{weight}font-size: {found.group(2)}"
