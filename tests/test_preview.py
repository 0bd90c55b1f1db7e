"""The preview: everything of a finished mail in one page, and nothing in it but what belongs there."""

from __future__ import annotations

import base64
import csv
import datetime as dt
import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from projects import JOB, make_project

from reports import preview
from reports.app import App, Sent, Wanted, open_app
from reports.preview import sheets

NASTY = "<script>alert(1)</script> \"' </title> {{ 7 * 7 }}"


def make(folder: Path, **options: str) -> Iterator[tuple[App, Sent]]:
    app = open_app(make_project(folder, **options))  # type: ignore[arg-type]
    yield app, app.dry_run("daily", Wanted(as_of="2026-10-31"))
    app.close()


@pytest.fixture
def made(tmp_path: Path) -> Iterator[tuple[App, Sent]]:
    job = JOB.replace("params =", 'attach = { excel = ["by_region"], csv = ["by_region"] }\nparams =')
    yield from make(tmp_path, job=job)


def page_of(made: tuple[App, Sent]) -> str:
    app, sent = made
    return preview.page(sent, sent.letters[0], app.verdicts(sent)[""])


def test_it_has_all_that_is_sent(made: tuple[App, Sent]) -> None:
    """Subject, people, text, parts, sheets with their values, and the verdict."""
    page = page_of(made)
    for said in ("Daily sales, 2026-10-31", "finance@example.com", "reports@example.com", "multipart/alternative",
                 "text/html", "Daily sales 2026-10-31.xlsx", "North", "No errors and no warnings", "Message-Id"):  # fmt: skip
        assert said in page
    assert page.count('<iframe title="') == 4 * 4
    assert set(re.findall(r'<iframe title="Light, \d+ pixels" width="(\d+)"', page)) == {"320", "375", "600", "1024"}


def test_it_needs_nothing_from_anywhere(made: tuple[App, Sent]) -> None:
    """No address to fetch from, and a policy that forbids it."""
    page = page_of(made)
    assert "default-src 'none'" in page
    assert re.findall(r'(?:src|href)="(?!data:)([^"]*)"', page) == []


def test_equal_mails_give_equal_pages(made: tuple[App, Sent]) -> None:
    """No clock in it."""
    assert page_of(made) == page_of(made)


def test_what_it_attaches_can_be_saved(made: tuple[App, Sent]) -> None:
    """Byte for byte."""
    _, sent = made
    links = re.findall(r'href="data:[^;]+;base64,([^"]+)" download="([^"]+)"', page_of(made))
    assert {name: base64.b64decode(content) for content, name in links} == {
        one.name: one.content for one in sent.produced.report.attachments
    }


def test_what_is_too_large_for_a_page_is_said(made: tuple[App, Sent]) -> None:
    """And how to get it; a browser has to hold the page."""
    app, sent = made
    verdict = app.verdicts(sent)[""]
    heavy = b"x" * (preview.LARGEST + 1)
    limit = csv.field_size_limit(131_072)  # as it is where nothing has read long fields yet
    parts = [replace(one, content=heavy) if one.name.endswith(".csv") else one for one in verdict.mail.parts]
    page = preview.page(sent, sent.letters[0], replace(verdict, mail=replace(verdict.mail, parts=parts)))
    csv.field_size_limit(limit)
    assert page.count("reports run daily --dry-run --out DIR") == 1
    assert re.findall(r'download="([^"]+)"', page) == ["Daily sales 2026-10-31.xlsx"]
    assert "Its lines cannot be read" in page


def test_nothing_that_it_shows_is_code(tmp_path: Path) -> None:
    """Titles, cells and sheets with tags, quotes and braces stay text."""
    job = JOB.replace('"Daily sales"', json.dumps(NASTY)).replace(
        "params =", 'attach = { excel = ["by_region"] }\nparams ='
    )
    query = "SELECT '" + NASTY.replace("'", "''") + "' AS region, 1 AS revenue, :day AS day"
    (made,) = [page_of(one) for one in make(tmp_path, job=job, files={"jobs/daily/by_region.sql": query})]  # type: ignore[arg-type]
    assert "<script>alert" not in made
    assert len(re.findall(r"<script[ >]", made)) == 2
    assert "{{ 7 * 7 }}" in made
    shown = re.search(r'<script type="application/json" id="shown">(.*?)</script>', made, re.DOTALL)
    assert shown is not None
    assert "&lt;script&gt;" in json.loads(shown[1])["html"]


def test_hidden_recipients_are_named(made: tuple[App, Sent]) -> None:
    """Those who stand in no header."""
    app, sent = made
    people = dict(preview._people(app.verdicts(sent)[""].mail, ["finance@example.com", "board@example.com"]))
    assert (people["To"], people["Bcc"]) == ("finance@example.com", "board@example.com")
    assert "Bcc" not in dict(preview._people(app.verdicts(sent)[""].mail, sent.message.recipients))


def test_each_audience_has_its_page(tmp_path: Path) -> None:
    """In its language, named by it, with those who get it."""
    job = (
        JOB.replace("params =", 'to = "finance@example.com"\nparams =')
        + '\n[[audience]]\nto = "geld@example.com"\nlanguage = "de"\n'
    )
    for app, sent in make(tmp_path / "project", job=job):
        first, second = preview.write(sent, app.verdicts(sent), tmp_path / "pages")
        assert all(verdict.passed for verdict in app.verdicts(sent).values())
    assert (first.name, second.name) == ("daily.html", "daily-de.html")
    assert "geld@example.com" not in first.read_text("utf-8")
    assert "geld@example.com" in second.read_text("utf-8")
    assert "<dt>Audience</dt><dd>de</dd>" in second.read_text("utf-8")


def workbook() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    for row in range(1, 301):
        sheet.cell(row, 2, row * 1234.5).number_format = "#,##0.00"
    sheet["A1"], sheet["C1"], sheet["D1"], sheet["E1"], sheet["F1"] = (
        "00123",
        0.0513,
        dt.date(2026, 10, 31),
        True,
        1e300,
    )
    sheet["C1"].number_format, sheet["D1"].number_format = "0.00%", "yyyy-mm-dd"
    book.create_sheet("Empty")
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_sheets_are_read_back_as_excel_shows_them() -> None:
    """The first rows, with their formats, and what is not shown is said."""
    (first, empty), note = sheets.read("a.xlsx", workbook())
    assert [cell.text for cell in first.rows[0]] == ["00123", "1,234.50", "5.13%", "2026-10-31", "True", "1e+300"]
    assert [cell.number for cell in first.rows[0]] == [False, True, True, False, False, True]
    assert (len(first.rows), first.note, note) == (200, "Shown are 200 of 300 rows.", "")
    assert empty.rows == []


def test_other_files_say_what_they_are() -> None:
    """CSV as its lines, a zip by its names, a sealed workbook by its seal, anything else not at all."""
    (lines,), _ = sheets.read("a.csv", "\ufeffregion;revenue\nNorth;1,5\n".encode())
    assert [[cell.text for cell in row] for row in lines.rows] == [["region", "revenue"], ["North", "1,5"]]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.csv", "x")
    assert sheets.read("a.zip", packed.getvalue()) == ([], "In it: a.csv.")
    assert sheets.read("a.zip", b"x") == ([], "It is no zip file.")
    assert sheets.read("a.xlsx", b"\xd0\xcf\x11\xe0")[1].startswith("It opens with its password alone")
    assert sheets.read("a.pdf", b"x") == ([], "")
