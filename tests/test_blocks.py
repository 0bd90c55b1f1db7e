"""Datasets into blocks: columns found, named and given a format."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure as Drawing
from pydantic import ValidationError

from reports import blocks
from reports.definition import Job
from reports.errors import RenderError
from reports.model import Before, Chart, Column, Figures, Picture, Query, Status, Table, Text
from reports.render.charts.series import plots

FRAME = pd.DataFrame(
    {
        "loan_id": [1, 2],
        "month": pd.to_datetime(["2026-10-01", "2026-11-01"]),
        "net_paid": [1.5, 2.5],
        "number": [3, 4],
        "name": ["a", "b"],
    }
)
AS_OF = dt.date(2026, 10, 31)
HEADLINE = pd.DataFrame({"label": ["Loans"], "value": [612], "format": ["integer"]})


def job(**tables: Any) -> Job:
    return Job.model_validate({"title": "T", "name": "j", **tables})


def test_columns_without_options_get_words_and_formats_by_type() -> None:
    """Identifiers are text whatever they are made of."""
    (table,) = blocks.build(job(show=[{"table": "x", "total": ["net_paid"]}]), {"x": FRAME}, as_of=AS_OF)
    assert isinstance(table, Table)
    assert table.columns == [
        Column(key="loan_id", label="Loan id", format="text"),
        Column(key="month", label="Month", format="date"),
        Column(key="net_paid", label="Net paid", format="number", total=True),
        Column(key="number", label="Number", format="integer"),
        Column(key="name", label="Name", format="text"),
    ]


def test_fractions_show_their_digits() -> None:
    """A servicing fee of 0.0025 is not 0.00."""
    frame = pd.DataFrame({"fee": [0.0025, None], "paid": [1.5, 0.2], "none": [0.0, 0.0]})
    (table,) = blocks.build(job(show=[{"table": "x"}]), {"x": frame}, as_of=AS_OF)
    assert isinstance(table, Table)
    assert [column.format for column in table.columns] == ["number.4", "number", "number"]


def test_exact_numbers_are_numbers() -> None:
    """NUMERIC from a database comes as Decimal objects, and may be totalled."""
    frame = pd.DataFrame({"paid": [None, Decimal("1.10")]}, dtype=object)
    (table,) = blocks.build(job(show=[{"table": "x"}]), {"x": frame}, as_of=AS_OF)
    assert isinstance(table, Table)
    assert table.columns[0].format == "number"


def test_blocks_keep_the_reading_order_of_the_job() -> None:
    """What stands first is read first."""
    show = [
        {"text": "Hello"},
        {"figures": "h"},
        {"chart": "x", "x": "month", "y": "net_paid"},
        {"table": "x"},
    ]
    built = blocks.build(job(show=show), {"x": FRAME, "h": HEADLINE}, as_of=AS_OF)
    assert [type(block) for block in built] == [Text, Figures, Chart, Table]
    assert isinstance(built[1], Figures)
    assert built[1].items[0].value == 612


@pytest.mark.parametrize(
    ("show", "what", "hint"),
    [
        ({"table": "x", "columns": ["nett_paid"]}, "table 'x': there is no column 'nett_paid'", "did you mean 'net_paid'?"),
        ({"table": "x", "total": ["sum"]}, "there is no column 'sum'", "columns there: loan_id, month"),
        ({"chart": "x", "x": "monht", "y": "net_paid"}, "chart 'x': there is no column 'monht'", "'month'"),
        ({"figures": "x"}, "figures 'x': there is no column 'label'", "columns there"),
        ({"table": "y"}, "there is no dataset 'y'", "datasets of this run: x"),
    ],
)  # fmt: skip
def test_a_missing_name_is_told_with_what_is_there(show: dict[str, Any], what: str, hint: str) -> None:
    """Block, column, and the columns there are."""
    with pytest.raises(RenderError) as caught:
        blocks.build(job(show=[show]), {"x": FRAME}, as_of=AS_OF)
    assert what in caught.value.what
    assert hint in caught.value.hint


def test_a_table_says_where_all_its_rows_are_only_if_they_are_there() -> None:
    """A workbook with other datasets is no place to send the reader to."""
    shown, whole_in = job(show=[{"table": "x"}, {"table": "y"}]), {"x": "T 2026-10-31.xlsx"}
    tables = blocks.build(shown, {"x": FRAME, "y": FRAME}, as_of=AS_OF, whole_in=whole_in)
    assert [table.whole_in for table in tables if isinstance(table, Table)] == ["T 2026-10-31.xlsx", ""]


def test_a_workbook_has_its_sheets_in_order_and_its_name_filled_in() -> None:
    """A sheet may be a name alone, a table with a chart, or figures."""
    excel = {
        "file": "{job} {as_of}.xlsx",
        "sheets": [
            {"figures": "h", "name": "Summary"},
            {"dataset": "x", "chart": {"kind": "area", "x": "month", "y": ["net_paid"]}},
            "x",
        ],
    }
    book = blocks.book(job(attach={"excel": excel}), {"x": FRAME, "h": HEADLINE}, as_of=AS_OF)
    assert book is not None
    assert book.file == "j 2026-10-31.xlsx"
    assert [(sheet.name, type(sheet.content), len(sheet.charts)) for sheet in book.sheets] == [
        ("Summary", Figures, 0), ("X", Table, 1), ("X", Table, 0),
    ]  # fmt: skip


def test_a_figure_without_format_note_or_label_is_still_one() -> None:
    """NULL from a query is no text, and never the word nan."""
    rows = [("Loans", 5, "integer", None), (None, 2.0, float("nan"), "n")]
    frame = pd.DataFrame(rows, columns=["label", "value", "format", "note"])
    (figures,) = blocks.build(job(show=[{"figures": "h"}]), {"h": frame}, as_of=AS_OF)
    assert isinstance(figures, Figures)
    assert [(one.label, one.format, one.note) for one in figures.items] == [("Loans", "integer", ""), ("", "text", "n")]


def test_a_format_that_a_dataset_invents_is_told_with_its_row() -> None:
    """The job, the figures and the row."""
    frame = pd.DataFrame({"label": ["a"], "value": [1], "format": ["percnt"]})
    with pytest.raises(RenderError, match="no format 'percnt'") as caught:
        blocks.build(job(show=[{"figures": "h"}]), {"h": frame}, as_of=AS_OF)
    assert caught.value.where.endswith("figures 'h', row 1")


def test_moments_keep_their_time_of_day() -> None:
    """Dates at midnight are dates; one that is not makes the column one of moments."""
    frame = pd.DataFrame(
        {"day": pd.to_datetime(["2026-01-02", None]), "at": pd.to_datetime(["2026-01-02 13:45", None])}
    )
    (table,) = blocks.build(job(show=[{"table": "x"}]), {"x": frame}, as_of=AS_OF)
    assert isinstance(table, Table)
    assert [column.format for column in table.columns] == ["date", "datetime"]


def test_no_figures_are_said_to_be_none() -> None:
    """An empty place in a mail would look like a mistake."""
    (block,) = blocks.build(job(show=[{"figures": "h"}]), {"h": HEADLINE.head(0)}, as_of=AS_OF)
    assert isinstance(block, Text)
    assert block.text == "No rows."


def test_columns_may_be_drawn() -> None:
    """As bars, by heat, or as changes; each in one way."""
    show = {"table": "x", "columns": ["net_paid", "number"], "bars": "net_paid", "heat": ["number"]}
    (table,) = blocks.build(job(show=[show]), {"x": FRAME}, as_of=AS_OF)
    assert isinstance(table, Table)
    assert [column.look for column in table.columns] == ["bar", "heat"]
    with pytest.raises(ValidationError, match="the column 'number' stands in two of bars, heat and changes"):
        job(show=[show | {"changes": ["number"]}])
    with pytest.raises(RenderError, match="no column 'nett'"):
        blocks.build(job(show=[show | {"changes": ["nett"]}]), {"x": FRAME}, as_of=AS_OF)


def test_figures_stand_beside_those_of_the_last_run() -> None:
    """By dataset and label; one that was not there then has none."""
    rows = [("Loans", 612, "up"), ("Losses", 3, "down"), ("New", 1, None)]
    frame = pd.DataFrame(rows, columns=["label", "value", "good"])
    before = Before(as_of=dt.date(2026, 9, 30), figures={"h/Loans": 600, "h/Losses": 4, "other/New": 2})
    (figures,) = blocks.build(job(show=[{"figures": "h"}]), {"h": frame}, as_of=AS_OF, before=before)
    assert isinstance(figures, Figures)
    assert [(one.before, one.good) for one in figures.items] == [(600, "up"), (4, "down"), (None, "")]


def test_a_direction_that_there_is_not_is_told() -> None:
    """Neither up nor down."""
    frame = pd.DataFrame({"label": ["a"], "value": [1], "good": ["upp"]})
    with pytest.raises(RenderError, match="the column good says 'upp'"):
        blocks.build(job(show=[{"figures": "h"}]), {"h": frame}, as_of=AS_OF)


def charted(**options: Any) -> Chart:
    """The chart of the dataset x, which a query reads from the source loans."""
    show = {"chart": "x", "x": "month", "y": "net_paid"} | options
    made = job(show=[show], source="elsewhere", queries=[Query(name="x", sql="", source="loans")])
    (block,) = blocks.build(made, {"x": FRAME, "h": HEADLINE, "m": FRAME}, as_of=AS_OF)
    assert isinstance(block, Chart)
    return block


def test_a_chart_says_where_its_numbers_come_from() -> None:
    """The source of its query, or the job's for what hooks made, unless the author says otherwise or nothing."""
    said = [
        (chart.source, chart.as_of, chart.credit)
        for chart in (charted(), charted(chart="m"), charted(credit="Own survey"), charted(credit=False))
    ]
    nothing = ("", None)
    assert said == [("loans", AS_OF, ""), ("elsewhere", AS_OF, ""), (*nothing, "Own survey"), (*nothing, "")]


def test_a_figure_of_the_hooks_is_shown_as_a_picture() -> None:
    """It is found by its name among the frames, and takes its words from the job."""
    figure, show = Drawing(), {"picture": "curve", "alt": "Yields rise.", "width": 300}
    (block,) = blocks.build(job(show=[show]), {"x": FRAME, "curve": figure}, as_of=AS_OF)
    assert isinstance(block, Picture)
    assert (block.figure, block.alt, block.width) == (figure, "Yields rise.", 300)


@pytest.mark.parametrize(
    ("frames", "hint"),
    [
        ({"curves": Drawing(), "x": FRAME}, "'curves'"),
        ({"x": FRAME}, "let datasets() in hooks.py return a matplotlib Figure"),
        ({"curve": FRAME}, "under this name there is a dataset"),
    ],
)
def test_a_picture_that_is_not_there_is_an_error_that_names_what_is(frames: dict[str, Any], hint: str) -> None:
    """With the nearest name, or with what a hook has to return."""
    with pytest.raises(RenderError, match="there is no picture 'curve'") as caught:
        blocks.build(job(show=[{"picture": "curve", "alt": "x"}]), frames, as_of=AS_OF)
    assert hint in caught.value.hint


def test_a_figure_is_no_table_and_no_sheet() -> None:
    """Neither the mail's tables nor the workbook take a drawing for a dataset."""
    frames = {"curve": Drawing(), "x": FRAME}
    with pytest.raises(RenderError, match="there is no dataset 'curve'") as caught:
        blocks.build(job(show=[{"table": "curve"}]), frames, as_of=AS_OF)
    assert 'picture = "curve"' in caught.value.hint
    with pytest.raises(RenderError, match="there is no dataset 'curve'"):
        blocks.book(job(attach={"excel": ["curve"]}), frames, as_of=AS_OF)


def test_sentences_set_apart_come_from_a_dataset() -> None:
    """One for each row; none is no block at all."""
    frame = pd.DataFrame({"text": ["It is late.", "a.csv"], "tone": ["warning", None], "title": [None, "Failed"]})
    assert blocks.build(job(show=[{"callouts": "c"}]), {"c": frame}, as_of=AS_OF) == [
        Text(text="It is late.", tone="warning"),
        Text(text="a.csv", title="Failed"),
    ]
    assert blocks.build(job(show=[{"callouts": "c"}]), {"c": frame.head(0)}, as_of=AS_OF) == []
    with pytest.raises(RenderError, match="no tone 'wrong'") as caught:
        blocks.build(job(show=[{"callouts": "c"}]), {"c": frame.assign(tone="wrong")}, as_of=AS_OF)
    assert caught.value.where.endswith("callouts 'c', row 1")


@pytest.mark.parametrize(
    ("numbers", "others", "shown"),
    [("auto", [], True), ("auto", [{"table": "x"}], False), ("always", [{"table": "x"}], True), ("never", [], False)],
)
def test_a_chart_has_its_numbers_where_no_table_has_them(
    numbers: str, others: list[dict[str, str]], *, shown: bool
) -> None:
    """Unless the job says otherwise."""
    show = [{"chart": "x", "x": "month", "y": "net_paid", "numbers": numbers}, *others]
    chart, *_ = blocks.build(job(show=show), {"x": FRAME}, as_of=AS_OF)
    assert isinstance(chart, Chart)
    assert chart.numbers == shown


def test_a_job_may_say_its_own_status() -> None:
    """In one row; a job that says none has none."""
    frame = pd.DataFrame({"status": ["2 failed"], "tone": ["bad"]})
    assert blocks.status(job(status="s"), {"s": frame}) == Status(text="2 failed", tone="bad")
    assert blocks.status(job(status="s"), {"s": frame[["status"]]}) == Status(text="2 failed")
    assert blocks.status(job(), {}) is None
    with pytest.raises(RenderError, match="the status has 0 rows, and needs one"):
        blocks.status(job(status="s"), {"s": frame.head(0)})


def test_months_along_a_chart_are_months() -> None:
    """A column of dates is not told to be days: first days of months are drawn and said as months."""
    frame = pd.DataFrame({"month": pd.date_range("2026-01-01", periods=3, freq="MS"), "n": [1, 2, 3]})
    job = Job.model_validate({"title": "x", "name": "x", "show": [{"chart": "n", "x": "month", "y": "n"}]})
    (chart,) = blocks.build(job, {"n": frame}, as_of=dt.date(2026, 3, 31))
    assert plots(chart)[0][0].x.kind == "month"  # type: ignore[arg-type]
