"""The signs of numbers in the languages of the world."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.localedata import locale_identifiers
from babel.numbers import format_compact_decimal

from reports.render.languages import facts
from reports.render.numerals import MINUS, minor_digits, money, percent, plain, steps

NBSP, NARROW = "\N{NO-BREAK SPACE}", "\N{NARROW NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "currency", "words"),
    [
        ("en", "USD", "−$1,234,567.50"),
        ("en", "CHF", f"−CHF{NBSP}1,234,567.50"),
        ("de", "EUR", f"−1.234.567,50{NBSP}€"),
        ("de-AT", "EUR", f"−€{NBSP}1.234.567,50"),
        ("fr", "EUR", f"−1{NARROW}234{NARROW}567,50{NBSP}€"),
        ("fr_CH", "CHF", f"−1'234'567.50{NBSP}CHF"),
        ("zh", "CNY", "−¥1,234,567.50"),
        ("zh", "USD", "−US$1,234,567.50"),
        ("en-IN", "INR", "−₹12,34,567.50"),
        ("nl", "EUR", f"€{NBSP}−1.234.567,50"),
        ("bn", "EUR", "−12,34,567.50€"),
        ("bn", "XYZ", f"−12,34,567.50{NBSP}XYZ"),
    ],
)
def test_amounts_have_the_signs_of_the_language(language: str, currency: str, words: str) -> None:
    """Symbol, place, groups and decimals are the language's; a currency's letters stand apart from the digits."""
    assert money(language, currency).write(Decimal("1234567.50"), negative=True).replace("\u2019", "'") == words


@pytest.mark.parametrize(("language", "words"), [("en", "−5.3%"), ("de", f"−5,3{NBSP}%"), ("tr", "−%5,3")])
def test_percents_have_the_place_of_the_language(language: str, words: str) -> None:
    """The sign stands before or after, near or apart."""
    assert percent(language).write(Decimal("5.3"), negative=True) == words


def test_every_language_has_all_signs() -> None:
    """No language lacks a pattern, writes another than Latin digits, or tells a negative by a hyphen."""
    for language in locale_identifiers():
        if "_" not in language:
            _has_all_signs(language)


def _has_all_signs(language: str) -> None:
    number = Decimal("1234567.8")
    told = [plain(language), percent(language), money(language, "EUR"), *steps(language)[0].styles.values()]
    for style in told:
        shown = style.write(number, negative=True)
        assert "".join(one for one in shown if one.isdigit()) == "12345678"
        assert MINUS in shown
        assert MINUS not in style.write(Decimal("0.0"), negative=True)
    assert [step.at for step in steps(language, "EUR")] == sorted(step.at for step in steps(language, "EUR"))


@pytest.mark.parametrize("language", ["de", "fr", "zh", "zh_Hant", "en_US", "es", "pt", "ja", "hi", "ru", "pl", "ar"])
@pytest.mark.parametrize("number", [1, 999, 12_000, 3_400_000, 1_200_000_000, 56_000_000_000_000])
def test_units_are_those_of_unicode(language: str, number: int) -> None:
    """What babel writes for a round number is what these units write."""
    step = [step for step in steps(language) if step.at <= number][-1]
    shown = (Decimal(number) / step.size).normalize()
    ours = step.write(Decimal(f"{shown:f}"))
    theirs = format_compact_decimal(number, locale=facts(language), fraction_digits=1)
    assert ours.replace(".", "").replace(NARROW, "") == theirs.replace(".", "").replace(NARROW, "")


@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3), ("XYZ", 2)])
def test_amounts_have_the_decimals_of_their_currency(currency: str, digits: int) -> None:
    """Yen have none, dinars three."""
    assert minor_digits(currency) == digits
