"""The values of a file, each tested for the type of its column and written as every database reads it.

Values travel as text, so that no digit is lost on the way: what is tested here is exactly what the server converts.
Most columns are sound as they stand, which one look at all of their values shows; one by one they are looked at
only where they are not.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from reports.uploads.columns import Column, Kind

Value = str | bytes | None
Values = Sequence[Value]


class Unfit(Exception):
    """A value that its column cannot hold: the reason in words, and the cause it counts under."""

    def __init__(self, reason: str, cause: str = "wrong type") -> None:
        super().__init__(reason)
        self.reason, self.cause = reason, cause


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How the file writes its values; instants without a zone are of `zone`."""

    decimal: str = "."
    thousands: str = ""
    date_format: str = ""
    null_words: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    zone: str = "UTC"
    _shape: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        mark, group = re.escape(self.decimal), re.escape(self.thousands)
        groups = f"|[0-9]{{1,3}}({group}[0-9]{{3}})+" if group else ""
        object.__setattr__(self, "_shape", re.compile(f"[+-]?([0-9]+{groups})?({mark}[0-9]*)?([eE][+-]?[0-9]+)?"))

    @property
    def nothing(self) -> frozenset[str | None]:
        """What means NULL in most columns."""
        return frozenset({None, "", *self.null_words})

    @property
    def is_plain(self) -> bool:
        return self.decimal == "." and not self.thousands

    def number(self, value: str) -> str:
        """The number as Python writes it."""
        value = value.strip()
        if not self._shape.fullmatch(value):
            raise Unfit("is not a number")
        plain = value.replace(self.thousands, "") if self.thousands else value
        return plain.replace(self.decimal, ".")


def converted(column: Column, texts: Sequence[str | None], writing: Writing) -> tuple[Values, Mapping[int, Unfit]]:
    """The values as they are sent, and by their places those that do not fit."""
    empty = {None, *writing.null_words} if column.kind == "text" and not column.nullable else writing.nothing
    missing = not empty.isdisjoint(texts)
    values: list[Value] = [None if text in empty else text for text in texts] if missing else list(texts)
    present: list[str] = [one for one in values if isinstance(one, str)] if missing else values  # type: ignore[assignment]
    bad: dict[int, Unfit] = {}
    if missing and not column.nullable:
        lacking = Unfit("has no value, and the column needs one", "missing value")
        bad = {place: lacking for place, one in enumerate(values) if one is None}
    if writing.errors.isdisjoint(present) and (test := _AS_IT_IS.get(column.kind)) and test(column, present, writing):
        return values, bad
    one_by_one = _ONE[column.kind]
    for place, value in enumerate(values):
        if isinstance(value, str):
            try:
                values[place] = one_by_one(column, value, writing) if value not in writing.errors else _no_value()
            except Unfit as unfit:
                bad[place] = unfit
    return values, bad


def _no_value() -> str:
    raise Unfit("is what an error cell of the sheet says")


# -- whole columns at a glance --------------------------------------------------------------------------


def all_of(pattern: str, values: Sequence[str]) -> bool:
    """Whether every value is of the pattern, looked at in one go."""
    whole = "\n".join(values)
    if whole.count("\n") != max(len(values) - 1, 0):
        return False
    return bool(re.compile(f"(?:(?:{pattern})(?:\n|\\Z))*+").fullmatch(whole)) if values else True


def _integers(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del writing
    if not all_of("-?[0-9]{1,18}", values):
        return False
    if column.most is None or column.most >= 2**63 - 1:
        return True
    numbers = list(map(int, values))
    return not numbers or (min(numbers) >= (column.least or 0) and max(numbers) <= column.most)


def _decimals(column: Column, values: Sequence[str], writing: Writing) -> bool:
    scale = 30 if column.scale is None else column.scale
    whole = 30 if column.digits is None else column.digits - scale
    if column.exact is not None:
        scale, whole = min(scale, 4), min(whole, column.exact - 4)
    if whole < 1 or not writing.is_plain:
        return False
    return all_of(f"-?[0-9]{{1,{whole}}}" + (rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""), values)


def _numbers(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del column
    return writing.is_plain and all_of(r"-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?", values)


def _dates(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del column
    if writing.date_format or not all_of("[0-9]{4}-[0-9]{2}-[0-9]{2}", values):
        return False
    return _readable(dt.date.fromisoformat, set(values))


def _datetimes(column: Column, values: Sequence[str], writing: Writing) -> bool:
    if writing.date_format or column.separator != " ":
        return False
    scale = min(6, 6 if column.scale is None else column.scale)
    fraction = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    if not all_of(rf"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}{fraction}", values):
        return False
    return _readable(dt.datetime.fromisoformat, {value[:19] for value in values})


def _readable(read: Callable[[str], object], values: set[str]) -> bool:
    try:
        for value in values:
            read(value)
    except ValueError:
        return False
    return True


def _texts(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del writing
    if not values:
        return True
    plain = "".join(values).isascii()
    if column.codec and not plain:
        return False
    if column.length is None:
        return True
    return max(map(len, values)) <= column.length and (plain or column.units == "characters")


def _booleans(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del column, writing
    return set(values) <= {"0", "1"}


def _anything(column: Column, values: Sequence[str], writing: Writing) -> bool:
    del column, values, writing
    return True


_AS_IT_IS: Mapping[Kind, Callable[[Column, Sequence[str], Writing], bool]] = {
    "integer": _integers,
    "decimal": _decimals,
    "number": _numbers,
    "date": _dates,
    "datetime": _datetimes,
    "text": _texts,
    "boolean": _booleans,
    "other": _anything,
}


# -- one value at a time ---------------------------------------------------------------------------------


def _integer(column: Column, value: str, writing: Writing) -> str:
    try:
        plain = writing.number(value)
    except Unfit:
        plain = ""
    if not re.fullmatch(r"[+-]?[0-9]+(\.0*)?", plain):
        raise Unfit("is not a whole number")
    digits = plain.partition(".")[0].lstrip("+")
    if len(digits) > 60 or (column.most is not None and not (column.least or 0) <= int(digits) <= column.most):
        raise Unfit(f"is beyond what the column holds, {column.least or 0:,} to {column.most or 0:,}")
    return digits


def _decimal(column: Column, value: str, writing: Writing) -> str:
    try:
        number = Decimal(writing.number(value))
    except InvalidOperation:
        raise Unfit("is not a number") from None
    if number.adjusted() > 400 or int(number.as_tuple().exponent) < -400:
        raise Unfit("is beyond what the column holds")
    whole, _, fraction = f"{number:f}".lstrip("+-").partition(".")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    if column.scale is not None and len(fraction) > column.scale:
        keeps = f"the column keeps {column.scale}" if column.scale else "the column keeps none"
        raise Unfit(f"has {_digits(len(fraction))} after the point, {keeps}")
    if column.digits is not None and len(whole) > column.digits - (column.scale or 0):
        holds = column.digits - (column.scale or 0)
        raise Unfit(f"has {_digits(len(whole))} before the point, the column holds {holds}")
    if column.exact is not None and len((whole + fraction).strip("0")) > column.exact:
        kept = f"of which this database keeps {column.exact} in a column of this type; as text it keeps all"
        raise Unfit(f"has {_digits(len(whole + fraction))}, {kept}")
    sign = "-" if number.is_signed() and (whole or fraction) else ""
    return f"{sign}{whole or '0'}{f'.{fraction}' if fraction else ''}"


def _digits(count: int) -> str:
    return f"{count} digit{'' if count == 1 else 's'}"


def _number(column: Column, value: str, writing: Writing) -> str:
    del column
    plain = writing.number(value)
    try:
        number = float(plain)
    except ValueError:
        raise Unfit("is not a number") from None
    if number in (float("inf"), float("-inf")):
        raise Unfit("is beyond what the column holds")
    return plain.lstrip("+")


_YES, _NO = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}


def _boolean(column: Column, value: str, writing: Writing) -> str:
    del column, writing
    word = value.strip().lower()
    if word in _YES:
        return "1"
    if word in _NO:
        return "0"
    raise Unfit("is neither true nor false")


def _text(column: Column, value: str, writing: Writing) -> str:
    del writing
    size = len(value)
    if column.codec and not value.isascii():
        try:
            size = len(value.encode(column.codec))
        except UnicodeEncodeError as error:
            raise Unfit(f"has '{value[error.start]}', which a column of this encoding ({column.codec}) lacks") from None
    elif column.units == "UTF-16 units":
        size += sum(sign > "\uffff" for sign in value)
    if column.length is not None and size > column.length:
        raise Unfit(f"is {size:,} {column.units} long, the column holds {column.length:,}", "too long")
    return value


_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2})(?P<seconds>:[0-9]{2})?(?:\.(?P<fraction>[0-9]{1,9}))?"
    r" ?(?P<zone>Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


@dataclass(frozen=True)
class _Moment:
    """A date with a time, as it was written; the parts of a second are digits."""

    at: dt.datetime
    fraction: str = ""
    zone: str = ""


def _moment(value: str, writing: Writing, what: str) -> _Moment:
    value = value.strip()
    try:
        if writing.date_format and (at := _formatted(value, writing.date_format)):
            return _Moment(at.replace(microsecond=0), f"{at:%f}".rstrip("0") if at.microsecond else "")
        if (found := _MOMENT.fullmatch(value)) is None:
            raise Unfit(f"is not {what}")
        clock = f" {found['clock']}{found['seconds'] or ':00'}" if found["clock"] else " 00:00:00"
        at = dt.datetime.fromisoformat(found["day"] + clock)
        return _Moment(at, (found["fraction"] or "").rstrip("0"), _offset(found["zone"] or ""))
    except ValueError:
        raise Unfit(f"is not {what}") from None


def _formatted(value: str, form: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(value, form)  # noqa: DTZ007  what zone it is of the column says
    except ValueError:
        return None


def _offset(zone: str) -> str:
    if zone in ("", "Z"):
        return "+00:00" if zone else ""
    digits = zone[1:].replace(":", "").ljust(4, "0")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59:
        raise ValueError(zone)
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _date(column: Column, value: str, writing: Writing) -> str:
    del column
    moment = _moment(value, writing, "a date")
    if moment.at.time() != dt.time() or moment.fraction or moment.zone:
        raise Unfit("has a time of day, which the column does not keep")
    return moment.at.date().isoformat()


def _datetime(column: Column, value: str, writing: Writing) -> str:
    moment = _moment(value, writing, "a date with a time")
    if moment.zone:
        raise Unfit("has a time zone, which the column does not keep")
    return moment.at.isoformat(column.separator) + _fraction(column, moment.fraction)


def _instant(column: Column, value: str, writing: Writing) -> str:
    moment = _moment(value, writing, "a date with a time")
    zone = moment.zone or _zone_at(moment.at, writing.zone)
    return moment.at.isoformat(column.separator) + _fraction(column, moment.fraction) + zone


def _zone_at(at: dt.datetime, zone: str) -> str:
    offset = f"{at.replace(tzinfo=ZoneInfo(zone)):%z}"
    return f"{offset[:3]}:{offset[3:5]}"


def _fraction(column: Column, digits: str) -> str:
    if column.scale is not None and len(digits) > column.scale:
        keeps = column.scale or "none"
        raise Unfit(f"has {_digits(len(digits))} after the second, the column keeps {keeps}")
    return f".{digits}" if digits else ""


def _time(column: Column, value: str, writing: Writing) -> str:
    moment = _moment(f"2000-01-01 {value.strip()}", writing, "a time of day")
    if moment.zone:
        raise Unfit("has a time zone, which the column does not keep")
    return moment.at.time().isoformat() + _fraction(column, moment.fraction)


def _uuid(column: Column, value: str, writing: Writing) -> str:
    del column, writing
    plain = value.strip().strip("{}")
    if not re.fullmatch(r"[0-9A-Fa-f]{8}(-?[0-9A-Fa-f]{4}){3}-?[0-9A-Fa-f]{12}", plain):
        raise Unfit("is not a UUID")
    digits = plain.replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _binary(column: Column, value: str, writing: Writing) -> bytes:
    del writing
    digits = re.sub(r"^(0x|\\x)", "", value.strip(), flags=re.IGNORECASE)
    if not re.fullmatch(r"([0-9A-Fa-f]{2})*", digits):
        raise Unfit("is not bytes, which are written 0x0A1B")
    if column.length is not None and len(digits) // 2 > column.length:
        raise Unfit(f"is {len(digits) // 2:,} bytes long, the column holds {column.length:,}", "too long")
    return bytes.fromhex(digits)


def _other(column: Column, value: str, writing: Writing) -> str:
    del column, writing
    return value


_ONE: Mapping[Kind, Callable[[Column, str, Writing], str | bytes]] = {
    "integer": _integer,
    "decimal": _decimal,
    "number": _number,
    "boolean": _boolean,
    "text": _text,
    "date": _date,
    "datetime": _datetime,
    "instant": _instant,
    "time": _time,
    "uuid": _uuid,
    "binary": _binary,
    "other": _other,
}
