"""Charts of a table's own cells, which follow what people change there."""

from __future__ import annotations

from openpyxl.chart import AreaChart, BarChart, LineChart
from openpyxl.chart.axis import ChartLines, TextAxis
from openpyxl.chart.data_source import AxDataSource, NumDataSource, NumRef, StrData, StrRef, StrVal
from openpyxl.chart.marker import Marker
from openpyxl.chart.series import Series, SeriesLabel
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import CharacterProperties, Paragraph, ParagraphProperties, RegularTextRun

from reports.errors import RenderError
from reports.model import Chart, Column, Theme
from reports.render.cells import clean
from reports.render.grids import Grid, GridColumn
from reports.render.locales import Locale
from reports.render.number_formats import number_format
from reports.render.sheet_names import quoted
from reports.render.sheet_stream import letter
from reports.render.workbook.looks import INK, QUIET, RULE, series

NativeChart = LineChart | AreaChart | BarChart
_KINDS: dict[str, type[NativeChart]] = {"line": LineChart, "area": AreaChart, "bar": BarChart}
_CENTIMETRES = (19, 10)
CHARACTERS = 92  # what that takes from the width of a page
HEIGHT = 18  # rows that it takes
_LABELS = 8  # of the x axis, which holds no more side by side


def native_chart(chart: Chart, table: Grid, *, locale: Locale, theme: Theme) -> NativeChart:
    """`chart` drawn by Excel from `table`; a RenderError where it has no such kind or column."""
    if chart.kind not in _KINDS:
        raise RenderError(
            f"Excel has no chart of the kind '{chart.kind}'",
            where=_where(table),
            hint="choose line, area or bar for a sheet's chart; the other kinds are for the mail",
        )
    if not chart.y:
        raise RenderError("the chart has no columns to show", where=_where(table), hint="name them in 'y'")
    drawn = _KINDS[chart.kind]()
    x, lines = _column(table, chart.x), [_column(table, column) for column in chart.y]
    colors = series(theme)
    for number, column in enumerate(lines):
        drawn.series.append(_series(table, column, x, kind=chart.kind, color=colors[number % len(colors)]))
    drawn.width, drawn.height = _CENTIMETRES
    drawn.title = _title(chart.title, 1300, INK, bold=True) if chart.title else None
    _set_up_kind(drawn, several=len(lines) > 1)
    _set_up_axes(drawn, x, rows=table.count)
    extremes = [end for column in lines for end in column.values.ends]
    drawn.y_axis.number_format = number_format(chart.y[0].format, locale, extremes)
    measured = ", ".join(filter(None, (lines[0].heading if len(lines) == 1 else "", chart.unit)))
    drawn.y_axis.title = _title(measured, 900, QUIET) if measured else None
    return drawn


def _where(table: Grid) -> str:
    return f"chart of sheet '{table.sheet}'"


def _column(table: Grid, column: Column) -> GridColumn:
    for one in table.columns:
        if one.column.key == column.key:
            return one
    raise RenderError(
        f"the chart shows '{column.key}', but the sheet has no such column",
        where=_where(table),
        hint="add it to the sheet's columns; they are " + ", ".join(one.column.key for one in table.columns),
    )


def _series(table: Grid, column: GridColumn, x: GridColumn, *, kind: str, color: str) -> Series:
    place = letter(table.columns.index(column))
    name = StrRef(f=f"{quoted(table.sheet)}!${place}$1")
    name.strCache = StrData(ptCount=1, pt=[StrVal(idx=0, v=column.heading)])
    shape = GraphicalProperties(solidFill=color, ln=LineProperties(noFill=True))
    if kind == "line":
        shape = GraphicalProperties(ln=LineProperties(solidFill=color, w=28_575))
    drawn = Series(
        tx=SeriesLabel(strRef=name),
        cat=_categories(table, x),
        val=NumDataSource(numRef=NumRef(f=_cells(table, column))),
        spPr=shape,
    )
    if kind == "line":
        drawn.marker, drawn.smooth = Marker("none"), False
    return drawn


def _categories(table: Grid, x: GridColumn) -> AxDataSource:
    cells = _cells(table, x)
    return AxDataSource(strRef=StrRef(f=cells)) if x.is_text else AxDataSource(numRef=NumRef(f=cells))


def _cells(table: Grid, column: GridColumn) -> str:
    place = letter(table.columns.index(column))
    return f"{quoted(table.sheet)}!${place}$2:${place}${table.last}"


def _set_up_kind(drawn: NativeChart, *, several: bool) -> None:
    drawn.y_axis.crossBetween = "between"
    if isinstance(drawn, AreaChart):
        drawn.grouping, drawn.y_axis.crossBetween = "stacked", "midCat"
    if isinstance(drawn, BarChart):
        drawn.gapWidth = 60
    if not several or drawn.legend is None:
        drawn.legend = None
        return
    drawn.legend.position, drawn.legend.overlay, drawn.legend.txPr = "b", False, _text_of(900, INK)


def _set_up_axes(drawn: NativeChart, x: GridColumn, *, rows: int) -> None:
    for axis in (drawn.x_axis, drawn.y_axis):
        axis.delete = False  # newer Excel hides an axis that does not say so
        axis.majorTickMark, axis.tickLblPos = "none", "low"
        axis.txPr = _text_of(900, QUIET)
        axis.graphicalProperties = GraphicalProperties(ln=LineProperties(solidFill=RULE))
    drawn.y_axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=RULE)))
    drawn.x_axis.number_format = x.number_format
    drawn.x_axis.title = _title(x.heading, 900, QUIET)
    if isinstance(drawn.x_axis, TextAxis):
        drawn.x_axis.tickLblSkip = drawn.x_axis.tickMarkSkip = _step(rows, monthly=x.column.format == "month")
        drawn.x_axis.noMultiLvlLbl = True


def _step(rows: int, *, monthly: bool) -> int:
    """Which of the x axis's labels to show: every nth; of many months the same one of each year."""
    step = max(1, -(-rows // _LABELS))
    return -(-step // 12) * 12 if monthly and step > 6 else step


def _title(text: str, size: int, color: str, *, bold: bool = False) -> Title:
    looks = _looks(size, color, bold=bold)
    run = RegularTextRun(rPr=looks, t=clean(text))
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=looks), r=[run])
    return Title(tx=Text(rich=RichText(p=[paragraph])), overlay=False)


def _text_of(size: int, color: str) -> RichText:
    looks = ParagraphProperties(defRPr=_looks(size, color))
    return RichText(p=[Paragraph(pPr=looks, r=[], endParaRPr=CharacterProperties())])


def _looks(size: int, color: str, *, bold: bool = False) -> CharacterProperties:
    """Characters of a size in hundredths of a point."""
    return CharacterProperties(sz=size, b=bold, solidFill=color)
