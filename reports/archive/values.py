"""Single values as JSON and back, to the last digit and of the same type.

What JSON has is itself; anything else is an object with one key that begins with $: {"$decimal": "1.10"}.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd


class Unkept(Exception):
    """A value that cannot be written down exactly; its argument is the type's name."""


def written(value: Any) -> Any:
    """`value` as JSON; Unkept where that is not possible."""
    if value is None or type(value) in {str, bool, int}:
        return value
    if type(value) is float:
        return value if math.isfinite(value) else {"$float": repr(value)}
    for kind, known, write, _ in _KINDS:
        if known(value):
            return {f"${kind}": write(value)}
    raise Unkept(type(value).__name__)


def read(kept: Any) -> Any:
    """What `written` was given."""
    if not isinstance(kept, dict):
        return kept
    ((kind, inner),) = kept.items()
    return _READ[kind.removeprefix("$")](inner)


def written_all(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: written(value) for name, value in values.items()}


def read_all(kept: Mapping[str, Any]) -> dict[str, Any]:
    return {name: read(value) for name, value in kept.items()}


def _exactly(kind: type) -> Callable[[Any], bool]:
    return lambda value: type(value) is kind


def _is_moment(value: Any) -> bool:
    """Whether it is on the clock of nowhere, of an offset, or of a zone that has a name."""
    known = type(value) is dt.datetime
    return known and (value.tzinfo is None or type(value.tzinfo) is dt.timezone or bool(_zone(value)))


def _is_time(value: Any) -> bool:
    return type(value) is dt.time and (value.tzinfo is None or type(value.tzinfo) is dt.timezone)


def _zone(moment: dt.datetime) -> str | None:
    """The name of the moment's zone, where it has one; those without are written with their offset."""
    return getattr(moment.tzinfo, "key", None)


def _write_moment(moment: dt.datetime) -> list[Any]:
    zone = _zone(moment)
    return [(moment.replace(tzinfo=None) if zone else moment).isoformat(), zone, moment.fold]


def _read_moment(kept: list[Any]) -> dt.datetime:
    clock, zone, fold = kept
    moment = dt.datetime.fromisoformat(clock).replace(fold=fold)
    return moment.replace(tzinfo=ZoneInfo(zone)) if zone else moment


def _write_stamp(stamp: Any) -> list[Any]:
    return [str(stamp.asm8.view("int64")), stamp.unit, str(stamp.tz) if stamp.tz else None]


def _read_stamp(kept: list[Any]) -> Any:
    stamp = pd.Timestamp(np.datetime64(int(kept[0]), kept[1]))
    return stamp.tz_localize("UTC").tz_convert(kept[2]) if kept[2] else stamp


def _write_bytes(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _is_scalar(value: Any) -> bool:
    return isinstance(value, np.generic) and value.dtype.kind in "biufcmM"


def _write_scalar(value: np.generic) -> list[str]:
    return [value.dtype.str, _write_bytes(value.tobytes())]


def _read_scalar(kept: list[str]) -> Any:
    return np.frombuffer(base64.b64decode(kept[1]), kept[0])[0]


_KINDS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], Any], Callable[[Any], Any]], ...] = (
    ("float", lambda _: False, repr, float),
    ("NaT", lambda value: value is pd.NaT, lambda _: 0, lambda _: pd.NaT),
    ("NA", lambda value: value is pd.NA, lambda _: 0, lambda _: pd.NA),
    ("decimal", _exactly(Decimal), str, Decimal),
    ("date", _exactly(dt.date), dt.date.isoformat, dt.date.fromisoformat),
    ("datetime", _is_moment, _write_moment, _read_moment),
    (
        "time",
        _is_time,
        lambda value: [value.isoformat(), value.fold],
        lambda kept: dt.time.fromisoformat(kept[0]).replace(fold=kept[1]),
    ),
    (
        "timedelta",
        _exactly(dt.timedelta),
        lambda value: [value.days, value.seconds, value.microseconds],
        lambda kept: dt.timedelta(*kept),
    ),
    ("bytes", _exactly(bytes), _write_bytes, base64.b64decode),
    ("uuid", _exactly(UUID), str, UUID),
    ("timestamp", _exactly(pd.Timestamp), _write_stamp, _read_stamp),
    (
        "duration",
        _exactly(pd.Timedelta),
        lambda value: [str(value.asm8.view("int64")), value.unit],
        lambda kept: pd.Timedelta(np.timedelta64(int(kept[0]), kept[1])),
    ),
    ("numpy", _is_scalar, _write_scalar, _read_scalar),
    ("list", _exactly(list), lambda value: [*map(written, value)], lambda kept: [*map(read, kept)]),
    ("tuple", _exactly(tuple), lambda value: [*map(written, value)], lambda kept: tuple(map(read, kept))),
    (
        "dict",
        _exactly(dict),
        lambda value: [[written(key), written(one)] for key, one in value.items()],
        lambda kept: {read(key): read(one) for key, one in kept},
    ),
)  # fmt: skip
_READ = {kind: reader for kind, _, _, reader in _KINDS}
