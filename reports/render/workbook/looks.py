"""How the workbook looks: its colours, the style of its tables and the formats of its cells.

The colours are the mail's. They are also the theme's accents, so that charts and shapes which people add
themselves match.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.styles.table import TableStyle, TableStyleElement
from openpyxl.writer.theme import theme_xml

from reports import colours
from reports.model import Theme
from reports.render.palette import palette

TABLE_STYLE = "Reports"
_Element = Literal["wholeTable", "headerRow", "totalRow", "secondRowStripe"]
_OFFICE_ACCENTS = ("4F81BD", "C0504D", "9BBB59", "8064A2", "4BACC6", "F79646")
_OFFICE_LINK = "0000FF"


def hexed(colour: str) -> str:
    """#1F5A92 as Office writes it."""
    return colour.removeprefix("#").upper()


INK, RULE, QUIET, WHITE = map(hexed, (colours.INK, colours.RULE, colours.MUTED, colours.WHITE))
POSITIVE, NEGATIVE = hexed(colours.GOOD), hexed(colours.BAD)


def series(theme: Theme) -> tuple[str, ...]:
    """The colours of a chart's columns, in order: those of the mail's charts."""
    chosen = palette(theme)
    return tuple(hexed(str(chosen.ink(number))) for number in range(len(_OFFICE_ACCENTS)))


def dress(workbook: Workbook, look: Theme) -> None:
    """Gives the workbook its theme and the style its tables refer to."""
    theme: str = theme_xml
    for office, ours in zip((*_OFFICE_ACCENTS, _OFFICE_LINK), (*series(look), hexed(look.link)), strict=True):
        theme = theme.replace(f'val="{office}"', f'val="{ours}"')
    workbook.loaded_theme = theme
    _add_table_style(workbook, look)


def _add_table_style(workbook: Workbook, look: Theme) -> None:
    """The look of tables in the mail; their only way in is through these two lists."""
    accent = hexed(look.accent)
    line, strong = Side(style="thin", color=RULE), Side(style="medium", color=accent)
    elements: dict[_Element, DifferentialStyle] = {
        "wholeTable": DifferentialStyle(border=Border(bottom=line, horizontal=line)),
        "headerRow": DifferentialStyle(font=Font(bold=True, color=hexed(look.on_accent)), fill=_fill(accent)),
        "totalRow": DifferentialStyle(font=Font(bold=True), border=Border(top=strong)),
        "secondRowStripe": DifferentialStyle(fill=_fill(hexed(look.soft))),
    }
    known = workbook._differential_styles  # type: ignore[attr-defined]  # noqa: SLF001
    parts = [TableStyleElement(type=name, dxfId=known.add(style)) for name, style in elements.items()]
    style = TableStyle(name=TABLE_STYLE, pivot=False, count=len(parts), tableStyleElement=parts)
    workbook._table_styles.tableStyle = [style]  # type: ignore[attr-defined]  # noqa: SLF001


def _fill(color: str) -> PatternFill:
    # Cells take the foreground of a solid fill, differential styles the background.
    return PatternFill("solid", start_color=color, end_color=color)


class _Role(NamedTuple):
    font: Font
    border: Border = Border()
    fill: PatternFill = PatternFill()
    alignment: Alignment = Alignment(vertical="center")


_UNDER = Border(bottom=Side(style="thin", color=RULE))
_RIGHT = Alignment("right", "center")
_INDENTED = Alignment("left", "center", indent=1)
_WRAPPED = Alignment("left", "top", wrap_text=True)
_BESIDE_BUTTON = Alignment("right", "center", indent=2)  # Excel puts the filter's button on the right


def _font(color: str = INK, size: int = 11, **more: Any) -> Font:
    return Font(**({"name": "Calibri"} | more), size=size, color=color)


def _roles(look: Theme) -> dict[str, _Role]:
    accent, on_accent, link, soft = map(hexed, (look.accent, look.on_accent, look.link, look.soft))
    band, ground = _fill(accent), _fill(soft)
    total, subtotal = Border(top=Side(style="medium", color=accent)), Border(top=Side(style="thin", color=accent))
    section = Border(bottom=Side(style="medium", color=accent))
    return {
        "heading": _Role(_font(on_accent, bold=True), fill=band, alignment=_INDENTED),
        "heading_of_numbers": _Role(_font(on_accent, bold=True), fill=band, alignment=_BESIDE_BUTTON),
        "number": _Role(_font(), _UNDER),
        "text": _Role(_font(), _UNDER, alignment=_INDENTED),
        "date": _Role(_font(), _UNDER, alignment=_INDENTED),
        "total": _Role(_font(bold=True), total, ground),
        "total_label": _Role(_font(bold=True), total, ground, _INDENTED),
        "subtotal": _Role(_font(bold=True), subtotal, ground),
        "subtotal_label": _Role(_font(bold=True), subtotal, ground, _INDENTED),
        "band": _Role(_font(on_accent), fill=band),
        "title": _Role(_font(on_accent, 20, bold=True), fill=band),
        "subtitle": _Role(_font(on_accent, 12), fill=band, alignment=Alignment(vertical="top")),
        "section": _Role(_font(link, 13, bold=True), section),
        "caption": _Role(_font(QUIET, 10), section, alignment=_RIGHT),
        "heading_left": _Role(_font(QUIET, 10), section),
        "label": _Role(_font(), _UNDER),
        "figure": _Role(_font(link, 14, bold=True), _UNDER, alignment=_RIGHT),
        "sum": _Role(_font(bold=True), _UNDER, alignment=_RIGHT),
        "count": _Role(_font(), _UNDER, alignment=_RIGHT),
        "better": _Role(_font(POSITIVE), _UNDER, alignment=_RIGHT),
        "worse": _Role(_font(NEGATIVE), _UNDER, alignment=_RIGHT),
        "note": _Role(_font(QUIET), _UNDER, alignment=_INDENTED),
        "link": _Role(_font(link, underline="single"), _UNDER),
        "fact": _Role(_font(QUIET), _UNDER),
        "plain": _Role(_font(), _UNDER),
        "meaning": _Role(_font(), _UNDER, alignment=_WRAPPED),
        "code": _Role(_font(size=10, name="Consolas"), fill=ground),
    }


class Styles:
    """The numbers under which the workbook knows its cell formats."""

    def __init__(self, workbook: Workbook, look: Theme) -> None:
        self._workbook, self._roles = workbook, _roles(look)
        self._ids: dict[tuple[str, str], int] = {}

    def id(self, role: str, number_format: str) -> int:
        """The number of a role's look with a number format, entered into the workbook at first use."""
        key = role, number_format
        if key not in self._ids:
            look = self._roles[role]
            cell = Cell(self._workbook.worksheets[0], 1, 1)  # on no sheet: it only carries a style
            cell.font, cell.border, cell.fill, cell.alignment = look.font, look.border, look.fill, look.alignment
            cell.number_format = number_format
            self._ids[key] = cell.style_id
        return self._ids[key]
