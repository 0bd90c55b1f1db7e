"""What a job.toml may say, and the `Job` it becomes: plain data that Python may also build directly."""

from __future__ import annotations

import datetime as dt
import difflib
import re
import string
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reports.errors import choices
from reports.model import ChartKind, Query, Tone
from reports.parts import Duration, Memory, Name, Part, Texts, one_or_many
from reports.schedules.options import Schedule, Schedules
from reports.secret import Secret
from reports.wording import nearest

Scalar = bool | int | float | dt.date | str
FORMATS = r"(text|integer|number|currency|compact|percent|date|datetime|month)(\.[0-6])?"
Format = Annotated[str, Field(pattern=f"^{FORMATS}$")]
"""How a value is written everywhere: a kind, and for numbers the decimals: `currency.0`, `percent.2`.

text · integer · number (2 decimals) · currency (2) · compact (12.3m) · percent (of a fraction, 1) ·
date (2026-10-31) · datetime · month (2026-10)
"""
PLACES = ("title", "job", "as_of")


def _only_places(text: str) -> str:
    try:
        places = [place for place in string.Formatter().parse(text) if place[1] is not None]
    except ValueError as error:
        raise PydanticCustomError("places", "a brace stands alone in '{text}'", {"text": text}) from error
    if any(spec or conversion for _, _, spec, conversion in places) or not text.isprintable():
        raise PydanticCustomError("places", "only plain places such as {as_of} may stand here, on one line")
    names = {str(name) for _, name, _, _ in places}
    if unknown := sorted(names - set(PLACES)):
        hint = choices(unknown[0], PLACES, what="known here")
        raise PydanticCustomError("places", "nothing is called '{name}'", {"name": unknown[0], "hint": hint})
    return text


Pattern = Annotated[str, AfterValidator(_only_places)]
"""A text in which {title}, {job} and {as_of} stand for the run's own."""


class Param(Part):
    """A value the job's SQL and hooks may use, bound by name; a bare value in TOML is its default."""

    _short_form: ClassVar = {"type": ["string", "number", "boolean"]}

    default: Annotated[Any, WithJsonSchema({"type": ["string", "number", "boolean"]})]
    type: Literal["text", "integer", "number", "boolean", "date"]

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        table = given if isinstance(given, dict) else {"default": given}
        return table if "type" in table or "default" not in table else table | {"type": _type(table["default"])}

    @model_validator(mode="after")
    def _default_is_of_the_type(self) -> Self:
        fits = isinstance(self.default, _TYPES[self.type]) and (self.type == "boolean") == isinstance(
            self.default, bool
        )
        if not fits or (self.type == "date" and isinstance(self.default, str) and not _is_date(self.default)):
            hint = (
                choices(str(self.default), RELATIVE_DATES, what="write 2026-10-31, or") if self.type == "date" else ""
            )
            message = "the default {default} is not of the type {type}"
            raise PydanticCustomError(
                "default", message, {"default": repr(self.default), "type": self.type, "hint": hint}
            )
        return self


RELATIVE_DATES = (
    "today", "yesterday", "tomorrow", "last business day", "month start", "month end",
    "last month start", "last month end", "year start", "year end",
)  # fmt: skip


_TYPES: dict[str, tuple[type, ...]] = {
    "text": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,), "date": (dt.date, str),
}  # fmt: skip


def _is_date(text: str) -> bool:
    return text in RELATIVE_DATES or bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text))


def _type(value: object) -> str:
    """The type that a bare default means; what is nearly a date in words is taken for one, and told as wrong."""
    if isinstance(value, str):
        nearly = difflib.get_close_matches(value, RELATIVE_DATES, n=1, cutoff=0.85)
        return "date" if nearly or _is_date(value) else "text"
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (dt.date, "date")):
        if isinstance(value, kind):
            return name
    return "text"


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


class SheetOptions(Columns):
    """One worksheet: a dataset as a native table, or headline figures; `chart`, or `charts`, adds native charts.

    With `group` the rows under each other that are alike in one or two columns get subtotals.
    """

    _short_form: ClassVar = {"type": "string"}

    dataset: Name | None = None
    figures: Name | None = None
    name: str = Field(default="", max_length=31)
    title: str = ""
    chart: ChartOptions | None = None
    charts: tuple[ChartOptions, ...] = ()
    group: Texts = ()

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        return {"dataset": given} if isinstance(given, str) else given

    @property
    def every_chart(self) -> tuple[ChartOptions, ...]:
        """Its charts, from the top."""
        return ((self.chart,) if self.chart else ()) + self.charts

    @model_validator(mode="after")
    def _groups_add_up(self) -> Self:
        if len(set(self.group)) != len(self.group) or len(self.group) > 2:
            raise PydanticCustomError("group", "'group' takes one column, or two different ones")
        if self.group and not self.total:
            hint = "name the columns that are added up in 'total', or take 'group' out"
            raise PydanticCustomError("group", "'group' without 'total' has nothing to add up", {"hint": hint})
        if self.group and self.every_chart:
            hint = "put the chart on a sheet of its own: between its rows there would be subtotals"
            raise PydanticCustomError("group", "a sheet in groups has no charts", {"hint": hint})
        return self

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.dataset is None) == (self.figures is None):
            raise PydanticCustomError("sheet", "a sheet needs either 'dataset' or 'figures'")
        if self.chart and self.chart.credit is not True:
            hint = "leave it out: the workbook's own page says where its numbers come from"
            raise PydanticCustomError("credit", "'credit' is for the charts of the mail", {"hint": hint})
        return self


class Workbook(Part):
    """An Excel attachment; `file` may say {title}, {job} and {as_of}. It opens with its `password` alone.

    With `about` its last sheet says where its numbers come from. In place of `sheets` a `template` may be filled, a
    workbook whose tables and named ranges have the names of datasets; `fill` says which takes which where they do not.
    """

    _short_form: ClassVar = {"type": "array", "items": {"type": ["string", "object"]}}

    file: Pattern = "{title} {as_of}.xlsx"
    sheets: tuple[SheetOptions, ...] = ()
    template: str = ""
    fill: dict[str, Name] = Field(default_factory=dict)
    about: bool = True
    password: Secret | None = None

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        return {"sheets": given} if isinstance(given, list | tuple) else given

    @model_validator(mode="after")
    def _sheets_or_template(self) -> Self:
        if bool(self.sheets) == bool(self.template):
            raise PydanticCustomError("workbook", "a workbook needs either 'sheets' or a 'template'")
        if self.fill and not self.template:
            raise PydanticCustomError("workbook", "'fill' goes with a 'template'")
        return self


class FlatFile(Part):
    """One dataset as a file of its own; without `file` it has the dataset's name and the date."""

    _short_form: ClassVar = {"type": "string"}

    dataset: Name
    file: Pattern = ""
    columns: tuple[str, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        return {"dataset": given} if isinstance(given, str) else given


class CsvFile(FlatFile):
    """A CSV file, as Excel opens it: UTF-8 with a mark at its start, texts that Excel would evaluate guarded by a '.

    `guard = false` leaves every text as it is, for a machine that reads the file.
    """

    labels: dict[str, str] = Field(default_factory=dict)
    delimiter: Literal[",", ";", "\t", "|"] = ","
    decimal: Literal[".", ","] = "."
    encoding: Literal["utf-8-sig", "utf-8", "utf-16", "cp1252", "gb18030"] = "utf-8-sig"
    guard: bool = True

    @model_validator(mode="after")
    def _two_signs(self) -> Self:
        if self.decimal == self.delimiter:
            hint = 'write delimiter = ";" beside decimal = ","'
            raise PydanticCustomError(
                "signs", "decimal and delimiter are the same sign", {"key": "decimal", "hint": hint}
            )
        return self


class ParquetFile(FlatFile):
    """A Parquet file, every column with its type."""


def _zip_name(given: object) -> object:
    return ("{title} {as_of}.zip" if given else "") if isinstance(given, bool) else given


ZipName = Annotated[
    Pattern, BeforeValidator(_zip_name), WithJsonSchema({"anyOf": [{"type": "boolean"}, {"type": "string"}]})
]


class Attach(Part):
    """What the mail carries besides its body; with `zip` all of it in one file."""

    excel: Workbook | None = None
    csv: tuple[CsvFile, ...] = ()
    parquet: tuple[ParquetFile, ...] = ()
    zip: ZipName = ""

    @property
    def anything(self) -> bool:
        return bool(self.excel or self.csv or self.parquet)


class QueryOptions(Part):
    """What one .sql file of the job needs said about it."""

    source: str


Oversize = Literal["zip", "link", "leave_out", "fail"]


class Retry(Part):
    """How often a scheduled run is tried, and the wait before the second time, which doubles from then on.

    Only errors that may pass by themselves are tried again: a database that is away, a killed process.
    """

    _short_form: ClassVar = {"type": "integer"}

    attempts: int = Field(default=1, ge=1, le=20)
    wait: Duration = dt.timedelta(minutes=1)

    @model_validator(mode="before")
    @classmethod
    def _shorthand(cls, given: object) -> object:
        if isinstance(given, bool) or not isinstance(given, int | dict | Retry):
            hint = 'write retry = 3, or retry = { attempts = 3, wait = "2m" }'
            raise PydanticCustomError("retry", "a number of attempts is needed", {"hint": hint})
        if given == 0:
            hint = "the first attempt counts: leave the key out, or write 1, for no second one"
            raise PydanticCustomError("retry", "there is at least one attempt", {"hint": hint})
        return {"attempts": given} if isinstance(given, int) else given


CatchUp = Literal["latest", "all", "none"]
Overlap = Literal["skip", "queue", "replace", "allow"]


def _web_address(text: str) -> str:
    if not re.fullmatch(r"(https?://\S+)?", text):
        raise PydanticCustomError("address", "an address begins with https:// or http://")
    return text


WebAddress = Annotated[
    str, AfterValidator(_web_address), WithJsonSchema({"type": "string", "pattern": r"^(https?://\S+)?$"})
]
_OF_A_SCHEDULE = set(Schedule.model_fields)


Language = Annotated[str, Field(pattern=r"^([A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*)?$")]


class Audience(Part):
    """Readers who get the report as a mail of their own, in their language or currency; without, in the job's."""

    language: Language = ""
    currency: str = Field(default="", pattern=r"^([A-Z]{3})?$")
    to: Texts = ()
    cc: Texts = ()
    bcc: Texts = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.to or self.cc or self.bcc):
            hint = 'add to = ["name@example.com"] to it'
            raise PydanticCustomError("audience", "an audience needs somebody to send to", {"hint": hint})
        return self


class Definition(Part):
    """A job.toml."""

    title: str = Field(min_length=1)
    source: str = ""
    to: Texts = ()
    cc: Texts = ()
    bcc: Texts = ()
    reply_to: str = ""
    owner: Texts = ()
    expires: Duration | None = None
    oversize: Annotated[tuple[Oversize, ...], BeforeValidator(one_or_many)] = ("zip", "link", "leave_out")
    subject: Pattern = "{title}, {as_of}"
    template: str = "report.html.j2"
    status: Name | None = None
    language: Language = ""
    audience: tuple[Audience, ...] = ()
    words: dict[Language, dict[str, str]] = Field(default_factory=dict)
    schedule: Schedules = ()
    jitter: Duration | None = None
    catch_up: CatchUp = "latest"
    catch_up_within: Duration = dt.timedelta(days=1)
    overlap: Overlap = "skip"
    retry: Retry = Retry()
    time_limit: Duration | None = None
    memory_limit: Memory | None = None
    ping: WebAddress = ""
    params: dict[Name, Param] = Field(default_factory=dict)
    query: dict[Name, QueryOptions] = Field(default_factory=dict)
    show: tuple[Show, ...] = ()
    attach: Attach = Attach()

    @model_validator(mode="after")
    def _subjects_are_patterns(self) -> Self:
        for words in self.words.values():
            _only_places(words.get(self.subject, ""))
        return self

    @model_validator(mode="before")
    @classmethod
    def _no_key_of_a_schedule(cls, given: object) -> object:
        if isinstance(given, dict) and (lost := [key for key in given if key in _OF_A_SCHEDULE]):
            hint = (
                'write it in the table of the schedule, as in schedule = { every = "1d", timezone = "Europe/Berlin" }'
            )
            raise PydanticCustomError("unknown_key", "'{key}' is a key of schedule", {"key": lost[0], "hint": hint})
        return given


class Job(Definition):
    """A named definition: a job.toml with its folder, its queries and its hooks."""

    name: str
    folder: Path = Path()
    queries: tuple[Query, ...] = ()
    hooks: Path | None = None
    spoken: dict[str, str] = Field(default_factory=dict)  # its own words in the language it speaks now

    def speaking(self, language: str) -> Job:
        """The job with its title, its subject and its words in that language, as far as its [words] have them."""
        words = dict(nearest(self.words, language))
        said = {"title": words.get(self.title, self.title), "subject": words.get(self.subject, self.subject)}
        return self.model_copy(update={**said, "spoken": words})

    def zone(self, default: str) -> str:
        """Its time zone: that of the first of its schedules that names one, else the project's."""
        return next((one.timezone for one in self.schedule if one.timezone), default)

    def filled(self, pattern: str, as_of: dt.date | str) -> str:
        """A Pattern with this job's title and name, and the run's date, as ISO 8601 or as it is written already."""
        return pattern.format(title=self.title, job=self.name, as_of=as_of)
