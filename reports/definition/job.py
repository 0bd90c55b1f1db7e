"""A job.toml, and the `Job` that it becomes: plain data that Python may also build directly."""

from __future__ import annotations

import datetime as dt
import difflib
import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from reports.definition.alerts import Alerts
from reports.definition.attach import Attach, Pattern, only_places
from reports.definition.shows import Show, ShowChart, ShowPicture
from reports.errors import choices
from reports.model import Query
from reports.parts import Duration, Memory, Name, Part, Texts, one_or_many
from reports.schedules.options import Schedule, Schedules
from reports.wording import nearest

Scalar = bool | int | float | dt.date | str


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
    channels: Texts = ("mail",)
    alerts: Alerts = Alerts()
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
            only_places(words.get(self.subject, ""))
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

    @property
    def has_files(self) -> bool:
        """Whether its report has any beside its words: pictures, or what is attached."""
        return self.attach.anything or any(isinstance(one, ShowChart | ShowPicture) for one in self.show)

    def zone(self, default: str) -> str:
        """Its time zone: that of the first of its schedules that names one, else the project's."""
        return next((one.timezone for one in self.schedule if one.timezone), default)

    def filled(self, pattern: str, as_of: dt.date | str) -> str:
        """A Pattern with this job's title and name, and the run's date, as ISO 8601 or as it is written already."""
        return pattern.format(title=self.title, job=self.name, as_of=as_of)
