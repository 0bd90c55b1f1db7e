"""The Excel attachment: a workbook people work in, designed, and equal bytes for equal input.

openpyxl makes everything but the cells; `cells` decides what each holds and `sheet_stream` puts them in.
Tables are Excel's own, with filters, total formulas and their results, so that a phone's preview, which
calculates nothing, shows them too. The first sheet of figures opens the workbook: it has the contents.
The last one says where the numbers come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet

from reports.errors import RenderError
from reports.model import XLSX, Artifact, Book, Chart, Figures, Sheet, Table
from reports.render.abouts import AboutPage
from reports.render.grids import ROWS, Grid, Place, Setting, grids, parts
from reports.render.locales import ENGLISH, Locale
from reports.render.oddities import Note
from reports.render.shared_strings import Strings
from reports.render.sheet_names import file_name, sheet_names, table_names
from reports.render.sheet_pages import SheetPage
from reports.render.sheet_stream import SheetData, assemble, letter
from reports.render.summaries import Summary
from reports.render.workbook.looks import Styles
from reports.render.workbook.package import begun, draft, measure, set_up_print
from reports.render.workbook.sheets import TableSheets


@dataclass(frozen=True, kw_only=True)
class Written:
    """A workbook, what Excel could not hold of what it was given, and the tables that go on on a next sheet."""

    artifact: Artifact
    notes: Sequence[Note] = ()
    continued: Sequence[str] = ()


def write(book: Book, *, locale: Locale = ENGLISH, most: int = ROWS) -> Written:
    """`book` as an .xlsx file; a RenderError names the sheet and column that Excel cannot take.

    The file's name is the book's, made safe for any file system. Amounts under the format `currency` are
    in the locale's currency. A table of more than `most` rows goes on on a next sheet. Equal books give equal bytes.
    """
    if not book.sheets:
        raise RenderError("the workbook has no sheets", where=book.file, hint="attach at least one dataset")
    making = _Making(book, locale, most)
    sheets = {f"xl/worksheets/sheet{n}.xml": data for n, data in enumerate(making.sheets(), start=1)}
    spoken = [_in_words(sheet, chart) for sheet in book.sheets for chart in sheet.charts]
    content = assemble(draft(making.workbook), sheets, making.strings, alternatives=_by_drawing(book, spoken))
    artifact = Artifact(name=file_name(book.file), media_type=XLSX, content=content)
    return Written(artifact=artifact, notes=making.notes, continued=making.continued)


def _in_words(sheet: Sheet, chart: Chart) -> str:
    shown = ", ".join(column.label or column.key for column in chart.y)
    return chart.alt or f"{chart.title or sheet.name}: {shown} by {chart.x.label or chart.x.key}"


def _by_drawing(book: Book, spoken: Sequence[str]) -> list[list[str]]:
    """The words of each sheet's charts, which share one drawing."""
    every = iter(spoken)
    return [[next(every) for _ in sheet.charts] for sheet in book.sheets if sheet.charts]


class _Making:
    """A workbook being made: what its sheets have in common."""

    def __init__(self, book: Book, locale: Locale, most: int) -> None:
        self.book, self.locale = book, locale
        self.strings, self.workbook = Strings(), begun(book)
        self.style = Styles(self.workbook, book.theme).id
        self.notes: list[Note] = []
        self.continued: list[str] = []
        self._setting = Setting(locale=locale, strings=self.strings, most=most)
        self._tables = TableSheets(self.style, self.strings, locale, book.theme)

    def sheets(self) -> Iterator[SheetData]:
        """Each sheet laid out in the workbook, and what it lacks: its rows."""
        places, about = self._places()
        laid = [self._grids(sheet, at) for sheet, at in zip(self.book.sheets, places, strict=True)]
        listed = [grid for grids_ in laid for grid in grids_]
        self.notes += [note for grid in listed for note in grid.notes]
        self.continued += _continued(listed)
        contents, last = listed, about.sheet if about else ""
        for sheet, at, made in zip(self.book.sheets, places, laid, strict=True):
            if isinstance(sheet.content, Figures):
                yield self._summary(at[0].sheet, sheet.content, contents, last)
                contents, last = [], ""  # they stand once, on the first page of figures
            for grid in made:
                charts = () if grid.part else sheet.charts
                yield self._tables.lay_out(self._worksheet(grid.sheet), grid, charts)
        if about:
            yield self._about(about.sheet, listed)

    def _places(self) -> tuple[list[list[Place]], Place | None]:
        """The names of the sheets that each sheet of the book takes, and of the one about the report."""
        numbers = [number for number, sheet in enumerate(self.book.sheets) for _ in range(self._parts(sheet))]
        asked = [self.book.sheets[number].name for number in numbers]
        names = sheet_names([*asked, *([self.locale.word("About this report")] if self.book.about else [])])
        every = [Place(sheet=name, table=table) for name, table in zip(names, table_names(names), strict=True)]
        paired = zip(numbers, every, strict=False)
        places = [[place for _, place in pairs] for _, pairs in groupby(paired, key=lambda pair: pair[0])]
        return places, every[-1] if self.book.about else None

    def _parts(self, sheet: Sheet) -> int:
        if isinstance(sheet.content, Figures):
            return 1
        return parts(sheet.content, group=sheet.group, most=self._setting.most)

    def _grids(self, sheet: Sheet, places: Sequence[Place]) -> list[Grid]:
        if not isinstance(sheet.content, Table):
            return []
        return grids(sheet.content, places, self._setting, group=sheet.group)

    def _worksheet(self, name: str) -> Worksheet:
        worksheet: Worksheet = self.workbook.create_sheet(name)
        worksheet.sheet_view.tabSelected = len(self.workbook.worksheets) == 1
        worksheet.sheet_view.rightToLeft = self.locale.direction == "rtl" or None
        set_up_print(worksheet, self.book, self.locale)
        return worksheet

    def _summary(self, name: str, figures: Figures, listed: Sequence[Grid], about: str) -> SheetData:
        worksheet = self._worksheet(name)
        page = Summary(style=self.style, strings=self.strings, locale=self.locale, sheet=name)
        page.opening(self.book, figures)
        page.figures(figures.items)
        page.contents(listed, about)
        self.notes += page.notes
        return self._page(worksheet, page)

    def _about(self, name: str, listed: Sequence[Grid]) -> SheetData:
        worksheet = self._worksheet(name)
        worksheet.page_setup.orientation = "landscape"
        page = AboutPage(style=self.style, strings=self.strings, locale=self.locale)
        if self.book.about:
            page.opening(self.book, self.book.about, name)
            page.notes(self.notes, self.continued)
            page.datasets(self.book.about.datasets)
        page.columns(listed)
        return self._page(worksheet, page)

    def _page(self, worksheet: Worksheet, page: SheetPage) -> SheetData:
        for column, width in page.widths.items():
            worksheet.column_dimensions[letter(column)].width = width
        worksheet.sheet_view.showGridLines = False
        measure(worksheet, len(page.rows), len(page.widths))
        for address, location in page.links.items():
            worksheet[address].hyperlink = Hyperlink(ref=address, location=location)
        return SheetData(rows=page.rows)


def _continued(listed: Sequence[Grid]) -> list[str]:
    """A sentence for each table that takes more than one sheet."""
    return [
        f"The {grid.whole:,} rows of '{grid.places[0].sheet}' take {len(grid.places)} sheets, as one holds "
        f"{grid.count:,}: they go on on '{grid.places[1].sheet}'."
        for grid in listed
        if len(grid.places) > 1 and not grid.part
    ]
