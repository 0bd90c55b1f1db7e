"""What tables of a TOML file are made of: the base of every model, and the values that people write in them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any, ClassVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

from reports.errors import choices

Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]


def one_or_many(given: object) -> object:
    return (given,) if isinstance(given, str) else given


Texts = Annotated[
    tuple[str, ...],
    BeforeValidator(one_or_many),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""Several texts, or one written without brackets."""


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LONGEST = dt.timedelta(days=365_250)
"""A thousand years: added to a date it gives another one."""


def _duration(given: object) -> object:
    if isinstance(given, dt.timedelta):
        return given
    match = re.fullmatch(r"(\d{1,6})\s*([smhdw])", given.strip()) if isinstance(given, str) else None
    if match is None or not int(match[1]):
        raise PydanticCustomError("duration", 'a duration is a number and a unit, such as "90m", "8h" or "2d"')
    length = dt.timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    if length > _LONGEST:
        raise PydanticCustomError("duration", "a duration is at most a thousand years")
    return length


def _in_words(length: dt.timedelta) -> str:
    seconds = int(length.total_seconds())
    unit = next(unit for unit in reversed(_UNITS) if seconds % _UNITS[unit] == 0)
    return f"{seconds // _UNITS[unit]}{unit}"


Duration = Annotated[
    dt.timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_in_words, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}\s*[smhdw]$"}),
]
"""A length of time written as "30s", "90m", "8h", "2d" or "1w"."""


_BYTES = {"kB": 10**3, "MB": 10**6, "GB": 10**9}


def _bytes(given: object) -> object:
    match = re.fullmatch(r"(\d{1,6})\s*(kB|MB|GB)", given.strip()) if isinstance(given, str) else None
    if match is None and not isinstance(given, int):
        raise PydanticCustomError("size", 'a size is a number and a unit, such as "512MB" or "2GB"')
    return int(match[1]) * _BYTES[match[2]] if match else given


Size = Annotated[
    int, BeforeValidator(_bytes), Field(ge=1), WithJsonSchema({"type": "string", "pattern": r"^\d{1,6}\s*(kB|MB|GB)$"})
]
"""Bytes written as "512MB" or "2GB"."""
LEAST_MEMORY = 200 * 10**6


def _enough(given: int) -> int:
    if given < LEAST_MEMORY:
        raise PydanticCustomError("memory", 'the libraries of a run alone need about 150 MB; write at least "200MB"')
    return given


Memory = Annotated[Size, AfterValidator(_enough)]
"""The memory that a run may have, its libraries included."""


@cache
def _keys(model: type[BaseModel]) -> tuple[list[str], frozenset[str]]:
    """The keys as people write them, in order, and all that are understood."""
    valid = sorted(field.alias or name for name, field in model.model_fields.items())
    return valid, frozenset({*valid, *model.model_fields})


class Part(BaseModel):
    """A table in a TOML file: frozen, and an unknown key is an error that names the nearest valid one."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)
    # What may stand in the place of the table, as JSON Schema, where a shorter form is allowed.
    _short_form: ClassVar[Mapping[str, Any] | None] = None

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        table = handler(core_schema)
        return {"anyOf": [dict(cls._short_form), table]} if cls._short_form else table

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, given: object) -> object:
        valid, names = _keys(cls)
        unknown = [key for key in given if key not in names] if isinstance(given, dict) else []
        if unknown:
            raise PydanticCustomError(
                "unknown_key",
                "unknown key '{key}'",
                {"key": unknown[0], "hint": choices(unknown[0], valid, what="valid keys here")},
            )
        return given
