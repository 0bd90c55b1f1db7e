"""The shipped job, from a loan file to a mail and a workbook whose numbers agree, on the sample and on real tapes."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
import io
import re
import shutil
import subprocess
from email.message import EmailMessage
from pathlib import Path

import openpyxl
import pytest

from reports.app import App, Sent, Wanted, open_app
from reports.errors import ReportsError
from reports.model import Chart

AS_OF = "2026-10-31"


def laid_out(folder: Path, root: Path, *, settings: str = "", query: Path | None = None) -> App:
    """The sample project; another tape is other settings and another loans.sql, and nothing else."""
    for part in ("jobs", "templates"):
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(root / "settings.toml", folder / "settings.toml")
    if settings:
        text = (folder / "settings.toml").read_text("utf-8")
        tape = 'files = "jobs/cashflow/tape.csv"\ntypes = { LOAN_ID = "text" }'
        assert tape in text
        (folder / "settings.toml").write_text(text.replace(tape, settings), "utf-8")
    if query:
        shutil.copyfile(query, folder / "jobs" / "cashflow" / "loans.sql")
    return open_app(folder)


@pytest.fixture(scope="module")
def sent(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    app = laid_out(tmp_path_factory.mktemp("sample"), root)
    return app.dry_run("cashflow", Wanted(as_of=AS_OF))


@pytest.fixture(scope="module")
def message(sent: Sent) -> EmailMessage:
    return email.message_from_bytes(sent.message.content, policy=email.policy.default)  # type: ignore[return-value]


def figures(sent: Sent) -> dict[str, float]:
    (block,) = [block for block in sent.produced.page.blocks if hasattr(block, "items") and block.items]
    return {figure.label: figure.value for figure in block.items}


def sheet_totals(content: bytes) -> dict[str, dict[str, float]]:
    """The totals row of every sheet that has one: heading to value."""
    book = openpyxl.load_workbook(io.BytesIO(content), data_only=True)
    formulas = openpyxl.load_workbook(io.BytesIO(content))
    found: dict[str, dict[str, float]] = {}
    for sheet in book:
        heads, last = [cell.value for cell in sheet[1]], sheet.max_row
        for head, cell, formula in zip(heads, sheet[last], formulas[sheet.title][last], strict=True):
            if isinstance(formula.value, str) and formula.value.startswith("="):
                found.setdefault(sheet.title, {})[str(head)] = cell.value
    return found


def test_the_headline_agrees_with_the_tape(sent: Sent, root: Path) -> None:
    """Loans, balance, coupon and maturity are those of the file, computed here by hand."""
    lines = (root / "jobs" / "cashflow" / "tape.csv").read_text("utf-8").splitlines()[1:]
    cells = [line.rpartition('"')[2].split(",")[2:] if '"' in line else line.split(",")[3:] for line in lines]
    balances = [float(line[-10]) for line in cells]
    rates, terms, ages = ([float(line[at]) for line in cells] for at in (-9, -8, -7))
    total = sum(balances)
    shown = figures(sent)
    assert shown["Loans"] == len(lines) == 600
    assert shown["Balance"] == pytest.approx(total, abs=0.005)
    assert shown["Coupon"] == pytest.approx(sum(r * b for r, b in zip(rates, balances, strict=True)) / total / 100)
    left = [term - age for term, age in zip(terms, ages, strict=True)]
    assert shown["Maturity"] == pytest.approx(sum(m * b for m, b in zip(left, balances, strict=True)) / total)


def test_what_is_owed_comes_back_or_is_lost(sent: Sent) -> None:
    """Principal, prepayments, amortised and recovered defaults and losses make up the opening balance."""
    (workbook,) = sent.produced.report.attachments
    monthly = sheet_totals(workbook.content)["Monthly"]
    parts = ("Scheduled", "Prepaid", "Amortised defaults", "Recovery", "Loss")
    assert sum(monthly[part] for part in parts) == pytest.approx(figures(sent)["Balance"], rel=1e-9)


def test_the_waterfall_falls_from_the_balance_to_what_is_lost(sent: Sent) -> None:
    """Each step is a total of the sheet Monthly, and together they leave the losses of the headline."""
    (falls,) = [block for block in sent.produced.page.blocks if isinstance(block, Chart) and block.kind == "waterfall"]
    steps = dict(zip(falls.frame["step"], falls.frame["amount"], strict=True))
    monthly, shown = sheet_totals(sent.produced.report.attachments[0].content)["Monthly"], figures(sent)
    columns = {
        "Scheduled": "Scheduled",
        "Prepaid": "Prepaid",
        "Amortised": "Amortised defaults",
        "Recovered": "Recovery",
    }
    assert {name: -steps[name] for name in columns} == pytest.approx(
        {name: monthly[key] for name, key in columns.items()}
    )
    assert list(falls.totals) == ["Balance", "Lost"]
    assert steps["Balance"] == pytest.approx(shown["Balance"])
    assert sum(steps.values()) - steps["Lost"] == pytest.approx(steps["Lost"]) == pytest.approx(shown["Losses"])


def test_every_total_of_the_workbook_is_that_of_the_mail(sent: Sent) -> None:
    """Whoever adds up the sheet finds the figure of the mail."""
    totals = sheet_totals(sent.produced.report.attachments[0].content)
    shown = figures(sent)
    assert totals["Loans"]["Balance"] == pytest.approx(shown["Balance"])
    assert totals["By product"]["Balance"] == pytest.approx(shown["Balance"])
    assert totals["By product"]["Loans"] == shown["Loans"]
    assert totals["By product"]["Projected loss"] == pytest.approx(shown["Losses"])
    for label, column in (("Interest", "Interest"), ("Scheduled principal", "Scheduled"), ("Prepayments", "Prepaid"),
                          ("Defaults", "Defaults"), ("Losses", "Loss")):  # fmt: skip
        assert totals["Monthly"][column] == pytest.approx(shown[label])


@pytest.mark.office
def test_a_spreadsheet_program_computes_the_same_totals(sent: Sent, tmp_path: Path) -> None:
    """LibreOffice recalculates every formula: the cached value was no invention, and none is an error."""
    if (soffice := shutil.which("soffice")) is None:
        pytest.skip("LibreOffice (soffice) is not installed")
    (workbook,) = sent.produced.report.attachments
    (tmp_path / "in.xlsx").write_bytes(workbook.content)
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    subprocess.run(
        [soffice, profile, "--headless", "--convert-to", "xlsx:Calc MS Excel 2007 XML", "--outdir", tmp_path / "out",
         tmp_path / "in.xlsx"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    again = sheet_totals((tmp_path / "out" / "in.xlsx").read_bytes())
    ours = sheet_totals(workbook.content)
    assert ours.keys() == again.keys()
    for sheet, totals in ours.items():
        assert again[sheet] == pytest.approx(totals, rel=1e-9), sheet


def test_the_sheets_are_those_of_the_job_with_a_native_chart(sent: Sent) -> None:
    """Summary, Monthly with its chart, By product, Sample, and every loan with its identifier as text."""
    book = openpyxl.load_workbook(io.BytesIO(sent.produced.report.attachments[0].content))
    assert book.sheetnames == ["Summary", "Monthly", "By product", "By year", "Sample", "Loans", "About this report"]
    assert len(book["Monthly"]._charts) == 1
    assert all(sheet.freeze_panes for sheet in book if sheet.title not in {"Summary", "About this report"})
    ids = [cell.value for cell in book["Loans"]["A"][1:-1]]
    assert len(ids) == 600
    assert "0000137" in ids
    assert any(len(one) == 20 and one.startswith("9007199254740993") for one in ids)
    borrowers = {cell.value for cell in book["Loans"]["B"]}
    assert "王伟" in borrowers


def test_the_mail_has_the_shape_that_clients_expect(message: EmailMessage, sent: Sent) -> None:
    """mixed(alternative(plain, related(html, png, png, png)), xlsx), with every picture referred to."""

    def shape(part: EmailMessage) -> object:
        if part.is_multipart():
            return (part.get_content_subtype(), [shape(child) for child in part.iter_parts()])  # type: ignore[arg-type]
        return part.get_content_type()

    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    related = ("related", ["text/html", "image/png", "image/png", "image/png"])
    assert shape(message) == ("mixed", [("alternative", ["text/plain", related]), xlsx])
    html = message.get_body(("html",)).get_content()  # type: ignore[union-attr]
    images = [part for part in message.walk() if part.get_content_maintype() == "image"]
    assert {part["Content-ID"].strip("<>") for part in images} == set(re.findall(r'src="cid:([^"]+)"', html))
    assert len(sent.produced.report.html.encode()) < 90_000


def test_the_plain_text_has_the_key_figures(message: EmailMessage, sent: Sent) -> None:
    """A reader without HTML gets the report, not an invitation to look elsewhere."""
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert f"{round(figures(sent)['Balance']):,}" in text
    for word in ("Loans", "Coupon", "Prepayments", "Mortgage 30 years", "2027"):
        assert word in text


def test_a_run_made_again_draws_the_same_loans_and_bytes(sent: Sent, root: Path, tmp_path: Path) -> None:
    """The random sample is seeded by the as-of date."""
    again = laid_out(tmp_path, root).dry_run("cashflow", Wanted(as_of=AS_OF))
    assert again.produced.report == sent.produced.report
    other = laid_out(tmp_path / "other", root).dry_run("cashflow", Wanted(as_of="2026-11-30"))
    assert other.produced.report.images != sent.produced.report.images


REAL = [
    (
        "freddie_2020q1_sampler.csv", "freddie.sql", 'types = { id_loan = "text", zipcode = "text" }', "2020-03-31",
        {"Loans": 9_572, "Balance": 2_228_091_000, "Coupon": 0.0381968, "Maturity": 326.281},
    ),
    (
        "lendingclub_openintro_loans_full_schema.csv", "lendingclub.sql", 'null_words = ["NA"]', "2018-06-30",
        {"Loans": 10_000, "Balance": 144_589_166.10, "Coupon": 0.1266038},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("tape", "query", "options", "as_of", "expected"), REAL)
def test_a_real_tape_needs_another_query_and_nothing_else(
    shared_data: Path, root: Path, tmp_path: Path, tape: str, query: str, options: str, as_of: str,
    expected: dict[str, float],
) -> None:  # fmt: skip
    """The published totals of the file come out, and the mail stays small."""
    files = f'files = "{shared_data / "loans" / tape}"\n{options}'
    app = laid_out(tmp_path, root, settings=files, query=root / "tests" / "tapes" / query)
    sent = app.dry_run("cashflow", Wanted(as_of=as_of))
    shown = figures(sent)
    assert {label: shown[label] for label in expected} == pytest.approx(expected, rel=2e-6)
    totals = sheet_totals(sent.produced.report.attachments[0].content)
    assert totals["Loans"]["Balance"] == pytest.approx(expected["Balance"])
    assert len(sent.produced.report.html.encode()) < 90_000


def test_a_tape_without_a_required_column_names_it(shared_data: Path, root: Path, tmp_path: Path) -> None:
    """The column, the file and the columns that are there."""
    files = f'files = "{shared_data / "loans" / "lendingclub_42538_four_columns.csv"}"'
    app = laid_out(tmp_path, root, settings=files, query=root / "tests" / "tapes" / "lendingclub.sql")
    with pytest.raises(ReportsError) as caught:
        app.dry_run("cashflow", Wanted())
    said = str(caught.value)
    assert "lendingclub_42538_four_columns.csv" in said
    assert [name for name in ("installment", "grade", "home_ownership", "loan_status") if name not in said] == []


def test_no_loans_on_the_date_is_an_error_and_not_an_empty_report(root: Path, tmp_path: Path) -> None:
    """Rather the owner than the reader learns of it."""
    with pytest.raises(Exception, match="no loans made by 1990-01-01"):
        laid_out(tmp_path, root).dry_run("cashflow", Wanted(as_of=dt.date(1990, 1, 1).isoformat()))
