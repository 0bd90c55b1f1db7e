"""What openpyxl is told of the workbook as a whole, and of how its sheets are printed."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from zipfile import ZipFile

from openpyxl import Workbook
from openpyxl.workbook.properties import CalcProperties
from openpyxl.worksheet.header_footer import HeaderFooterItem
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from openpyxl.writer.excel import ExcelWriter

from reports.model import Book
from reports.render.cells import clean
from reports.render.formats import written
from reports.render.locales import Locale
from reports.render.workbook.looks import QUIET, dress

_HEADER_LIMIT = 80  # of 255 characters for the whole line, with its codes
_NO_DATE = dt.date(1980, 1, 1)  # as in the package, whose entries have no other


def begun(book: Book) -> Workbook:
    """A workbook without sheets, with its properties and its look."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    created = dt.datetime.combine(book.as_of or _NO_DATE, dt.time())
    properties = workbook.properties
    properties.title, properties.creator = clean(book.title), "reports"
    properties.created = properties.modified = created
    # The number of a current Excel: an older one has it calculate all anew and ask to save on closing.
    workbook.calculation = CalcProperties(calcId=191029, fullCalcOnLoad=False)
    dress(workbook, book.theme)
    return workbook


def draft(workbook: Workbook) -> bytes:
    """The package without our rows; `Workbook.save` would put the present time into it."""
    content = BytesIO()
    ExcelWriter(workbook, ZipFile(content, "w")).save()
    return content.getvalue()


def measure(worksheet: Worksheet, height: int, width: int) -> None:
    """Tells openpyxl the extent of a sheet whose cells it does not see, for its `dimension`."""
    worksheet.cell(1, 1)
    worksheet.cell(height, width)


def set_up_print(worksheet: Worksheet, book: Book, locale: Locale) -> None:
    """A4, one page wide and any number long, with a header and a footer that say what it is."""
    worksheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    setup, margins = worksheet.page_setup, worksheet.page_margins
    setup.paperSize, setup.fitToWidth, setup.fitToHeight = 9, 1, 0
    margins.left = margins.right = 0.5
    margins.top = margins.bottom = 0.75
    day = written(book.as_of, "date", locale) if book.as_of else ""
    as_of = locale.word("As of {date}", date=day) if day else ""
    worksheet.oddHeader, worksheet.oddFooter = HeaderFooterItem(), HeaderFooterItem()
    for part, text in (
        (worksheet.oddHeader.left, _printed(book.title)),
        (worksheet.oddHeader.right, "&A"),
        (worksheet.oddFooter.left, as_of),
        (worksheet.oddFooter.right, locale.word("Page {page} of {pages}", page="&P", pages="&N")),
    ):
        part.text, part.size, part.color = text, 9, QUIET


def _printed(text: str) -> str:
    """`text` for a page's header, where & is an instruction and 255 characters are all there is."""
    line = " ".join(clean(text).split())
    return (line if len(line) <= _HEADER_LIMIT else line[: _HEADER_LIMIT - 1] + "…").replace("&", "&&")
