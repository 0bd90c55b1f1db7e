"""What `[[show]]` of a job.toml may say: the blocks of a report, and how their columns are written."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import (
    Discriminator,
    Field,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reports.model import ChartKind, Tone
from reports.parts import Name, Part, Texts

FORMATS = r"(text|integer|number|currency|compact|percent|date|datetime|month)(\.[0-6])?"

Format = Annotated[str, Field(pattern=f"^{FORMATS}$")]
"""How a value is written everywhere: a kind, and for numbers the decimals: `currency.0`, `percent.2`.

text · integer · number (2 decimals) · currency (2) · compact (12.3m) · percent (of a fraction, 1) ·
date (2026-10-31) · datetime · month (2026-10)
"""


class ShowFigures(Part):
    """A row of headline figures, from a dataset with the columns label, value, and perhaps format, note and good.

    With `compare` each says how it changed against the last run that was about an earlier day.
    """

    figures: Name
    title: str = ""
    compare: bool = True


class Columns(Part):
    """Which columns of a dataset are shown, under which headings, and how they are written.

    `bars`, `heat` and `changes` name columns of numbers that are drawn as bars, coloured by their size, or shown as
    going up and down. `describe` says in a sentence what a column means.
    """

    columns: tuple[str, ...] = ()
    labels: dict[str, str] = Field(default_factory=dict)
    format: dict[str, Format] = Field(default_factory=dict)
    total: tuple[str, ...] = ()
    bars: Texts = ()
    heat: Texts = ()
    changes: Texts = ()
    describe: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_look_each(self) -> Self:
        every = (*dict.fromkeys(self.bars), *dict.fromkeys(self.heat), *dict.fromkeys(self.changes))
        if twice := next((key for key in every if every.count(key) > 1), ""):
            hint = "a column stands in one of them"
            message = "the column '{key}' stands in two of bars, heat and changes"
            raise PydanticCustomError("look", message, {"key": twice, "hint": hint})
        return self

    def look(self, key: str) -> Literal["", "bar", "heat", "change"]:
        """How the numbers of a column are drawn."""
        if key in self.bars:
            return "bar"
        if key in self.heat:
            return "heat"
        return "change" if key in self.changes else ""


class ShowTable(Columns):
    """A table; rows over `limit` are cut in the mail with a sentence that says so."""

    table: Name
    title: str = ""
    note: str = ""
    limit: int = Field(default=40, ge=1, le=500)
    empty: str = "No rows."


_NEED_BY = {"small_multiples": "panels", "heatmap": "rows"}

_ONE_COLUMN = ("waterfall", "heatmap")

_OF_KINDS = {
    "by": ("small_multiples", "sparkline", "heatmap"),
    "own_scales": ("small_multiples",),
    "totals": ("waterfall",),
}


class ChartOptions(Part):
    """`x` against each of `y`; `by` names the column whose values are panels, rows of sparklines or of a heat map.

    `numbers` says whether a mail has a few of the chart's numbers below it: by itself where no table has them.
    """

    kind: ChartKind = "line"
    x: str
    y: Texts
    by: str = ""
    own_scales: bool = False
    totals: Texts = ()
    unit: str = Field(default="", max_length=40)
    credit: bool | str = True
    labels: dict[str, str] = Field(default_factory=dict)
    format: Format = "compact"
    title: str = ""
    note: str = ""
    alt: str = ""
    numbers: Literal["auto", "always", "never"] = "auto"

    @model_validator(mode="after")
    def _keys_of_the_kind(self) -> Self:
        if self.kind in _NEED_BY and not self.by:
            hint = f'add by = "COLUMN": each of its values is one of the {_NEED_BY[self.kind]}'
            raise PydanticCustomError("by", "{kind} needs the key 'by'", {"kind": self.kind, "hint": hint})
        for key, kinds in _OF_KINDS.items():
            if getattr(self, key) and self.kind not in kinds:
                message, hint = "'{key}' has no meaning in a chart of the kind {kind}", f"it is for {', '.join(kinds)}"
                raise PydanticCustomError("kind", message, {"key": key, "kind": self.kind, "hint": hint})
        if len(self.y) > 1 and (self.kind in _ONE_COLUMN or (self.kind == "sparkline" and self.by)):
            message = "{kind} draws one column, and 'y' names {count}"
            hint = "name one, or make a chart of each" if self.kind in _ONE_COLUMN else "name one, or leave 'by' out"
            raise PydanticCustomError("y", message, {"kind": self.kind, "count": len(self.y), "hint": hint})
        return self


class ShowChart(ChartOptions):
    """A chart of a dataset, drawn as an inline image."""

    chart: Name


class ShowPicture(Part):
    """A matplotlib Figure that hooks.py returned under this name; `alt` says in words what it shows."""

    picture: Name
    alt: Annotated[str, Field(min_length=1, pattern=r"\S")]
    title: str = ""
    note: str = ""
    width: int | None = Field(default=None, ge=50, le=550)


class ShowText(Part):
    """Paragraphs of plain text; one with a tone is set apart."""

    text: str
    title: str = ""
    tone: Tone = ""


class ShowCallouts(Part):
    """Sentences from a dataset with the columns text, and perhaps tone and title, each set apart; none is no block."""

    callouts: Name


BLOCKS = ("figures", "table", "chart", "picture", "text", "callouts")


def _kind(given: Any) -> str | None:
    keys = given if isinstance(given, dict) else type(given).model_fields if isinstance(given, Part) else ()
    return next((f"<{kind}>" for kind in BLOCKS if kind in keys), None)


Show = Annotated[
    Annotated[ShowFigures, Tag("<figures>")]
    | Annotated[ShowTable, Tag("<table>")]
    | Annotated[ShowChart, Tag("<chart>")]
    | Annotated[ShowPicture, Tag("<picture>")]
    | Annotated[ShowText, Tag("<text>")]
    | Annotated[ShowCallouts, Tag("<callouts>")],
    Discriminator(
        _kind,
        custom_error_type="block",
        custom_error_message="a block needs one of the keys figures, table, chart, picture, text or callouts",
    ),
]


def kind(show: Show) -> str:
    """Which of BLOCKS a block is; the key that says so also names its dataset (or its figure, or is the text)."""
    return next(kind for kind in BLOCKS if kind in type(show).model_fields)
