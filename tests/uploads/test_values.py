"""Values tested for the types of their columns, and written as every database reads them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.uploads.columns import Column, Kind, integer
from reports.uploads.values import Unfit, Writing, converted

PLAIN = Writing()
COMMA = Writing(decimal=",", thousands=".")


def column(kind: Kind, **limits: Any) -> Column:
    return Column(name="x", declared="x", kind=kind, **limits)


def made(of: Column, text: str | None, writing: Writing = PLAIN) -> Any:
    """What becomes of one value: what is sent, or the reason why it is not."""
    values, bad = converted(of, [text], writing)
    return bad[0].reason if bad else values[0]


GOOD: list[tuple[Kind, dict[str, Any], str, Any]] = [
    ("integer", dict(integer(32)), "-2147483648", "-2147483648"),
    ("integer", dict(integer(32)), "+5", "5"),
    ("integer", dict(integer(32)), "007", "007"),
    ("integer", dict(integer(32)), "12.0", "12"),
    ("integer", dict(integer(32)), "", None),
    ("decimal", {"digits": 5, "scale": 2}, "123.45", "123.45"),
    ("decimal", {"digits": 5, "scale": 2}, "00123.4500", "123.45"),
    ("decimal", {"digits": 5, "scale": 2}, "1.5e2", "150"),
    ("decimal", {"digits": 5, "scale": 2}, "-.5", "-0.5"),
    ("decimal", {"digits": 38, "scale": 10}, "1234567890123456789012345678.0123456789",
     "1234567890123456789012345678.0123456789"),
    ("decimal", {}, "9" * 60 + ".1", "9" * 60 + ".1"),
    ("number", {}, "1e300", "1e300"),
    ("boolean", {}, "YES", "1"),
    ("boolean", {}, "f", "0"),
    ("text", {"length": 3}, "中文🎉", "中文🎉"),
    ("text", {"length": 4, "units": "UTF-16 units"}, "中文🎉", "中文🎉"),
    ("text", {"nullable": False}, "", ""),
    ("text", {}, "", None),
    ("date", {}, "2026-01-31", "2026-01-31"),
    ("date", {}, "2026-01-31 00:00:00", "2026-01-31"),
    ("datetime", {"scale": 3}, "2026-01-31T10:00:00.1230000", "2026-01-31 10:00:00.123"),
    ("datetime", {"separator": "T"}, "2026-01-31 10:00", "2026-01-31T10:00:00"),
    ("datetime", {}, "2026-01-31", "2026-01-31 00:00:00"),
    ("instant", {}, "2026-01-31 10:00:00Z", "2026-01-31 10:00:00+00:00"),
    ("instant", {}, "2026-01-31 10:00:00.5 +0530", "2026-01-31 10:00:00.5+05:30"),
    ("time", {"scale": 0}, "23:59", "23:59:00"),
    ("uuid", {}, "{6F9619FF-8B86-D011-B42D-00C04FC964FF}", "6f9619ff-8b86-d011-b42d-00c04fc964ff"),
    ("binary", {"length": 2}, "0x0aFF", b"\x0a\xff"),
    ("other", {}, '{"a": 1}', '{"a": 1}'),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "limits", "text", "sent"), GOOD)
def test_values_that_fit(kind: Kind, limits: dict[str, Any], text: str, sent: Any) -> None:
    """Each is sent with all that it says, and nothing more."""
    assert made(column(kind, **limits), text) == sent


BAD: list[tuple[Kind, dict[str, Any], str, str]] = [
    ("integer", dict(integer(32)), "2147483648", "is beyond what the column holds, -2,147,483,648 to 2,147,483,647"),
    ("integer", dict(integer(8, signed=False)), "-1", "is beyond what the column holds, 0 to 255"),
    ("integer", dict(integer(64)), "9223372036854775808", "is beyond what the column holds"),
    ("integer", dict(integer(64)), "1.5", "is not a whole number"),
    ("integer", dict(integer(64)), "1_000", "is not a whole number"),
    ("integer", dict(integer(64)), "١٢", "is not a whole number"),
    ("decimal", {"digits": 5, "scale": 2}, "1.234", "has 3 digits after the point, the column keeps 2"),
    ("decimal", {"digits": 5, "scale": 2}, "1234", "has 4 digits before the point, the column holds 3"),
    ("decimal", {"digits": 5, "scale": 0}, "1.5", "has 1 digit after the point, the column keeps none"),
    ("decimal", {"exact": 15}, "1234567890123.456", "has 16 digits, of which this database keeps 15"),
    ("decimal", {}, "NaN", "is not a number"),
    ("decimal", {}, "1e999999999", "is beyond what the column holds"),
    ("number", {}, "1e999", "is beyond what the column holds"),
    ("number", {}, "inf", "is not a number"),
    ("boolean", {}, "2", "is neither true nor false"),
    ("text", {"length": 2}, "abc", "is 3 characters long, the column holds 2"),
    ("text", {"length": 3, "units": "UTF-16 units"}, "ab🎉", "is 4 UTF-16 units long, the column holds 3"),
    ("text", {"length": 3, "units": "bytes", "codec": "gbk"}, "中文", "is 4 bytes long, the column holds 3"),
    ("text", {"codec": "cp1252"}, "中文", "has '中', which a column of this encoding (cp1252) lacks"),
    ("date", {}, "2026-02-29", "is not a date"),
    ("date", {}, "31.01.2026", "is not a date"),
    ("date", {}, "2026-W01-1", "is not a date"),
    ("date", {}, "2026-01-31 10:00:00", "has a time of day, which the column does not keep"),
    ("datetime", {"scale": 3}, "2026-01-31 10:00:00.1234", "has 4 digits after the second, the column keeps 3"),
    ("datetime", {}, "2026-01-31 10:00:00+01:00", "has a time zone, which the column does not keep"),
    ("datetime", {}, "2026-01-31 25:00:00", "is not a date with a time"),
    ("time", {}, "24:30", "is not a time of day"),
    ("uuid", {}, "6F9619FF", "is not a UUID"),
    ("binary", {}, "xyz", "is not bytes"),
    ("integer", {"nullable": False}, "", "has no value, and the column needs one"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "limits", "text", "reason"), BAD)
def test_values_that_do_not(kind: Kind, limits: dict[str, Any], text: str, reason: str) -> None:
    """Each with its reason in words."""
    assert str(made(column(kind, **limits), text)).startswith(reason)


def test_instants_without_a_zone_are_of_the_projects() -> None:
    """Summer time and winter time."""
    berlin = Writing(zone="Europe/Berlin")
    assert made(column("instant"), "2026-07-01 10:00:00", berlin) == "2026-07-01 10:00:00+02:00"
    assert made(column("instant"), "2026-01-01 10:00:00", berlin) == "2026-01-01 10:00:00+01:00"


def test_numbers_as_the_file_writes_them() -> None:
    """A comma for the point and points between thousands, and nothing that only looks like that."""
    amount = column("decimal", digits=12, scale=2)
    assert made(amount, "1.234.567,89", COMMA) == "1234567.89"
    assert made(amount, "1234,5", COMMA) == "1234.5"
    assert made(amount, "1.5", COMMA) == "is not a number"
    assert made(column("integer"), "1.000", COMMA) == "1000"


def test_words_that_mean_nothing_and_error_cells() -> None:
    """NULL for the first, in texts as well; a reason for the others, in texts as well."""
    writing = Writing(null_words=frozenset({"NA"}), errors=frozenset({"#N/A"}))
    for kind in ("text", "integer"):
        assert made(column(kind), "NA", writing) is None
        assert made(column(kind), "#N/A", writing) == "is what an error cell of the sheet says"


def test_a_format_of_dates() -> None:
    """Dates by it, or as they always may be."""
    german = Writing(date_format="%d.%m.%Y")
    assert made(column("date"), "31.01.2026", german) == "2026-01-31"
    assert made(column("date"), "2026-01-31", german) == "2026-01-31"
    assert made(column("date"), "01/31/2026", german) == "is not a date"


TEXTS = st.one_of(
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
    st.dates().map(str),
    st.datetimes().map(lambda at: at.isoformat(" ")),
    st.text(max_size=12),
    st.sampled_from(["", "0", "1", "-1", "1\n2", "+1", " 1", "1.50", "00", "2026-02-30", "1e5", "9" * 19]),
)
COLUMNS = [
    column("integer", **integer(16)), column("integer", **integer(64)), column("decimal", digits=12, scale=2),
    column("decimal", digits=12, scale=2, exact=15), column("number"), column("date"), column("datetime", scale=3),
    column("text", length=5), column("text", codec="gbk"), column("boolean"),
]  # fmt: skip


@given(st.sampled_from(COLUMNS), st.lists(TEXTS, max_size=12))
def test_a_glance_at_a_column_finds_what_a_look_at_each_value_finds(of: Column, texts: list[str]) -> None:
    """The same values are refused, and the others mean the same, whether they come together or alone."""
    values, bad = converted(of, texts, PLAIN)
    for place, text in enumerate(texts):
        (alone,), (wrong) = converted(of, [text], PLAIN)
        assert (place in bad) == bool(wrong)
        if not wrong:
            assert _same(values[place], alone)


def _same(one: Any, other: Any) -> bool:
    if one == other or one is None or other is None:
        return bool(one == other)
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except ArithmeticError:
        return str(one).ljust(10) == str(other)[:10] or str(one) == str(other)


def test_an_unfit_value_says_why() -> None:
    """In its words and by its cause."""
    error = Unfit("is too blue", "too long")
    assert (str(error), error.cause) == ("is too blue", "too long")
