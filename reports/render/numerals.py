"""The signs of numbers in a language, from Unicode's tables: what groups digits, and what stands around them.

Digits are the Latin ones everywhere, and a minus is a minus sign (−), no hyphen. English of no country has
the units k, m, bn and tn.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel.numbers import NumberPattern, get_currency_precision, parse_pattern

from reports.render.languages import facts, plain_english

MINUS = "\N{MINUS SIGN}"
_NO_BREAK = "\N{NO-BREAK SPACE}"
_HOUSE_UNITS = ("k", "m", "bn", "tn")
_PAIRS = re.compile(r"(?<=\d)(?=(?:\d\d)+$)")
_QUOTED = re.compile("'([^']*)'")


@dataclass(frozen=True)
class Style:
    """How numbers are written: the texts before and after the digits, plain and negative, and the marks among them."""

    before: tuple[str, str]
    after: tuple[str, str]
    marks: Mapping[int, str]
    pairs: bool = False  # digits beyond thousands in pairs, as in India

    def write(self, number: Decimal, *, negative: bool = False) -> str:
        """A rounded number, given without its sign; a zero has none."""
        digits = f"{number:,f}"
        if self.pairs and number >= 1000:
            digits = _paired(digits)
        minus = negative and bool(number)
        return self.before[minus] + digits.translate(self.marks) + self.after[minus]

    def words(self, text: str, *, negative: bool) -> str:
        """What is no number of digits, such as infinity."""
        return self.before[negative] + text + self.after[negative]


@dataclass(frozen=True)
class Step:
    """A unit such as `Mio.`: from which number on it is used, its size, and the style for each plural form."""

    at: Decimal
    size: Decimal
    styles: Mapping[str, Style]
    plural: Callable[[Decimal], str] = field(repr=False, compare=False)

    def write(self, number: Decimal, *, negative: bool = False) -> str:
        """So many of these units, rounded."""
        form = self.plural(number.normalize()) if len(self.styles) > 1 else "other"
        return self.styles.get(form, self.styles["other"]).write(number, negative=negative)


@lru_cache(maxsize=64)
def plain(language: str) -> Style:
    """Numbers without a unit."""
    return _style(language, facts(language).decimal_formats[None])


@lru_cache(maxsize=64)
def percent(language: str) -> Style:
    """Percentages; the number is one of hundredths."""
    return _style(language, facts(language).percent_formats[None])


@lru_cache(maxsize=256)
def money(language: str, currency: str) -> Style:
    """Amounts of a currency, a code such as EUR."""
    return _style(language, facts(language).currency_formats["standard"], currency)


def symbol(language: str, currency: str) -> str:
    """What stands for a currency: € for EUR."""
    return str(facts(language).currency_symbols.get(currency, currency))


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """The decimals of amounts: 2 of most currencies, none of yen."""
    return get_currency_precision(currency)


@lru_cache(maxsize=256)
def steps(language: str, currency: str = "") -> Sequence[Step]:
    """The units of large numbers, or of large amounts of a currency, from none at all to the largest."""
    ones = money(language, currency) if currency else plain(language)
    first = Step(Decimal(0), Decimal(1), {"other": ones}, facts(language).plural_form)
    if plain_english(language):
        return (first, *_house_steps(first, ones))
    found = [first]
    for step in _unicode_steps(first, ones, language, currency):
        if (step.size, step.styles) != (found[-1].size, found[-1].styles):
            found.append(step)
    return (first, *map(_ungrouped, found[1:-1]), found[-1])


def _house_steps(first: Step, ones: Style) -> Iterator[Step]:
    for power, unit in enumerate(_HOUSE_UNITS, start=1):
        size = Decimal(1000) ** power
        style = replace(ones, after=(unit + ones.after[0], unit + ones.after[1]))
        yield replace(first, at=size, size=size, styles={"other": style})


def _unicode_steps(first: Step, ones: Style, language: str, currency: str) -> Iterator[Step]:
    known = facts(language)
    forms: Mapping[str, Any] = (known.compact_currency_formats if currency else known.compact_decimal_formats)["short"]
    for at in sorted(map(int, forms["other"])):
        patterns = {form: parse_pattern(of[str(at)]) for form, of in forms.items() if str(at) in of}
        zeros = patterns["other"].pattern.count("0")
        if patterns["other"].pattern == "0":  # such a number is written in full
            yield replace(first, at=Decimal(at), styles={"other": ones})
            continue
        other = _style(language, patterns["other"], currency)
        styles = {form: _style(language, pattern, currency) for form, pattern in patterns.items()}
        differing = {form: style for form, style in styles.items() if style != other}
        yield replace(first, at=Decimal(at), size=Decimal(at) / 10 ** (zeros - 1), styles={"other": other} | differing)


def _ungrouped(step: Step) -> Step:
    """Numbers of a unit have few digits: 1234.6万."""
    return replace(step, styles={form: _without_groups(style) for form, style in step.styles.items()})


def _without_groups(style: Style) -> Style:
    return replace(style, marks={**style.marks, ord(","): ""}, pairs=False)


# -- from Unicode's patterns ----------------------------------------------------------------------


def _style(language: str, pattern: NumberPattern, currency: str = "") -> Style:
    every = facts(language).number_symbols
    signs = every.get("latn", every)
    sign = symbol(language, currency)

    def said(text: str) -> str:
        text = _QUOTED.sub(r"\1", text)
        return text.replace("-", _minus(signs)).replace("%", signs["percentSign"]).replace("¤", sign)

    return Style(
        before=(said(_before(pattern.prefix[0], sign)), said(_before(pattern.prefix[1], sign))),
        after=(said(_after(pattern.suffix[0], sign)), said(_after(pattern.suffix[1], sign))),
        marks={
            ord(","): (currency and signs.get("currencyGroup")) or signs["group"],
            ord("."): (currency and signs.get("currencyDecimal")) or signs["decimal"],
        },
        pairs=pattern.grouping[1] == 2,
    )


def _minus(signs: Mapping[str, str]) -> str:
    """The language's own sign with its marks of direction, but never a hyphen."""
    return signs["minusSign"].replace("-", MINUS)


def _before(prefix: str, sign: str) -> str:
    """The letters of a currency do not touch the digits."""
    return prefix + _NO_BREAK if prefix.endswith("¤") and _is_letter(sign[-1:]) else prefix


def _after(suffix: str, sign: str) -> str:
    return _NO_BREAK + suffix if suffix.startswith("¤") and _is_letter(sign[:1]) else suffix


def _is_letter(character: str) -> bool:
    return bool(character) and unicodedata.category(character)[0] not in "SZ"


def _paired(digits: str) -> str:
    whole, dot, fraction = digits.replace(",", "").partition(".")
    return f"{_PAIRS.sub(',', whole[:-3])},{whole[-3:]}{dot}{fraction}"
