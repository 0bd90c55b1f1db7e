"""The plain-text part of a mail."""

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest
from render.pages import TEMPLATES, chart, compare, image, page, sample, table

from reports.errors import RenderError
from reports.model import Column, Figure, Figures, Page, Table, Text
from reports.render.tables import width
from reports.render.text import WIDTH, render


def text(page_: Page) -> str:
    return render(page_, folders=[TEMPLATES])


def test_the_page_reads_as_reviewed() -> None:
    """The snapshot was read by eye; a change of it is read again."""
    compare("report.txt", render(sample(), [image()], folders=[TEMPLATES]))


def test_it_says_what_the_html_says() -> None:
    """Figures, notices, rows, totals, notes and origin: no 'please view in a browser'."""
    found = text(sample())
    for words in ("$99,766,214", "−1m", "3 rows of tape", "7.81%", "612", "before tax", "query 9f2c41d07ab3"):
        assert words in found
    assert "Showing 2 of 3 rows, totals of all 3; all in the attachment Loan portfolio 2026-10-31.xlsx." in found


def test_lines_of_a_machine_are_indented() -> None:
    """So that they are told from what people say."""
    assert "\n    a   1\n\n      b <2>\n" in text(page(Text(text="a   1\n\n  b <2>\n", as_is=True)))


def test_nothing_is_escaped() -> None:
    """It is no HTML."""
    assert "And <another> & paragraph." in text(sample())


def test_a_chart_is_told_by_its_alternative_text() -> None:
    """The picture's where there is one, the definition's where there is none."""
    assert "[Chart] Mortgages lead with 420 loans." in text(page(chart()))
    assert "[Chart] Picture 1: mortgages" in render(page(chart()), [image()], folders=[TEMPLATES])


def test_columns_line_up_in_a_fixed_width_font() -> None:
    """Text to the left, numbers to the right, also beside Chinese, which is twice as wide."""
    frame = pd.DataFrame({"name": ["贷款组合", "Car", "é"], "n": [1, 22, 333]})
    columns = [Column(key="name", label="Name"), Column(key="n", label="Loans", format="integer", total=True)]
    lines = text(page(Table(frame=frame, columns=columns))).splitlines()
    at = lines.index("Name      Loans")
    assert lines[at + 2 : at + 7] == [
        "贷款组合      1", "Car          22", "é           333", "--------  -----", "Total       356",
    ]  # fmt: skip
    assert {width(line) for line in lines[at : at + 7]} == {15}


def test_figures_line_up() -> None:
    """Values under each other, notes behind them."""
    items = [Figure(label="Loans", value=612, format="integer"), Figure(label="余额", value="$1.2m", note="net")]
    assert "Loans    612\n余额   $1.2m  net\n" in text(page(Figures(items=items)))


@pytest.mark.parametrize("columns", [1, 7, 60])
def test_a_wide_table_keeps_the_first_columns_that_fit_and_says_so(columns: int) -> None:
    """No line of a table is longer than 100 columns."""
    keys = [f"column {n}" for n in range(columns)]
    frame = pd.DataFrame(123456.78, index=range(3), columns=keys)
    shown = Table(frame=frame, columns=[Column(key=key, label=key, format="currency") for key in keys])
    found = text(page(shown))
    assert max(map(width, found.splitlines())) <= WIDTH
    assert ("Showing 3 of 3 rows" in found) is False
    assert (f"Showing 7 of {columns} columns." in found) == (columns == 60)


def test_long_cells_go_on_in_further_lines() -> None:
    """Nothing of them is cut, and the columns stay under their headings."""
    frame = pd.DataFrame({"message": ["line one\nline two", "贷" * 60, "word " * 40], "n": [1, 2, 3]})
    columns = [Column(key="message", label="Message"), Column(key="n", label="N", format="integer")]
    found = text(page(Table(frame=frame, columns=columns)))
    lines = found.splitlines()
    assert max(map(width, lines)) == WIDTH
    at = next(row for row, line in enumerate(lines) if line.startswith("Message"))
    assert lines[at + 2].startswith("line one line two")
    assert [line.rstrip("123 ") for line in lines[at + 3 : at + 5]] == ["贷" * 48, "贷" * 12]
    assert found.count("word") == 40
    assert {line[-1] for line in lines[at + 2 : at + 6] if width(line) == WIDTH} == {"1", "2", "3"}


def test_the_widest_columns_give_way() -> None:
    """Numbers and dates are never broken over lines."""
    frame = pd.DataFrame({"a": ["long words " * 20], "b": ["more words " * 20], "n": [1234567.5]})
    columns = [Column(key="a", label="A"), Column(key="b", label="B"), Column(key="n", label="N", format="number")]
    found = text(page(Table(frame=frame, columns=columns)))
    assert "1,234,567.50" in found
    assert max(map(width, found.splitlines())) == WIDTH
    assert found.count("long") == found.count("more") == 20


def test_callouts_say_their_tone_in_a_word() -> None:
    """Where there is no colour."""
    blocks = [Text(text="It is late.", tone="warning"), Text(text="a.csv", title="Failed", tone="bad")]
    found = text(page(*blocks))
    assert "[Warning] It is late.\n" in found
    assert "[Problem] Failed: a.csv\n" in found


def test_figures_say_what_became_of_them() -> None:
    """With sign and arrow, and against which run."""
    items = [Figure(label="Loans", value=612, format="integer", before=600)]
    found = text(page(Figures(items=items), compared=dt.date(2026, 9, 30)))
    assert "Loans  612  ▲ +12\n▲▼ against the run as of 2026-09-30\n" in found


def test_a_chart_has_its_numbers_whatever_the_mail_shows() -> None:
    """As a table, besides the alternative text."""
    found = text(page(chart(numbers=False)))
    assert "Product  Mortgage  Car  Staff\n-------  --------  ---  -----\nLoans         420  150     42\n" in found


def test_an_address_is_never_broken() -> None:
    """It would lead nowhere."""
    address = "https://files.example.com/" + "a" * 150
    assert address in text(page(notices=[f"Fetch it here: {address}"]))


def test_an_empty_table_says_so() -> None:
    """Headings, and the job's own words."""
    found = text(page(table(frame=table().frame.head(0), empty="No loans.")))
    assert "Product" in found
    assert "No loans." in found


def test_a_table_without_columns_is_no_failure() -> None:
    """A query may give none."""
    assert "No rows." in text(page(Table(frame=pd.DataFrame(), columns=[])))


def test_paragraphs_and_their_lines_stay_apart() -> None:
    """As they were written."""
    assert "one\ntwo\n\nthree\n" in text(page(Text(text="one\ntwo\n\nthree")))


def test_the_projects_own_text_template_is_used(tmp_path: Path) -> None:
    """And a mistake in it is told like one in the HTML."""
    path = tmp_path / "report.txt.j2"
    path.write_text("{{ page.title }}\n{{ page.titel }}", "utf-8")
    with pytest.raises(RenderError) as caught:
        render(page(), folders=[tmp_path, TEMPLATES])
    assert caught.value.where == f"{path}:2"
