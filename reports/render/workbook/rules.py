"""How the numbers of a column are drawn, as rules of Excel's own: they stay true when people sort or edit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from openpyxl.formatting.rule import ColorScale, DataBar, FormatObject, Rule
from openpyxl.styles import Color, Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.worksheet.cell_range import CellRange
from openpyxl.worksheet.worksheet import Worksheet

from reports.colours import WHITE, mixed
from reports.model import Theme
from reports.render.grids import Grid, GridColumn
from reports.render.workbook.looks import NEGATIVE, POSITIVE, RULE, hexed

_X14 = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
_XM = "http://schemas.microsoft.com/office/excel/2006/main"
_BAR, _HEAT = 0.45, 0.35  # how much white is in them, so that numbers are read on both


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A column of data bars: what openpyxl cannot say of it, that they are flat and have an axis at zero."""

    number: int
    range: str

    @property
    def id(self) -> str:
        return f"{{52455052-0000-4000-8000-{self.number:012X}}}"


def draw(worksheet: Worksheet, table: Grid, theme: Theme, *, bars_before: int) -> list[Bar]:
    """Gives the sheet its rules, and returns the data bars among them, counted on through the workbook."""
    bars: list[Bar] = []
    for place, column in enumerate(table.columns):
        if not column.right or not column.values.ends:
            continue
        cells = table.range(place, place, 2, table.last)
        if column.column.look == "bar":
            bars.append(Bar(number=bars_before + len(bars) + 1, range=CellRange(cells).coord))
            worksheet.conditional_formatting.add(cells, _bar(theme))
        elif column.column.look == "heat":
            worksheet.conditional_formatting.add(cells, _heat(column, theme))
        elif column.column.look == "change":
            worksheet.conditional_formatting.add(cells, _inked("greaterThan", POSITIVE))
            worksheet.conditional_formatting.add(cells, _inked("lessThan", NEGATIVE))
    _redden(worksheet, table)
    return bars


def _redden(worksheet: Worksheet, table: Grid) -> None:
    """Negative numbers in the mail's red."""
    negative = [
        column.right and column.column.look != "change" and min(column.values.ends, default=0) < 0
        for column in table.columns
    ]
    if ranges := table.ranges(negative, table.bottom):
        worksheet.conditional_formatting.add(" ".join(ranges), _inked("lessThan", NEGATIVE))


def _inked(operator: Literal["greaterThan", "lessThan"], color: str) -> Rule:
    """Numbers on one side of zero in a colour."""
    return Rule("cellIs", operator=operator, formula=["0"], dxf=DifferentialStyle(font=Font(color=color)))


def _bar(theme: Theme) -> Rule:
    ends = [FormatObject(type="min"), FormatObject(type="max")]
    return Rule("dataBar", dataBar=DataBar(cfvo=ends, color=hexed(mixed(theme.accent, WHITE, _BAR))))


def _heat(column: GridColumn, theme: Theme) -> Rule:
    """From white to the accent; where there are both signs, from the second colour over white at zero."""
    least, most = column.values.ends
    warm, cold = hexed(mixed(theme.accent, WHITE, _HEAT)), hexed(mixed(theme.second, WHITE, _HEAT))
    white = hexed(WHITE)
    if least < 0 < most:
        return _scale(("min", cold), ("num", white), ("max", warm))
    return _scale(("min", white), ("max", warm)) if most > 0 else _scale(("min", cold), ("max", white))


def _scale(*points: tuple[Literal["min", "num", "max"], str]) -> Rule:
    ends = [FormatObject(type=kind, val=0 if kind == "num" else None) for kind, _ in points]
    return Rule("colorScale", colorScale=ColorScale(cfvo=ends, color=[Color(color) for _, color in points]))


def marks(bars: Iterable[Bar]) -> list[str]:
    """What each rule of data bars says, so that its extension is found."""
    uri = "{B025F937-C7B1-47D3-B67F-A62EFF666E3E}"
    return [f'<extLst><ext xmlns:x14="{_X14}" uri="{uri}"><x14:id>{bar.id}</x14:id></ext></extLst>' for bar in bars]


def extensions(bars: Sequence[Bar]) -> str:
    """The list of extensions of a sheet with data bars; nothing without."""
    if not bars:
        return ""
    uri = "{78C0D931-6437-407d-A8EE-F0AAD7539E65}"
    rules = "".join(map(_extension, bars))
    return (
        f'<extLst><ext xmlns:x14="{_X14}" uri="{uri}"><x14:conditionalFormattings>{rules}'
        "</x14:conditionalFormattings></ext></extLst>"
    )


def _extension(bar: Bar) -> str:
    look = 'minLength="0" maxLength="100" gradient="0"'
    return (
        f'<x14:conditionalFormatting xmlns:xm="{_XM}"><x14:cfRule type="dataBar" id="{bar.id}"><x14:dataBar {look}>'
        f'<x14:cfvo type="autoMin"/><x14:cfvo type="autoMax"/><x14:negativeFillColor rgb="FF{NEGATIVE}"/>'
        f'<x14:axisColor rgb="FF{RULE}"/></x14:dataBar></x14:cfRule><xm:sqref>{bar.range}</xm:sqref>'
        "</x14:conditionalFormatting>"
    )
