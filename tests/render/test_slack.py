"""Reports as Slack's blocks: all that a mail says, as far as a message there has room, and never a number otherwise."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest
import slackblocks
from hypothesis import given, settings
from hypothesis import strategies as st
from render.pages import COLUMNS, chart, compare, image, page, sample, table

from reports.errors import RenderError
from reports.model import Block, Column, Figure, Figures, Page, Provenance, Table, Text, Theme
from reports.render.slack import render
from reports.render.views import write
from reports.slack import blocks as block_kit

Made = list[dict[str, Any]]


def said(blocks: Made) -> str:
    """All that is read in these blocks."""
    return "\n".join(block_kit.texts(blocks))


def tables(blocks: Made) -> list[list[list[str]]]:
    """The native tables, as texts."""
    return [
        [["".join(block_kit.texts(cell)) for cell in row] for row in block["rows"]]
        for block in blocks
        if block["type"] == "table"
    ]


def drawn(blocks: Made) -> list[str]:
    """What is drawn in a fixed-width font."""
    return [one.strip("`\n") for one in block_kit.texts(blocks) if one.startswith("```")]


def shown(*blocks: Block, **changes: Any) -> Made:
    """The blocks of a page with these."""
    return render(page(*blocks, **changes))


def test_one_of_everything_is_as_reviewed() -> None:
    """The blocks of the page of samples."""
    made = render(sample(), [image()], closing=["In the thread: Loan portfolio.xlsx (12 kB)"])
    assert slackblocks.problems(made) == []
    compare("slack.json", json.dumps(made, indent=1, ensure_ascii=False) + "\n")


# -- figures and tables --------------------------------------------------------------------------------


def test_figures_say_what_the_mail_says() -> None:
    """Value, change with its sign, and note, ten to a block."""
    items = [Figure(label=f"No {number}", value=number, format="integer", before=0) for number in range(1, 24)]
    made = shown(Figures(items=items, title="Counts"))
    fields = [block["fields"] for block in made if "fields" in block]
    assert [len(one) for one in fields] == [10, 10, 3]
    mail = write(page(Figures(items=items))).parts[0].figures  # type: ignore[union-attr]
    for one, field in zip(mail, (each for some in fields for each in some), strict=True):
        assert field["text"] == f"{one.label}\n*{one.value}*  {one.change.arrow} {one.change.text}"


def test_a_table_has_the_cells_of_the_mail() -> None:
    """Rows and totals, numbers at the right."""
    made = shown(table())
    (rows,) = tables(made)
    mail = write(page(table())).parts[0]
    assert rows[0] == [one.label for one in mail.headings]  # type: ignore[union-attr]
    assert rows[1:-1] == [[cell.text for cell in row] for row in mail.rows]  # type: ignore[union-attr]
    assert rows[-1] == [cell.text or " " for cell in mail.totals]  # type: ignore[union-attr]
    (block,) = (one for one in made if one["type"] == "table")
    aligned = [one.get("align") for one in block["column_settings"]]
    assert aligned == ["left", "right", "right", "right", "right", "left"]


def test_the_first_rows_are_shown_and_the_file_is_named() -> None:
    """With totals of all of them."""
    frame = pd.DataFrame({"product": [f"P{number}" for number in range(600)], "loans": range(600)})
    made = shown(Table(frame=frame, columns=COLUMNS[:2], limit=500, whole_in="Loans.xlsx"))
    (rows,) = tables(made)
    assert len(rows) == 100
    assert rows[-1][1] == f"{sum(range(600)):,}"
    assert "Showing 98 of 600 rows, totals of all 600; all in the attachment Loans.xlsx." in said(made)


def test_columns_beyond_twenty_are_told() -> None:
    """A Slack table has no more."""
    frame = pd.DataFrame({f"c{number}": [1] for number in range(25)})
    columns = [Column(key=name, label=name, format="integer") for name in frame]
    made = shown(Table(frame=frame, columns=columns))
    assert len(tables(made)[0][0]) == 20
    assert "20 of 25 columns" in said(made)


def test_a_second_table_is_drawn_and_loses_no_row() -> None:
    """A message has one of Slack's own."""
    made = shown(table(), table(title="Again"))
    assert len(tables(made)) == 1
    (lines,) = drawn(made)
    assert "Mortgage" in lines
    assert "$97,344,768" in lines


def test_a_long_second_table_is_cut_and_says_so() -> None:
    """It has to fit one block."""
    frame = pd.DataFrame({"product": [f"Product number {number}" for number in range(98)], "loans": range(98)})
    columns = [*COLUMNS[:2], Column(key="product", label="Again"), Column(key="product", label="And again")]
    made = shown(table(), Table(frame=frame, columns=columns, limit=98))
    assert len(drawn(made)[0]) <= 3000
    assert "of 98 rows" in said(made)


def test_a_table_without_rows_says_so() -> None:
    """In the job's words, or ours."""
    made = shown(table(frame=table().frame.head(0), empty="No loans today."))
    assert tables(made) == []
    assert "No loans today." in said(made)


# -- charts and texts ----------------------------------------------------------------------------------


def test_a_chart_says_what_its_picture_shows() -> None:
    """The picture itself is uploaded, so its numbers are not repeated."""
    made = render(page(chart(note="A note.")), [image()])
    assert "*Loans by product*\n:bar_chart: Picture 1: mortgages lead with 420 loans." in said(made)
    assert "A note." in said(made)
    assert drawn(made) == []


def test_without_a_picture_a_charts_numbers_are_there() -> None:
    """A webhook shows none."""
    (lines,) = drawn(render(page(chart()), [image()], pictured=False))
    assert "Mortgage" in lines
    assert "420" in lines


def test_texts_are_escaped_and_told_apart_by_their_tone() -> None:
    """No sign of a text becomes Slack's."""
    made = shown(Text(text="a < b & <!channel>", title="<T>", tone="bad"), Text(text="plain & simple"))
    assert ":x: *Problem: &lt;T&gt;*\na &lt; b &amp; &lt;!channel&gt;" in said(made)
    assert "plain &amp; simple" in said(made)


def test_a_long_text_goes_on_in_further_blocks() -> None:
    """No word of it is lost."""
    words = [f"word{number}" for number in range(900)]
    made = shown(Text(text=" ".join(words)))
    told = [block["text"]["text"] for block in made if block["type"] == "section"][1:]
    assert len(told) > 1
    assert " ".join(told).split() == words


def test_lines_of_a_machine_stay_lines() -> None:
    """What would end the fixed-width font does not."""
    made = shown(Text(text="  File x.py\n    ```code```", as_is=True))
    assert drawn(made) == ["  File x.py\n    '''code'''"]


def test_notices_sources_and_the_footer_are_said() -> None:
    """As in the mail."""
    made = shown(
        notices=["3 rows did not fit."],
        provenance=[Provenance(dataset="loans", source="tape", query_hash="9f2c41d07ab3", rows=612)],
        theme=Theme(footer="Example Bank, confidential"),
    )
    told = said(made)
    assert ":warning: *Please note:* 3 rows did not fit." in told
    assert "loans: 612 rows from tape, query 9f2c41d07ab3, as of 2026-10-31" in told
    assert "Example Bank, confidential" in told


def test_numbers_and_words_are_those_of_the_language() -> None:
    """Of the report, not of Slack."""
    made = shown(table(), language="de", currency="EUR")
    assert "97.344.768\N{NO-BREAK SPACE}€" in said(made)
    assert "Stand 31.10.2026" in said(made)


def test_the_subject_is_the_headline_and_is_cut_at_its_limit() -> None:
    """150 characters of plain text."""
    made = shown(subject="x" * 200)
    assert made[0] == {"type": "header", "text": {"type": "plain_text", "text": "x" * 149 + "…"}}


# -- whatever the data -----------------------------------------------------------------------------------


def test_a_report_of_very_much_still_is_one_message() -> None:
    """What gives way is told."""
    frame = pd.DataFrame({"product": [f"A long name of a product, number {number}" * 4 for number in range(300)]})
    wide = Table(frame=frame, columns=COLUMNS[:1] * 1, limit=300)
    many = [wide, *(Text(text="so many words " * 300) for _ in range(30))]
    made = shown(*many)
    assert slackblocks.problems(made) == []
    assert slackblocks.size(made) <= block_kit.WHOLE
    assert "parts of the report do not fit" in said(made)


def test_what_can_in_no_way_fit_is_an_error() -> None:
    """Which names the report."""
    with pytest.raises(RenderError, match="does not fit") as caught:
        render(page(Text(text="x")), closing=["x" * 2000] * 10)
    assert caught.value.where


words = st.text(max_size=60)
numbers = st.one_of(st.none(), st.integers(-(10**12), 10**12), st.floats(), st.just(Decimal("1.005")))
frames = st.lists(st.tuples(words, numbers), max_size=130).map(
    lambda rows: pd.DataFrame(rows, columns=["product", "loans"], dtype=object)
)
parts = st.one_of(
    st.builds(lambda frame, title: Table(frame=frame, columns=COLUMNS[:2], title=title, limit=200), frames, words),
    st.builds(
        lambda items: Figures(items=[Figure(label=label, value=value, format="integer") for label, value in items]),
        st.lists(st.tuples(words, numbers), max_size=30),
    ),
    st.builds(
        lambda text, title, tone, as_is: Text(text=text * 40, title=title, tone=tone, as_is=as_is),
        words,
        words,
        st.sampled_from(["", "info", "good", "warning", "bad"]),
        st.booleans(),
    ),
)


@settings(max_examples=40, deadline=None)
@given(st.lists(parts, max_size=12), st.lists(words, max_size=4), st.sampled_from(["en", "de", "ar", "zh"]), words)
def test_whatever_is_shown_slack_takes_it(blocks: list[Block], notices: list[str], language: str, title: str) -> None:
    """Rows, texts and signs of any kind."""
    whole = Page(
        title=title,
        subject=title,
        as_of=dt.date(2026, 10, 31),
        blocks=[one for one in blocks if not (isinstance(one, Table) and one.frame["loans"].isna().all())],
        notices=notices,
        language=language,
    )
    made = render(whole)
    assert slackblocks.problems(made) == []
    assert slackblocks.size(made) <= slackblocks.MOST_TEXT
