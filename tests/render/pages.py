"""Pages to render, and the comparison with what was reviewed by eye."""

import datetime as dt
import os
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from reports.model import Artifact, Block, Chart, Column, Figure, Figures, Page, Provenance, Table, Text

TEMPLATES = Path(__file__).parents[2] / "templates"
SNAPSHOTS = Path(__file__).parent / "snapshots"
PRODUCTS = pd.DataFrame(
    {
        "product": ["Mortgage", "Car", "Staff"],
        "loans": [420, 150, 42],
        "balance": [Decimal("97344767.61"), Decimal("2100456.78"), Decimal("320990.10")],
        "rate": [0.0507, 0.0781, None],
        "result": [Decimal("812345.60"), Decimal("-61234.10"), Decimal(0)],
        "last": pd.to_datetime(["2056-10-31", "2032-04-30", None]),
    }
)
COLUMNS = (
    Column(key="product", label="Product"),
    Column(key="loans", label="Loans", format="integer", total=True),
    Column(key="balance", label="Balance", format="currency.0", total=True),
    Column(key="rate", label="Rate", format="percent.2"),
    Column(key="result", label="Result", format="currency.0", total=True),
    Column(key="last", label="Last payment", format="date"),
)


def page(*blocks: Block, **changes: Any) -> Page:
    """A page of these blocks."""
    given: dict[str, Any] = {"title": "Loans", "subject": "Loans, 2026-10-31", "as_of": dt.date(2026, 10, 31)}
    return Page(**(given | {"blocks": blocks} | changes))


def table(**changes: Any) -> Table:
    """The table by product."""
    given: dict[str, Any] = {"frame": PRODUCTS, "columns": COLUMNS, "title": "By product"}
    return Table(**(given | changes))


def chart(**changes: Any) -> Chart:
    """A chart of the loans by product."""
    given: dict[str, Any] = {
        "frame": PRODUCTS,
        "kind": "bar",
        "x": COLUMNS[0],
        "y": COLUMNS[1:2],
        "title": "Loans by product",
        "alt": "Mortgages lead with 420 loans.",
    }
    return Chart(**(given | changes))


def image(number: int = 1) -> Artifact:
    """The picture of a chart, as it is handed to the templates."""
    return Artifact(
        name=f"chart{number}.png",
        media_type="image/png",
        content=b"",
        cid=f"chart{number}@inline",
        alt=f"Picture {number}: mortgages lead with 420 loans.",
        width=550,
    )


def sample() -> Page:
    """One of everything: the page of the reviewed snapshots."""
    figures = [
        Figure(label="Loans", value=612, format="integer", before=600),
        Figure(label="Balance", value=Decimal("99766214.49"), format="currency.0", before=97_700_000, good="up"),
        Figure(
            label="Average rate", value=0.0513, format="percent.2", note="weighted by balance", before=0.0521, good="up"
        ),
        Figure(label="Losses", value=-1_024_171, format="compact", before=-1_024_171, good="up"),
        Figure(label="Last payment", value=dt.date(2056, 10, 31), format="month"),
    ]
    looks: dict[str, Any] = {"balance": "bar", "rate": "heat", "result": "change"}
    drawn = [replace(column, look=looks.get(column.key, "")) for column in COLUMNS]
    return page(
        Text(text="1 of 3 tapes is not there yet.", tone="warning"),
        Text(text="612 loans were read.", title="Went in whole", tone="good"),
        Figures(items=figures),
        chart(note="Loans that have a balance."),
        table(limit=2, whole_in="Loan portfolio 2026-10-31.xlsx", note="Results are before tax."),
        table(columns=drawn, title="By product, drawn"),
        Text(title="How to read this", text="Written for people.\nIn two lines.\n\nAnd <another> & paragraph."),
        title="Loan portfolio 贷款组合",
        notices=["3 rows of tape did not fit and are not in these numbers."],
        provenance=[Provenance(dataset="loans", source="tape", query_hash="9f2c41d07ab3", rows=612)],
        compared=dt.date(2026, 9, 30),
    )


def compare(name: str, found: str) -> None:
    """Equal to the reviewed file; REPORTS_UPDATE_SNAPSHOTS=1 writes it, for `git diff` and a browser."""
    path = SNAPSHOTS / name
    if os.environ.get("REPORTS_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, "utf-8", newline="\n")
    assert found == path.read_text("utf-8"), f"{name} changed: look at it, then set REPORTS_UPDATE_SNAPSHOTS=1"
