"""Excel's codes in the languages of reports."""

from __future__ import annotations

import pytest

from reports.render.locales import Locale
from reports.render.number_formats import number_format, number_width

NBSP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("format_", "locale", "code"),
    [
        ("currency", Locale("de", "EUR"), f'#,##0.00"{NBSP}"[$€-407]'),
        ("currency.0", Locale("de_CH", "CHF"), f'[$CHF-807]"{NBSP}"#,##0'),
        ("currency", Locale("fr", "USD"), f'#,##0.00"{NBSP}"[$$US-40C]'),
        ("currency", Locale("zh", "CNY"), "[$¥-804]#,##0.00"),
        ("currency", Locale("ar", "SAR"), f'#,##0.00"{NBSP}"[$ر.س.-C01]'),
        ("currency", Locale("ja", "JPY"), "[$￥-411]#,##0"),
        ("percent", Locale("de"), f'#,##0.0"{NBSP}"%'),
        ("percent.0", Locale("tr"), "%#,##0"),
        ("compact", Locale("de"), f'#,##0.0,,"{NBSP}Mio."'),
        ("compact", Locale("zh"), "#,##0"),
        ("date", Locale("de"), r"dd\.mm\.yyyy"),
        ("date", Locale("fr"), r"[$-40C]d\ mmm\ yyyy"),
        ("date", Locale("zh"), r"yyyy\年m\月d\日"),
        ("datetime", Locale("de"), r"dd\.mm\.yyyy\,\ hh:mm:ss"),
        ("datetime", Locale("en_US"), "[$-409]mmm\\ d\\,\\ yyyy\\,\\ h:mm:ss\\\N{NARROW NO-BREAK SPACE}AM/PM"),
        ("month", Locale("zh"), r"yyyy\年m\月"),
        ("text", Locale("de"), "@"),
    ],
)
def test_codes_are_those_of_the_language(format_: str, locale: Locale, code: str) -> None:
    """Symbols and dates have the place they have in the mail, names of months are in its language."""
    assert number_format(format_, locale, [2_500_000.5]) == code


@pytest.mark.parametrize(
    ("format_", "locale", "characters"),
    [
        ("date", Locale("de"), 10),
        ("datetime", Locale("de"), 20),
        ("date", Locale("zh"), 13),
        ("compact", Locale("zh"), 5),
    ],
)
def test_widths_are_those_of_the_language(format_: str, locale: Locale, characters: int) -> None:
    """A date's, with the seconds that sheets have; a Chinese character takes two."""
    assert number_width(format_, locale, [12_000.0]) == characters
