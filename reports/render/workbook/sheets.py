"""A table on its worksheet: Excel's own table, or rows in groups; its rules, its charts and its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.properties import Outline
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableFormula, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet

from reports.model import Chart, Theme
from reports.render.cells import EMPTY, escaped, markup
from reports.render.formats import parsed
from reports.render.grids import Grid, GridColumn
from reports.render.locales import Locale
from reports.render.number_formats import DATES, TEXT
from reports.render.outlines import Subtotal
from reports.render.shared_strings import Strings
from reports.render.sheet_stream import SheetData, Stream, letter, row, rows
from reports.render.values import Look
from reports.render.workbook import rules
from reports.render.workbook.charts import CHARACTERS, HEIGHT, native_chart
from reports.render.workbook.looks import TABLE_STYLE
from reports.render.workbook.package import measure

_LANDSCAPE_FROM = 95  # characters: what A4 upright holds before its print becomes small
_ROW_HEIGHT = 17  # points


@dataclass
class TableSheets:
    """What the sheets with tables have in common; `bars` counts the columns of data bars through the workbook."""

    style: Callable[[str, str], int]
    strings: Strings
    locale: Locale
    theme: Theme
    bars: int = 0

    def lay_out(self, worksheet: Worksheet, table: Grid, charts: Sequence[Chart]) -> SheetData:
        """The sheet as openpyxl is told of it, and what it lacks: its rows."""
        for place, column in enumerate(table.columns):
            worksheet.column_dimensions[letter(place)].width = column.width
        worksheet.freeze_panes = "A2"
        worksheet.sheet_format.customHeight, worksheet.sheet_format.defaultRowHeight = True, _ROW_HEIGHT
        worksheet.print_title_rows = "1:1"
        self._filter(worksheet, table)
        measure(worksheet, table.bottom, len(table.columns))
        bars = rules.draw(worksheet, table, self.theme, bars_before=self.bars)
        self.bars += len(bars)
        for number, chart in enumerate(charts):
            drawn = native_chart(chart, table, locale=self.locale, theme=self.theme)
            worksheet.add_chart(drawn, f"{letter(len(table.columns) + 1)}{2 + number * HEIGHT}")
        width = table.width + (CHARACTERS if charts else 0)
        worksheet.page_setup.orientation = "landscape" if width > _LANDSCAPE_FROM else "portrait"
        texts = table.ranges([column.is_text for column in table.columns], table.last)
        return SheetData(
            rows=self._rows(table), text_ranges=texts, marks=rules.marks(bars), extensions=rules.extensions(bars)
        )

    def _filter(self, worksheet: Worksheet, table: Grid) -> None:
        if not table.lines:
            worksheet.add_table(_excel_table(table, self.locale.word("Total")))
            return
        worksheet.auto_filter.ref = table.range(0, len(table.columns) - 1, 1, table.last)
        worksheet.sheet_format.outlineLevelRow = max(self._levels(table))
        worksheet.sheet_properties.outlinePr = Outline(summaryBelow=True, summaryRight=True)

    def _levels(self, table: Grid) -> list[int]:
        return [line.level + 1 for line in table.lines if isinstance(line, Subtotal)]

    def _rows(self, table: Grid) -> Iterator[str]:
        """The rows, made while they are written; their styles are given out now, before the draft is."""
        looks = [self._look(one) for one in table.columns]
        streams: list[Stream] = [
            partial(one.values.pieces, look) for one, look in zip(table.columns, looks, strict=True)
        ]
        top = row(1, dict(enumerate(map(self._heading, table.columns))), height=24)
        if not table.count:
            body: Iterator[str] = iter([row(2, {place: (look.value, EMPTY) for place, look in enumerate(looks)})])
        elif table.lines:
            body = self._groups(table, streams)
        else:
            body = rows(streams, first=2, places=table.rows)
        totals = [row(table.bottom, dict(enumerate(self._totals(table))), height=20)] if table.totals else []
        return chain([top], body, totals)

    def _groups(self, table: Grid, streams: Sequence[Stream]) -> Iterator[str]:
        """The rows of each group, and under them its subtotal, made ready before the draft is."""
        at, begun, lines = 2, dict[int, int](), list[Iterator[str]]()
        level = max(self._levels(table))
        for line in table.lines:
            if isinstance(line, Subtotal):
                cells = dict(enumerate(self._subtotals(table, line, begun[line.of.start], at - 1)))
                lines.append(iter([row(at, cells, level=line.level)]))
                at += 1
            else:
                begun[line.start] = at
                lines.append(rows(streams, first=at, places=line, level=level))
                at += len(line)
        return chain.from_iterable(lines)

    def _look(self, column: GridColumn) -> Look:
        dated = parsed(column.column.format)[0] in DATES
        value = self.style("date" if dated else "number", column.number_format)
        return Look(value=value, text=self.style("text", TEXT))

    def _heading(self, column: GridColumn) -> tuple[int, str]:
        style = self.style("heading_of_numbers" if column.right else "heading", TEXT)
        return style, self.strings.tail(column.heading)

    def _totals(self, table: Grid) -> Iterator[tuple[int, str]]:
        label = self.strings.tail(self.locale.word("Total"))
        for place, column in enumerate(table.columns):
            if column.total is None:
                yield self.style("total_label", TEXT), label if place == 0 else EMPTY
            else:
                yield self.style("total", column.number_format), _formula(table.subtotal(column), column.total)

    def _subtotals(self, table: Grid, line: Subtotal, top: int, bottom: int) -> Iterator[tuple[int, str]]:
        label = self.strings.tail(self.locale.word("Total of {group}", group=line.label or "–"))
        first = next((place for place, column in enumerate(table.columns) if column.total is None), None)
        for place, column in enumerate(table.columns):
            if column.total is None:
                yield self.style("subtotal_label", TEXT), label if place == first else EMPTY
            else:
                summed = column.values.total(line.of.start, line.of.stop)
                formula = f"SUBTOTAL(9,{table.range(place, place, top, bottom)})"
                yield self.style("subtotal", column.number_format), _formula(formula, summed)


def _formula(formula: str, result: float) -> str:
    return f"><f>{markup(formula)}</f><v>{result!r}</v></c>"


def _excel_table(table: Grid, total: str) -> ExcelTable:
    columns = []
    for number, column in enumerate(table.columns, start=1):
        one = TableColumn(id=number, name=escaped(column.heading))
        if table.totals and column.total is not None and len(table.places) > 1:
            one.totalsRowFunction = "custom"
            one.totalsRowFormula = TableFormula(attr_text=table.subtotal(column))
        elif table.totals and column.total is not None:
            one.totalsRowFunction = "sum"
        elif table.totals and number == 1:
            one.totalsRowLabel = total
        columns.append(one)
    return ExcelTable(
        displayName=table.name,
        ref=table.ref,
        totalsRowCount=1 if table.totals else None,
        totalsRowShown=None if table.totals else False,
        autoFilter=AutoFilter(ref=table.range(0, len(columns) - 1, 1, table.last)),
        tableColumns=columns,
        tableStyleInfo=TableStyleInfo(name=TABLE_STYLE, showRowStripes=True),
    )
