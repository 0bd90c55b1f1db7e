"""What `attach` of a job.toml may say: workbooks and files."""

from __future__ import annotations

import string
from typing import Annotated, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reports.definition.shows import ChartOptions, Columns
from reports.errors import choices
from reports.parts import Name, Part, Texts
from reports.secret import Secret

PLACES = ("title", "job", "as_of")


def only_places(text: str) -> str:
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


Pattern = Annotated[str, AfterValidator(only_places)]
"""A text in which {title}, {job} and {as_of} stand for the run's own."""


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
