"""What a report shows, in reading order, still as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd


Tone = Literal["", "info", "good", "warning", "bad"]
"""How something is meant: said in words and signs, and by colour besides."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What became of it in a few words, at the head of a report."""

    text: str
    tone: Tone = "info"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One headline number with its format (see `definition.Format`) and an optional small note.

    `before` is its value in the last run that succeeded; `good` says which direction is good news, if one is.
    `key` is the label as the job says it, where `label` is in another language.
    """

    label: str
    value: Any
    format: str = "text"
    note: str = ""
    before: Any = None
    good: Literal["", "up", "down"] = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class Before:
    """The headline figures of the last run that succeeded, by "dataset/label", and the date it was about."""

    as_of: date
    figures: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a table: its key in the frame, its heading, its format, whether it is totalled, how it is drawn."""

    key: str
    label: str
    format: str = "text"
    total: bool = False
    look: Literal["", "bar", "heat", "change"] = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """A row of headline figures, out of one dataset."""

    items: Sequence[Figure]
    title: str = ""
    dataset: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A frame with its columns in order; a mail shows the first `limit` rows; totals cover all.

    `whole_in` is the attached file that has all rows, if one has.
    """

    frame: pd.DataFrame
    columns: Sequence[Column]
    title: str = ""
    note: str = ""
    limit: int = 40
    empty: str = "No rows."
    whole_in: str = ""


ChartKind = Literal["line", "area", "bar", "small_multiples", "sparkline", "waterfall", "heatmap"]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A frame to draw: `x` against each of `y`; `by` names the column that separates panels, or rows.

    With `own_scales` each panel has its own scale of values; else they share one and can be compared.
    `totals` are the names along x that a waterfall draws whole. At the foot stands the `credit`, or else the
    `source` that the frame came from, and of which day. `numbers` says whether a few of its
    numbers stand below the picture, as a table. One that is not `drawn` has them alone.
    """

    frame: pd.DataFrame
    kind: ChartKind
    x: Column
    y: Sequence[Column]
    by: str = ""
    own_scales: bool = False
    totals: Sequence[str] = ()
    unit: str = ""
    source: str = ""
    as_of: date | None = None
    credit: str = ""
    title: str = ""
    note: str = ""
    alt: str = ""
    numbers: bool = True
    drawn: bool = True


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A matplotlib Figure of the job's hooks; `width` in CSS pixels, or as wide as it was made."""

    figure: Any = field(repr=False)
    alt: str
    title: str = ""
    note: str = ""
    width: int | None = None
    drawn: bool = True


def is_figure(value: object) -> bool:
    """Whether it is a matplotlib Figure, told without importing matplotlib."""
    return hasattr(value, "savefig") and hasattr(value, "get_size_inches")


@dataclass(frozen=True, kw_only=True)
class Text:
    """Plain paragraphs, separated by blank lines; or, with `as_is`, lines as a machine wrote them.

    One with a `tone` is set apart from the rest, with a word and a sign for it.
    """

    text: str
    title: str = ""
    as_is: bool = False
    tone: Tone = ""


Block = Figures | Table | Chart | Picture | Text
