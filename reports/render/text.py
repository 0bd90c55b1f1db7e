"""A page as plain text: what watches, screen readers and spam filters read, so it says all that the HTML says.

Tables stand in columns of a fixed-width font. A row is at most 100 columns wide; what does not fit beside
the first columns is left out, and a sentence says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

from reports.model import Artifact, Page
from reports.render import html
from reports.render.tables import ELLIPSIS, Room, WrittenTable, width
from reports.render.views import Part, WrittenChart, WrittenFigures, write

WIDTH = 100
_GAP = "  "
_ROOM = Room(rows=100, columns=24, figures=100, parts=100, chars=500)
_CELL = 32


def render(
    page: Page, images: Sequence[Artifact] = (), *, template: str = "report.txt.j2", folders: Sequence[Path]
) -> str:
    """The plain-text part of the mail; charts are told in their pictures' alternative texts."""
    view = write(page, images, room=_ROOM)
    parts = [_fitting(part) if isinstance(part, WrittenTable) else part for part in view.parts]
    return html.fill(html.environment(folders, _FILTERS), template, replace(view, parts=parts))


def check_template(folders: Sequence[Path], *, template: str = "report.txt.j2") -> None:
    """Read the template of the plain text, without a page; a JobError names what is wrong in it."""
    html.check_template(template, folders, filters=_FILTERS)


def lines(part: Part) -> list[str]:
    """A part of the page in lines, without its title."""
    if isinstance(part, WrittenTable):
        return _table(part)
    if isinstance(part, WrittenFigures):
        return _figures(part)
    if isinstance(part, WrittenChart):
        return [f"[Chart] {_one_line(part.alt)}"]
    indent = "    " if part.as_is else ""
    return [f"{indent}{line}".rstrip() for line in "\n\n".join(part.paragraphs).splitlines()]


def _figures(part: WrittenFigures) -> list[str]:
    labels = [_one_line(figure.label) for figure in part.figures]
    values = [_one_line(figure.value) for figure in part.figures]
    left, right = _widest(labels), _widest(values)
    return [
        f"{_padded(label, left)}{_GAP}{_padded(value, right, to_right=True)}{_GAP}{_one_line(figure.note)}".rstrip()
        for label, value, figure in zip(labels, values, part.figures, strict=True)
    ]


def _table(part: WrittenTable) -> list[str]:
    rows = _cells(part)
    if not rows[0]:
        return []
    widths = [_widest(column) for column in zip(*rows, strict=True)]
    written = [_line(row, widths, part) for row in rows]
    rule = _GAP.join("-" * width for width in widths)
    foot = [rule, written[-1]] if part.totals else []
    return [written[0], rule, *written[1 : 1 + len(part.rows)], *foot]


def _line(row: Sequence[str], widths: Sequence[int], part: WrittenTable) -> str:
    cells = zip(row, widths, part.headings, strict=True)
    return _GAP.join(_padded(cell, wide, to_right=heading.numeric) for cell, wide, heading in cells).rstrip()


def _fitting(part: WrittenTable) -> WrittenTable:
    """The table with the columns for which a line has room, at least the first."""
    widths = accumulate(_widest(column) + len(_GAP) for column in zip(*_cells(part), strict=True))
    return part.narrowed(max(1, sum(end - len(_GAP) <= WIDTH for end in widths)))


def _cells(part: WrittenTable) -> list[list[str]]:
    """Headings, rows and totals, each cell in one line of at most `_CELL` columns unless it is a number."""
    rows = [[heading.label for heading in part.headings], *part.rows, *([part.totals] if part.totals else [])]
    numeric = [heading.numeric for heading in part.headings]
    return [
        [_one_line(cell) if number else _narrow(_one_line(cell)) for cell, number in zip(row, numeric, strict=True)]
        for row in rows
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _narrow(text: str) -> str:
    if width(text) <= _CELL:
        return text
    ends = accumulate(map(width, text))
    return text[: sum(end < _CELL for end in ends)].rstrip() + ELLIPSIS


def _widest(texts: Iterable[str]) -> int:
    return max(map(width, texts), default=0)


def _padded(text: str, wide: int, *, to_right: bool = False) -> str:
    space = " " * (wide - width(text))
    return space + text if to_right else text + space


_FILTERS: dict[str, Callable[..., object]] = {"lines": lines, "width": width}
