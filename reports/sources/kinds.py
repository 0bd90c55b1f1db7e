"""What a column of text holds: for each kind the SQL that tests a value and the SQL that converts it.

The same tests choose a column's kind on a sample and check every value a query reads, so nothing is
converted that would not read the same afterwards: DuckDB's own casts make 715 of 00715, 2 of 1.5 and
1000 of 1_000 without a word. A kind named in `types` is the author's word, and a little more lenient:
an integer may then have leading zeros, a boolean be yes or no.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from reports.sources.engine import literal

SNIFFED = ("boolean", "integer", "number", "date", "datetime")
_YES, _NO = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_REASONS = {
    "integer": "is not a whole number of at most 64 bits",
    "number": "is not a number",
    "boolean": "is neither true nor false",
    "date": "is not a date",
    "datetime": "is not a date with a time",
}


@dataclass(frozen=True, kw_only=True)
class Writing:
    """How a file writes its values."""

    decimal: str = "."
    thousands: str = ""
    date_format: str = ""
    null_words: tuple[str, ...] = ()
    # What stands in a sheet's error cells: of no kind, text included, and no sign of one.
    errors: tuple[str, ...] = ()

    def is_null(self, kind: str, value: str) -> str:
        """SQL that is true where `value` means NULL: a null word, and an empty field save in text."""
        words = [*self.null_words, *([] if kind == "text" else [""])]
        return f"{value} IN ({', '.join(map(literal, words))})" if words else "false"

    def says_nothing(self, kind: str, value: str) -> str:
        """SQL that is true where `value` does not tell whether its column is of `kind`: NULL, or an error cell."""
        return f"({self.is_null(kind, value)} OR {self.is_error(value)})"

    def is_error(self, value: str) -> str:
        """SQL that is true where `value` is what an error cell of a sheet says."""
        return f"{value} IN {_tuple(self.errors)}" if self.errors else "false"

    def is_number(self, value: str) -> bool:
        """Whether a column of numbers could have `value` without a digit lost."""
        plain = value.replace(self.thousands, "") if self.thousands else value
        return bool(re.fullmatch(r"[+-]?(0|[1-9]\d{0,14})(\.\d+)?", plain.replace(self.decimal, ".")))

    def may_be(self, kind: str, value: str) -> bool:
        """False where a look at `value` shows that it is not of `kind`; what may be is tested in SQL."""
        if value in ("", *self.null_words, *self.errors):
            return True
        if kind == "boolean":
            return value.lower() in ("true", "false")
        if kind in ("date", "datetime"):
            return self._formatted(kind) or (value[0].isdigit() and "-" in value)
        return not set(value) - {*"0123456789+-.eE ", self.decimal, *self.thousands}

    def test(self, kind: str, value: str, converted: str, *, pinned: bool) -> str:
        """SQL that is true where the text `value` is of `kind`; false or NULL where it is not.

        `converted` is what `convert` makes of it, or the name of a column that has it.
        """
        if kind == "text":
            return f"NOT ({self.is_error(value)})"
        if kind == "boolean":
            return f"lower({value}) IN {_tuple(_YES + _NO if pinned else ('true', 'false'))}"
        if kind in ("date", "datetime"):
            return self._time_shape(kind, value) + f"{converted} IS NOT NULL"
        plain = self._plain(value)
        if kind == "integer":
            return self._shape(value) + _integer_test(plain, converted, pinned=pinned)
        if kind == "number":
            return self._shape(value) + _number_test(plain, converted)
        scale = int(re.findall(r"\d+", kind)[1])
        digits = f"regexp_full_match({plain}, '[+-]?[0-9]*(\\.[0-9]{{0,{scale}}}0*)?')"
        return f"{self._shape(value)}{digits} AND {converted} IS NOT NULL"

    def convert(self, kind: str, value: str) -> str:
        """SQL for the typed value; NULL where the test of the kind does not hold."""
        if kind == "text":
            return value
        if kind == "boolean":
            return f"lower({value}) IN {_tuple(_YES)}"
        if kind in ("date", "datetime"):
            return self._time(kind, value)
        return f"TRY_CAST({self._plain(value)} AS {_SQL_TYPES.get(kind, kind)})"

    def _plain(self, value: str) -> str:
        plain = f"replace({value}, {literal(self.thousands)}, '')" if self.thousands else value
        return f"replace({plain}, {literal(self.decimal)}, '.')" if self.decimal != "." else plain

    def _shape(self, value: str) -> str:
        """Digits grouped as the file says, so that 1,5 is not taken for fifteen."""
        if self.decimal == "." and not self.thousands:
            return ""
        groups = f"|[0-9]{{1,3}}({re.escape(self.thousands)}[0-9]{{3}})+" if self.thousands else ""
        shape = f"[+-]?([0-9]+{groups})({re.escape(self.decimal)}[0-9]+)?"
        return f"regexp_full_match({value}, {literal(shape)}) AND "

    def _time_shape(self, kind: str, value: str) -> str:
        """ISO 8601 where no format is given: DuckDB also reads 'epoch', 2026/1/2 and a zone, which it drops."""
        if self._formatted(kind):
            return ""
        day = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
        clock = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
        shape = day if kind == "date" else f"{day}({clock})?"
        return f"regexp_full_match({value}, {literal(shape)}) AND "

    def _time(self, kind: str, value: str) -> str:
        sql_type = _SQL_TYPES[kind]
        if self._formatted(kind):
            return f"CAST(try_strptime({value}, {literal(self.date_format)}) AS {sql_type})"
        return f"TRY_CAST({value} AS {sql_type})"

    def _formatted(self, kind: str) -> bool:
        """Whether `date_format` speaks of this kind: with hours in it of datetimes, without of dates."""
        with_clock = bool(re.search(r"%[HIMSfpXc]", self.date_format))
        return bool(self.date_format) and with_clock == (kind == "datetime")


_SQL_TYPES = {
    "integer": "BIGINT",
    "number": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "text": "VARCHAR",
    "boolean": "BOOLEAN",
}


def _tuple(words: Iterable[str]) -> str:
    return f"({', '.join(map(literal, words))})"


def _integer_test(plain: str, converted: str, *, pinned: bool) -> str:
    if pinned:
        return f"regexp_full_match({plain}, '[+-]?[0-9]+') AND {converted} IS NOT NULL"
    return f"CAST({converted} AS VARCHAR) = {plain}"


def _number_test(plain: str, converted: str) -> str:
    # Sixteen digits without a point are an identifier that a float would round.
    exact = f"isfinite({converted}) AND (length({plain}) < 16 OR contains({plain}, '.'))"
    return f"({converted} < 1e15 AND {converted} > -1e15 OR {exact})"


def sample_test(writing: Writing, kind: str, value: str) -> str:
    """The test by which a sample chooses a kind: as at reading, and a number is digits that do not begin with 0."""
    test = f"coalesce({writing.test(kind, value, writing.convert(kind, value), pinned=False)}, false)"
    ids = f" AND NOT regexp_matches({value}, '^[+-]?0[0-9]|_|^[0-9]{{16}}')"
    return test + ids if kind == "number" else test


def sql_type(kind: str) -> str:
    """The DuckDB type of a kind."""
    return _SQL_TYPES.get(kind, kind.upper())


def joined(kinds: Iterable[str]) -> str:
    """The one kind for a column that has `kinds` in several files; empty strings say nothing."""
    present = set(kinds) - {""}
    if len(present) == 1:
        return present.pop()
    for wider in ({"integer", "number"}, {"date", "datetime"}):
        if present == wider:
            return max(wider, key=SNIFFED.index)
    return "text"


def reason(kind: str, value: str) -> str:
    """Why `value` is not of `kind`, in words."""
    if kind == "integer" and re.fullmatch(r"[+-]?0\d+", value):
        return "has leading zeros, which an integer would lose"
    if kind.startswith("decimal"):
        return f"is not a {kind}"
    return _REASONS[kind]
