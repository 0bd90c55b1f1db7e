"""Our own words in other languages."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from reports.model import Page, Table, Text
from reports.render.locales import CATALOGS, END, LEFT, OWN, Locale
from reports.render.views import write

KEYWORDS = {"word": None, "noted": None, "_": None, "plural": (1, 2)}
LANGUAGES = sorted(path.name for path in CATALOGS.iterdir())


def said(root: Path) -> set[str]:
    """Every sentence that the code and the templates look up."""
    found = [*extract_from_dir(root / "reports", [("**.py", "python")], keywords=KEYWORDS)]
    found += extract_from_dir(root / "templates", [("**.j2", "jinja2")], keywords=KEYWORDS)
    return {text if isinstance(text, str) else text[0] for _, _, text, _, _ in found}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_missing_or_stale_or_loses_a_place(root: Path, language: str) -> None:
    """A catalog has every sentence that is said and no other, and each names the same places in every form."""
    with (CATALOGS / language / "LC_MESSAGES" / "reports.po").open("rb") as file:
        messages = [one for one in read_po(file, locale=language) if one.id]
    assert {one.id if isinstance(one.id, str) else one.id[0] for one in messages} == said(root)
    for one in messages:
        ids, strings = ([each] if isinstance(each, str) else each for each in (one.id, one.string))
        for text in strings:
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", ids[-1]))


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", ("Stand 31.10.2026", "1 Zeile", "2.000 Zeilen")),
        ("de-AT", ("Stand 31.10.2026", "1 Zeile", "2.000 Zeilen")),
        ("fr", ("Arrêté au 31.10.2026", "1 ligne", "2\N{NARROW NO-BREAK SPACE}000 lignes")),
        ("zh-CN", ("截至31.10.2026", "1 行", "2,000 行")),
        ("ja", ("As of 31.10.2026", "1 row", "2,000 rows")),
    ],
)
def test_words_are_those_of_the_language(language: str, words: tuple[str, ...]) -> None:
    """Or English ones, with the numbers of the language, where nobody translated them."""
    locale = Locale(language)
    counted = [locale.plural("{count} row", "{count} rows", count) for count in (1, 2000)]
    assert (locale.word("As of {date}", date="31.10.2026"), *counted) == words


def test_words_and_values_keep_their_direction_from_right_to_left() -> None:
    """What nobody translated runs as English does, and values inside of it as they themselves do."""
    assert Locale("ar").word("As of {date}", date="x") == f"{LEFT}As of {OWN}x{END}{END}"
    assert Locale("ar").signed("+12") == f"{LEFT}+12{END}"
    assert Locale("de").signed("+12") == "+12"


def test_the_owners_words_are_never_looked_up() -> None:
    """Not even where they are also ours, and without marks of direction that theirs have not."""
    page = Page(
        title="x",
        subject="x",
        as_of=dt.date(2026, 10, 31),
        blocks=[Text(text="Total"), Text(text="مرحبا")],
        language="ar",
    )
    assert [part.paragraphs for part in write(page).parts] == [["Total"], ["مرحبا"]]  # type: ignore[union-attr]
    german = write(replace(page, blocks=[Text(text="Total"), Text(text=Table.empty)], language="de"))
    assert [part.paragraphs for part in german.parts] == [["Total"], ["Keine Zeilen."]]  # type: ignore[union-attr]
