"""The Excel attachment: a workbook people work in, designed, and equal bytes for equal input.

openpyxl makes everything but the cells; `cells` decides what each holds and `sheet_stream` puts them in.
Tables are Excel's own, with filters, total formulas and their results, so that a phone's preview, which
calculates nothing, shows them too. The first sheet of figures opens the workbook: it has the contents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import chain
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.formatting.rule import Rule
from openpyxl.styles import Font
from openpyxl.styles.differential import DifferentialStyle
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.filters import AutoFilter
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.table import Table as ExcelTable
from openpyxl.worksheet.table import TableColumn, TableStyleInfo
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from reports.errors import RenderError
from reports.model import XLSX, Artifact, Book, Chart, Figures, Table
from reports.render.cells import EMPTY, Strings, clean, escaped, markup
from reports.render.formats import parsed
from reports.render.grids import Grid, GridColumn, grid
from reports.render.locales import ENGLISH, Locale
from reports.render.number_formats import DATES, TEXT
from reports.render.sheet_names import file_name, sheet_names, table_names
from reports.render.sheet_stream import Look, SheetData, Stream, assemble, letter, row, rows
from reports.render.summaries import Summary
from reports.render.workbook.charts import CHARACTERS, native_chart
from reports.render.workbook.looks import NEGATIVE, QUIET, TABLE_STYLE, Styles, dress

_LANDSCAPE_FROM = 95  # characters: what A4 upright holds before its print becomes small
_HEADER_LIMIT = 80
_ROW_HEIGHT = 17  # points
_NO_DATE = dt.date(1980, 1, 1)  # as in the package, whose entries have no other


def write(book: Book, *, locale: Locale = ENGLISH) -> Artifact:
    """`book` as an .xlsx file; a RenderError names the sheet and column that Excel cannot take.

    The file's name is the book's, made safe for any file system. Amounts under the format `currency` are
    in the locale's currency. Equal books give equal bytes.
    """
    if not book.sheets:
        raise RenderError("the workbook has no sheets", where=book.file, hint="attach at least one dataset")
    making = _Making(book, locale)
    sheets = {f"xl/worksheets/sheet{n}.xml": data for n, data in enumerate(making.sheets(), start=1)}
    charts = [_in_words(sheet.name, sheet.chart) for sheet in book.sheets if sheet.chart]
    content = assemble(_draft(making.workbook), sheets, making.strings, alternatives=charts)
    return Artifact(name=file_name(book.file), media_type=XLSX, content=content)


def _in_words(sheet: str, chart: Chart) -> str:
    shown = ", ".join(column.label or column.key for column in chart.y)
    return chart.alt or f"{chart.title or sheet}: {shown} by {chart.x.label or chart.x.key}"


class _Making:
    """A workbook being made: what its sheets have in common."""

    def __init__(self, book: Book, locale: Locale) -> None:
        self.book, self.locale = book, locale
        self.strings, self.workbook = Strings(), _workbook(book)
        self.style = Styles(self.workbook).id

    def sheets(self) -> Iterator[SheetData]:
        """Each sheet laid out in the workbook, and what it lacks: its rows."""
        names = sheet_names(sheet.name for sheet in self.book.sheets)
        grids = {
            name: grid(sheet.content, sheet=name, name=table, locale=self.locale, strings=self.strings)
            for sheet, name, table in zip(self.book.sheets, names, table_names(names), strict=True)
            if isinstance(sheet.content, Table)
        }
        listed = list(grids.values())
        for sheet, name in zip(self.book.sheets, names, strict=True):
            worksheet = self.workbook.create_sheet(name)
            worksheet.sheet_view.tabSelected = name == names[0]
            _set_up_print(worksheet, self.book)
            if isinstance(sheet.content, Figures):
                yield self._summary(worksheet, sheet.content, listed)
                listed = []  # the contents stand once, on the first page of figures
            else:
                yield self._table(worksheet, grids[name], sheet.chart)

    def _summary(self, worksheet: Worksheet, figures: Figures, grids: Sequence[Grid]) -> SheetData:
        summary = Summary(self.style, self.strings, self.locale)
        summary.title(self.book, figures)
        summary.figures(figures.items)
        summary.contents(grids)
        for column, width in summary.widths.items():
            worksheet.column_dimensions[letter(column)].width = width
        worksheet.sheet_view.showGridLines = False
        _measure(worksheet, len(summary.rows), len(summary.widths))
        for address, location in summary.links.items():
            worksheet[address].hyperlink = Hyperlink(ref=address, location=location)
        return SheetData(rows=summary.rows)

    def _table(self, worksheet: Worksheet, table: Grid, chart: Chart | None) -> SheetData:
        for place, column in enumerate(table.columns):
            worksheet.column_dimensions[letter(place)].width = column.width
        worksheet.freeze_panes = "A2"
        worksheet.sheet_format.customHeight, worksheet.sheet_format.defaultRowHeight = True, _ROW_HEIGHT
        worksheet.print_title_rows = "1:1"
        worksheet.add_table(_excel_table(table))
        _measure(worksheet, table.bottom, len(table.columns))
        _redden(worksheet, table)
        if chart:
            drawn = native_chart(chart, table, locale=self.locale)
            worksheet.add_chart(drawn, f"{letter(len(table.columns) + 1)}2")
        width = table.width + (CHARACTERS if chart else 0)
        worksheet.page_setup.orientation = "landscape" if width > _LANDSCAPE_FROM else "portrait"
        texts = table.ranges([column.is_text for column in table.columns], table.last)
        return SheetData(rows=self._rows(table), text_ranges=texts)

    def _rows(self, table: Grid) -> Iterator[str]:
        """The rows, made while they are written; their styles are given out now, before the draft is."""
        streams = [Stream(tails=one.values.tails, look=self._look(one)) for one in table.columns]
        top = row(1, dict(enumerate(map(self._heading, table.columns))), height=24)
        blank = row(2, {place: (stream.look.value, EMPTY) for place, stream in enumerate(streams)})
        data = rows(streams, first=2, count=table.count) if table.count else [blank]
        if not table.totals:
            return chain([top], data)
        cells = [self._total(table, place) for place in range(len(table.columns))]
        return chain([top], data, [row(table.bottom, dict(enumerate(cells)), height=20)])

    def _look(self, column: GridColumn) -> Look:
        dated = parsed(column.column.format)[0] in DATES
        value = self.style("date" if dated else "number", column.number_format)
        return Look(value=value, text=self.style("text", TEXT))

    def _heading(self, column: GridColumn) -> tuple[int, str]:
        style = self.style("heading_of_numbers" if column.right else "heading", TEXT)
        return style, self.strings.tail(column.heading)

    def _total(self, table: Grid, place: int) -> tuple[int, str]:
        column = table.columns[place]
        if column.total is None:
            return self.style("total_label", TEXT), self.strings.tail("Total") if place == 0 else EMPTY
        formula = markup(f"SUBTOTAL(109,{table.reference(column)})")
        return self.style("total", column.number_format), f"><f>{formula}</f><v>{column.total!r}</v></c>"


# -- what openpyxl is told -----------------------------------------------------------------------


def _workbook(book: Book) -> Workbook:
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    created = dt.datetime.combine(book.as_of or _NO_DATE, dt.time())
    properties = workbook.properties
    properties.title, properties.creator = clean(book.title), "reports"
    properties.created = properties.modified = created
    # The number of a current Excel: an older one has it calculate all anew and ask to save on closing.
    workbook.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    dress(workbook)
    return workbook


def _draft(workbook: Workbook) -> bytes:
    """The package without our rows; `Workbook.save` would put the present time into it."""
    content = BytesIO()
    ExcelWriter(workbook, ZipFile(content, "w")).save()
    return content.getvalue()


def _measure(worksheet: Worksheet, height: int, width: int) -> None:
    """Tells openpyxl the extent of a sheet whose cells it does not see, for its `dimension`."""
    worksheet.cell(1, 1)
    worksheet.cell(height, width)


def _excel_table(table: Grid) -> ExcelTable:
    columns = []
    for number, column in enumerate(table.columns, start=1):
        one = TableColumn(id=number, name=escaped(column.heading))
        if column.total is not None:
            one.totalsRowFunction = "sum"
        elif table.totals and number == 1:
            one.totalsRowLabel = "Total"
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


def _redden(worksheet: Worksheet, table: Grid) -> None:
    """Negative numbers in the mail's red, as a rule, so that it stays true when people sort or edit."""
    negative = [column.right and min(column.values.ends, default=0) < 0 for column in table.columns]
    if ranges := table.ranges(negative, table.bottom):
        red = DifferentialStyle(font=Font(color=NEGATIVE))
        rule = Rule("cellIs", operator="lessThan", formula=["0"], dxf=red)
        worksheet.conditional_formatting.add(" ".join(ranges), rule)


def _set_up_print(worksheet: Worksheet, book: Book) -> None:
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    setup, margins = worksheet.page_setup, worksheet.page_margins
    setup.paperSize, setup.fitToWidth, setup.fitToHeight = 9, 1, 0  # A4, one page wide, any number long
    margins.left = margins.right = 0.5
    margins.top = margins.bottom = 0.75
    as_of = f"As of {book.as_of.isoformat()}" if book.as_of else ""
    worksheet.oddHeader, worksheet.oddFooter = HeaderFooterItem(), HeaderFooterItem()
    for part, text in (
        (worksheet.oddHeader.left, _printed(book.title)),
        (worksheet.oddHeader.right, "&A"),
        (worksheet.oddFooter.left, as_of),
        (worksheet.oddFooter.right, "Page &P of &N"),
    ):
        part.text, part.size, part.color = text, 9, QUIET


def _printed(text: str) -> str:
    """`text` for a page's header, where & is an instruction and 255 characters are all there is."""
    line = " ".join(clean(text).split())
    return (line if len(line) <= _HEADER_LIMIT else line[: _HEADER_LIMIT - 1] + "…").replace("&", "&&")
