"""Values in words, for every format."""

import datetime as dt
import math
import subprocess
import sys
from decimal import ROUND_HALF_UP, Context, Decimal

import numpy as np
import pandas as pd
import pytest
from babel.numbers import get_minus_sign_symbol, parse_decimal
from hypothesis import given
from hypothesis import strategies as st

from reports.errors import RenderError
from reports.render.formats import exact, missing, numeric, step_of, written
from reports.render.languages import facts
from reports.render.locales import Locale
from reports.render.numerals import steps

KINDS = ["text", "integer", "number", "currency", "compact", "percent", "date", "datetime", "month"]


@pytest.mark.parametrize(
    ("value", "format_", "words"),
    [
        (1234567, "integer", "1,234,567"),
        (-1234.5, "number", "−1,234.50"),
        (1234.5, "currency", "$1,234.50"),
        (Decimal("1234.5"), "currency.0", "$1,235"),
        (-5, "currency", "−$5.00"),
        (0.0531, "percent.2", "5.31%"),
        (0.5, "percent", "50.0%"),
        (10**30, "integer", "1,000,000,000,000,000,000,000,000,000,000"),
        (Decimal("-1234567890123456789012345678901.455"), "number", "−1,234,567,890,123,456,789,012,345,678,901.46"),
        (math.inf, "number", "∞"),
        (-math.inf, "currency", "−∞"),
        (np.int64(7), "integer", "7"),
        (np.float32(0.1), "number.1", "0.1"),
        (np.bool_(True), "integer", "1"),
        (1e300, "number", "1.00e+300"),
    ],
)
def test_numbers_are_grouped_and_signed(value: object, format_: str, words: str) -> None:
    """Thousands are separated, a negative has a real minus before its currency, big numbers lose no digit."""
    assert written(value, format_) == words


@pytest.mark.parametrize(
    ("value", "format_", "words"),
    [
        (2.675, "number", "2.68"),
        (Decimal("0.125"), "number", "0.13"),
        (2.5, "integer", "3"),
        (-2.5, "integer", "−3"),
        (0.00049, "percent", "0.0%"),
        (-0.001, "currency", "$0.00"),
    ],
)
def test_halves_round_up_and_nothing_is_no_negative_zero(value: object, format_: str, words: str) -> None:
    """What a person rounds by hand, and no minus before a zero."""
    assert written(value, format_) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "0"), (0.042, "0.042"), (0.5, "0.5"), (2.345, "2.35"), (950, "950"), (999.999, "1k"), (1234, "1.2k"),
        (999_940, "999.9k"), (999_960, "1m"), (12_345_678, "12.3m"), (1.2e9, "1.2bn"), (-3.4e12, "−3.4tn"),
        (1e16, "10,000tn"),
    ],
)  # fmt: skip
def test_compact_has_the_unit_that_reads_best(value: float, words: str) -> None:
    """k, m, bn and tn, the next one as soon as rounding reaches it, and no needless zeros."""
    assert written(value, "compact") == words


def test_compact_keeps_the_decimals_asked_for() -> None:
    """compact.2 always has two decimals."""
    assert [written(value, "compact.2") for value in (5, 1000, 12_345_678)] == ["5.00", "1.00k", "12.35m"]


@pytest.mark.parametrize(
    ("currency", "words"),
    [
        ("EUR", "€1,234.50"), ("CNY", "CN¥1,234.50"), ("JPY", "¥1,235"), ("KWD", "KWD\N{NO-BREAK SPACE}1,234.500"),
        ("CHF", "CHF\N{NO-BREAK SPACE}1,234.50"),
    ],
)  # fmt: skip
def test_currencies_have_their_symbol_and_decimals(currency: str, words: str) -> None:
    """A code without a symbol stands before the number; yen have no cents."""
    assert written(1234.5, "currency", Locale(currency=currency)) == words


@pytest.mark.parametrize("nothing", [None, math.nan, pd.NA, pd.NaT, np.datetime64("NaT"), Decimal("NaN")])
@pytest.mark.parametrize("format_", KINDS)
def test_a_missing_value_is_written_as_nothing(nothing: object, format_: str) -> None:
    """No nan, None, NaT or <NA> in a mail."""
    assert missing(nothing)
    assert written(nothing, format_) == ""


@pytest.mark.parametrize(
    ("value", "format_", "words"),
    [
        (dt.date(2026, 10, 31), "date", "2026-10-31"),
        (dt.date(2026, 10, 31), "datetime", "2026-10-31"),
        (pd.Timestamp("2026-10-31 07:05:09"), "datetime", "2026-10-31 07:05"),
        (pd.Timestamp("2026-10-31 07:05", tz="Asia/Shanghai"), "datetime", "2026-10-31 07:05+08:00"),
        (np.datetime64("2026-10-31T07:05:00"), "date", "2026-10-31"),
        (np.datetime64("2026-10-31"), "month", "2026-10"),
        (pd.Period("2026-10", "M"), "month", "2026-10"),
        ("2026-10-31", "month", "2026-10"),
        ("2026-10-31T07:05:00", "date", "2026-10-31"),
        ("2026-13-31", "date", "2026-13-31"),
        ("soon", "date", "soon"),
    ],
)
def test_dates_come_from_every_kind_of_date(value: object, format_: str, words: str) -> None:
    """Python, NumPy, pandas and ISO text; a text that is no date stays as it is."""
    assert written(value, format_) == words


@pytest.mark.parametrize(
    ("value", "format_", "words"),
    [
        ("1234.5", "currency", "$1,234.50"),
        ("-0.05", "percent", "−5.0%"),
        ("00123", "integer", "00123"),
        ("n/a", "number", "n/a"),
        ("1e5", "number", "1e5"),
    ],
)
def test_text_among_numbers_is_a_number_only_where_it_plainly_is(value: str, format_: str, words: str) -> None:
    """An id with leading zeros and a remark are not bent into numbers."""
    assert written(value, format_) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (" as <it>\tis ", " as <it>\tis "), (20260000000000012345, "20260000000000012345"), (True, "yes"),
        (np.bool_(False), "no"), (Decimal("1E+5"), "100000"), (b"\x01\xff", "01ff"), (1.0, "1.0"),
        (pd.Timestamp("2026-10-31 07:05"), "2026-10-31 07:05"), (pd.Timestamp("2026-10-31"), "2026-10-31"),
        ([1, 2], "[1, 2]"),
    ],
)  # fmt: skip
def test_text_stays_exactly_as_it_is(value: object, words: str) -> None:
    """Text is untouched, ids get no separators, and other values are readable."""
    assert written(value, "text") == words


@given(st.integers())
def test_whole_numbers_lose_no_digit(number: int) -> None:
    """Without its separators, the text is the number again."""
    if abs(number) < 10**100:
        assert int(written(number, "integer").replace(",", "").replace("−", "-")) == number


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20, places=6))
def test_rounding_is_to_the_nearest(number: Decimal) -> None:
    """What is shown is never further away than half of the last decimal."""
    shown = Decimal(written(number, "number").replace(",", "").replace("−", "-"))
    assert abs(shown - number) <= Decimal("0.005")


@given(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.text(), st.dates(), st.binary()),
    st.sampled_from(KINDS),
)
def test_every_value_can_be_written_in_every_format(value: object, format_: str) -> None:
    """No value of a database can break a mail."""
    assert isinstance(written(value, format_), str)


def test_an_unknown_format_is_an_error_that_names_it() -> None:
    """A job built in Python may name a format that no definition has checked."""
    with pytest.raises(RenderError, match="no format 'currencyy'") as caught:
        written(1, "currencyy")
    assert "currency.0" in caught.value.hint


def test_only_number_formats_align_right() -> None:
    """Dates and text read from the left."""
    assert {kind for kind in KINDS if numeric(kind)} == {"integer", "number", "currency", "compact", "percent"}


def test_what_is_no_number_has_no_exact_value() -> None:
    """A total can tell a remark from a number."""
    assert [exact(value) for value in ("n/a", [1], np.array("x"), True)] == [None, None, None, Decimal(1)]


def test_importing_it_imports_no_heavy_library() -> None:
    """It is used everywhere, so it costs nothing."""
    code = "import sys, reports.render.formats; print({'pandas', 'numpy', 'jinja2'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


LANGUAGES = ["en", "en_US", "en_IN", "de", "de_CH", "fr", "zh", "ar", "he", "es", "sv", "tr"]


@pytest.mark.parametrize(
    ("value", "format_", "locale", "words"),
    [
        (-1234567.891, "currency", Locale("de", "EUR"), "−1.234.567,89\xa0€"),
        (1234.5, "currency.0", Locale("fr", "EUR"), "1\u202f235\xa0€"),
        (1234.5, "currency", Locale("en_IN", "JPY"), "JP¥1,235"),
        (12345678, "number", Locale("en_IN"), "1,23,45,678.00"),
        (0.0531, "percent", Locale("de"), "5,3\xa0%"),
        (1234.5678, "compact", Locale("de"), "1.235"),
        (0.0045, "compact", Locale("de"), "0,0045"),
        (12_345_678, "compact", Locale("de"), "12,3\xa0Mio."),
        (-1_249_000_000, "compact", Locale("fr"), "−1,2\xa0Md"),
        (123_456_789, "compact", Locale("zh"), "1.2亿"),
        (99_999_999, "compact", Locale("zh"), "1亿"),
        (12_345_678, "compact.0", Locale("zh"), "1235万"),
        (999_999, "compact", Locale("en_US"), "1M"),
        (1e300, "number", Locale("de"), "1,00e+300"),
        (-math.inf, "currency", Locale("de"), "−∞"),
        ("2026-10-31", "date", Locale("de"), "31.10.2026"),
        (pd.Timestamp("2026-10-31 17:30"), "datetime", Locale("zh"), "2026年10月31日 17:30"),
        (dt.date(2026, 10, 31), "month", Locale("fr"), "oct. 2026"),
        (dt.date(2026, 10, 31), "text", Locale("de"), "31.10.2026"),
        (Decimal("1234.50"), "text", Locale("de"), "1234.50"),
        ("1.234,50", "number", Locale("de"), "1.234,50"),
    ],
)
def test_other_languages_write_their_own(value: object, format_: str, locale: Locale, words: str) -> None:
    """Signs, places, units and dates are the language's; what is text stays as it came."""
    assert written(value, format_, locale) == words


@given(
    st.decimals(-(10**20), 10**20, places=6) | st.integers(-(10**25), 10**25).map(Decimal),
    st.sampled_from(LANGUAGES),
    st.integers(0, 6),
)
def test_a_number_is_read_back_as_what_it_was_rounded_to(number: Decimal, language: str, decimals: int) -> None:
    """In every language the digits are exact, and a reader of that language gets the same number from them."""
    rounded = number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP, Context(prec=60))
    shown = written(number, f"number.{decimals}", Locale(language))
    minus = get_minus_sign_symbol(facts(language))
    assert parse_decimal(shown.replace(minus.replace("-", "−"), "-"), locale=facts(language)) == rounded


@given(
    st.decimals(allow_nan=True, allow_infinity=True) | st.floats() | st.none(), st.sampled_from(LANGUAGES), st.data()
)
def test_nothing_fails_in_any_language(value: object, language: str, draw: st.DataObject) -> None:
    """Missing is nothing at all, whatever else is written, and a minus is only before what is below zero."""
    shown = written(value, draw.draw(st.sampled_from(KINDS[1:6])), Locale(language, "EUR"))
    assert (shown == "") is missing(value)
    assert "−" not in shown or value < 0  # type: ignore[operator]


@given(st.decimals(-(10**16), 10**16, places=2), st.sampled_from(LANGUAGES))
def test_a_compact_number_is_near(number: Decimal, language: str) -> None:
    """It keeps at least one digit behind the largest, and the unit is the one of its size."""
    step = step_of(abs(number), steps(language))
    assert step.at <= abs(number) * Decimal("1.06")
    assert (step.size == 1) == (step is steps(language)[0])
