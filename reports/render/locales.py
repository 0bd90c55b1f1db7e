"""The language of a report: its tag and its direction, and our own words in it.

English is the key to every other language: `locale.word("As of {date}", date=...)` looks the sentence up
in the catalog of the language, `locales/<language>/LC_MESSAGES/reports.po`, and says it in English where
there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from reports.render import numerals
from reports.render.languages import facts

CATALOGS = Path(__file__).parent / "locales"


@dataclass(frozen=True)
class Locale:
    """A language, such as de, pt-BR or zh_Hans, and the currency of amounts, a code such as EUR.

    A language that nobody knows is English under its own tag.
    """

    language: str = "en"
    currency: str = "USD"

    @property
    def tag(self) -> str:
        """The language as HTML names it: pt-BR."""
        return self.language.replace("_", "-")

    @property
    def direction(self) -> str:
        """How lines run: ltr or rtl."""
        return facts(self.language).text_direction

    def word(self, text: str, **values: object) -> str:
        """Our own words in this language, by the English ones, with `values` in place of {their names}."""
        said = _catalog(self.language).gettext(text) if text else ""
        return self._turned(said.format(**self.isolated(values)) if values else said)

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """The words for so many, which may say {count} as well: "{count} row", "{count} rows"."""
        said = _catalog(self.language).ngettext(one, many, count)
        return self._turned(said.format(**self.isolated({"count": self.integer(count), **values})))

    def signed(self, number: str) -> str:
        """A number with its sign before it, also among letters that run from right to left."""
        return f"{LEFT}{number}{END}" if self.direction == "rtl" else number

    def isolated(self, values: Mapping[str, object]) -> Mapping[str, object]:
        """Values that keep their own direction inside of ours; with marks that are needed from right to left alone."""
        if self.direction == "ltr":
            return values
        # Added, not formatted: so markup of a template stays markup.
        return {name: OWN + (value if isinstance(value, str) else str(value)) + END for name, value in values.items()}

    def _turned(self, said: str) -> str:
        """A sentence that nobody translated, in English, whose words run from left to right."""
        english = self.direction == "rtl" and type(_catalog(self.language)) is NullTranslations
        return f"{LEFT}{said}{END}" if english and said.strip(" .,") else said

    def integer(self, number: int) -> str:
        """A whole number as sentences say it."""
        return numerals.plain(self.language).write(Decimal(abs(number)), negative=number < 0)


ENGLISH = Locale()
LEFT, OWN, END = "\N{LEFT-TO-RIGHT ISOLATE}", "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def noted(text: str) -> str:
    """`text` itself: marks words of ours for the catalogs that are looked up elsewhere, by a variable."""
    return text


@lru_cache(maxsize=64)
def _catalog(language: str) -> NullTranslations:
    """The nearest catalog to a language: zh_Hant before zh for zh_TW."""
    found = facts(language)
    for name in filter(None, (found.script and f"{found.language}_{found.script}", found.language)):
        path = CATALOGS / name / "LC_MESSAGES" / "reports.po"
        if path.is_file():
            return _read(path, name)
    return NullTranslations()


def _read(path: Path, name: str) -> GNUTranslations:
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=name))
    compiled.seek(0)
    return GNUTranslations(compiled)
