"""A page as plain text: what watches, screen readers and spam filters read, so it says all that the HTML says.

Tables stand in columns of a fixed-width font, in at most 100 columns. Long cells go on in further lines; a table that
is too wide even so shows its first columns, and a sentence says so. Bars and heat are left out, their numbers stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from reports.model import Artifact, Page
from reports.render import html
from reports.render.tables import Room, WrittenTable, width
from reports.render.views import Part, WrittenChart, WrittenFigures, WrittenText, write

if TYPE_CHECKING:
    from jinja2 import Environment

WIDTH = 100
_GAP = "  "
_ROOM = Room(rows=100, columns=24, figures=100, parts=100, chars=500, every_number=True)
_NARROWEST = 12
"""Columns that a text needs to be read in lines; a column of texts that are shorter is as wide as they are."""


def render(
    page: Page, images: Sequence[Artifact] = (), *, template: str = "report.txt.j2", folders: Sequence[Path]
) -> str:
    """The plain-text part of the mail; charts are told in their pictures' alternative texts and their numbers."""
    view = write(page, images, room=_ROOM)
    parts = [fitting(part) if isinstance(part, WrittenTable) else part for part in view.parts]
    return html.fill(_ready(tuple(folders)), template, replace(view, parts=parts))


@lru_cache(maxsize=8)
def _ready(folders: tuple[Path, ...]) -> Environment:
    return html.environment(folders, _FILTERS)


def check_template(folders: Sequence[Path], *, template: str = "report.txt.j2") -> None:
    """Read the template of the plain text, without a page; a JobError names what is wrong in it."""
    html.check_template(template, folders, filters=_FILTERS)


def lines(part: Part) -> list[str]:
    """A part of the page in lines, without its title."""
    if isinstance(part, WrittenTable):
        return _table(part)
    if isinstance(part, WrittenFigures):
        return _figures(part)
    return _chart(part) if isinstance(part, WrittenChart) else _text(part)


def _text(part: WrittenText) -> list[str]:
    if part.tone:
        head = f"[{part.word}] {part.title}".rstrip()
        said = (
            f"{head}: {part.paragraphs[0]}"
            if part.title and part.paragraphs
            else f"{head} {' '.join(part.paragraphs[:1])}"
        )
        return [line for one in (said, *part.paragraphs[1:]) for line in wrapped(one)]
    every = "\n\n".join(part.paragraphs).splitlines()
    if part.as_is:
        return [f"    {line}".rstrip() for line in every]
    return [line for one in every for line in wrapped(one)]


def _chart(part: WrittenChart) -> list[str]:
    told = wrapped(f"[{part.word}] {_one_line(part.alt)}")
    if part.numbers is None:
        return told
    return [*told, "", *_table(fitting(part.numbers)), *filter(None, [part.numbers.note])]


def _figures(part: WrittenFigures) -> list[str]:
    labels = [_one_line(figure.label) for figure in part.figures]
    values = [_one_line(figure.value) for figure in part.figures]
    changes = [f"{one.change.arrow} {one.change.text}".strip() if one.change else "" for one in part.figures]
    left, right, middle = _widest(labels), _widest(values), _widest(changes)
    return [
        _GAP.join(
            [
                _padded(label, left),
                _padded(value, right, to_right=True),
                *([_padded(change, middle)] if middle else []),
                _one_line(figure.note),
            ]
        ).rstrip()
        for label, value, change, figure in zip(labels, values, changes, part.figures, strict=True)
    ]


# -- tables in columns ------------------------------------------------------------------------------


def _table(part: WrittenTable) -> list[str]:
    rows = _cells(part)
    if not rows[0]:
        return []
    widths = _widths(part)
    rule = _GAP.join("-" * width for width in widths)
    head, body, foot = rows[0], rows[1 : 1 + len(part.rows)], rows[1 + len(part.rows) :]
    written = [*_lines(head, widths, part), rule, *(line for row in body for line in _lines(row, widths, part))]
    return [*written, *([rule, *_lines(foot[0], widths, part)] if foot else [])]


def _lines(row: Sequence[str], widths: Sequence[int], part: WrittenTable) -> Iterator[str]:
    """A row in as many lines as its longest cell needs."""
    columns = [_folded(cell, wide) for cell, wide in zip(row, widths, strict=True)]
    for line in zip_longest(*columns, fillvalue=""):
        cells = zip(line, widths, part.headings, strict=True)
        yield _GAP.join(_padded(cell, wide, to_right=heading.numeric) for cell, wide, heading in cells).rstrip()


def fitting(part: WrittenTable) -> WrittenTable:
    """The table with the columns for which a line has room, at least the first."""
    taken, fitting = -len(_GAP), 0
    for least in _least_widths(part):
        taken += least + len(_GAP)
        fitting += taken <= WIDTH
    return part.narrowed(max(1, fitting))


def _widths(part: WrittenTable) -> list[int]:
    """Each column as wide as its longest cell where that fits; else the widest give way until it does."""
    widths = [_widest(column) for column in zip(*_cells(part), strict=True)]
    least = _least_widths(part)
    room = WIDTH - len(_GAP) * (len(widths) - 1)
    while sum(widths) > room and any(wide > low for wide, low in zip(widths, least, strict=True)):
        at = max(range(len(widths)), key=lambda column: (widths[column] - least[column] > 0, widths[column]))
        others = max((wide for column, wide in enumerate(widths) if column != at and wide < widths[at]), default=0)
        widths[at] = max(least[at], others, widths[at] - (sum(widths) - room), 1)
    return [min(wide, WIDTH) for wide in widths]


def _least_widths(part: WrittenTable) -> list[int]:
    """How narrow each column may get: numbers and dates stay whole."""
    columns = zip(part.headings, zip(*_cells(part), strict=True), strict=True)
    return [
        _widest(column) if heading.numeric or heading.whole else min(_widest(column), _NARROWEST)
        for heading, column in columns
    ]


def _cells(part: WrittenTable) -> list[list[str]]:
    """Headings, rows and totals, each cell in one line."""
    written = [*part.rows, *([part.totals] if part.totals else [])]
    rows = [[heading.label for heading in part.headings], *([cell.text for cell in row] for row in written)]
    return [[_one_line(cell) for cell in row] for row in rows]


# -- words in lines ---------------------------------------------------------------------------------


def wrapped(text: str) -> list[str]:
    """`text` in lines of at most 100 columns; a longer word, which may be an address, has a line of its own."""
    return _wrapped(text, WIDTH, lambda word, _: [word])


def _folded(text: str, wide: int) -> list[str]:
    """`text` in lines of at most so many columns, whatever its words."""
    return _wrapped(text, wide, _pieces)


def _wrapped(text: str, wide: int, parts: Callable[[str, int], Sequence[str]]) -> list[str]:
    found, line = [], ""
    for word in text.split():
        if line and width(line) + 1 + width(word) <= wide:
            line = f"{line} {word}"
            continue
        found += [line] if line else []
        *whole, line = parts(word, wide)
        found += whole
    return [*found, line]


def _pieces(word: str, wide: int) -> list[str]:
    """A word in pieces that fit a line."""
    found, piece, taken = [], "", 0
    for one in word:
        takes = width(one)
        if piece and taken + takes > wide:
            found.append(piece)
            piece, taken = "", 0
        piece, taken = piece + one, taken + takes
    return [*found, piece]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _widest(texts: Iterable[str]) -> int:
    return max(map(width, texts), default=0)


def _padded(text: str, wide: int, *, to_right: bool = False) -> str:
    space = " " * (wide - width(text))
    return space + text if to_right else text + space


_FILTERS: dict[str, Callable[..., object]] = {"lines": lines, "width": width, "wrapped": wrapped}
