"""What is known of languages."""

from __future__ import annotations

import pytest

from reports.render.languages import facts, known, lcid, plain_english


@pytest.mark.parametrize("language", ["de", "de-AT", "pt_BR", "zh-Hans", "zh_Hant_TW", "sr-Latn-RS", "EN"])
def test_tags_of_both_spellings_are_known(language: str) -> None:
    """With hyphens as in HTML, with underscores as on Unix."""
    assert known(language)


@pytest.mark.parametrize("language", ["", "xx", "german", "de AT", "../de", "de-", "root", "d", "de\n", '"><b>'])
def test_what_is_no_language_is_not_known(language: str) -> None:
    """It is written as plain English is, and never looked for on disk."""
    assert not known(language)
    assert plain_english(language)
    assert facts(language).language == "en"


@pytest.mark.parametrize(("language", "plain"), [("en", True), ("en-US", False), ("en_GB", False), ("de", False)])
def test_english_of_a_country_is_not_plain(language: str, plain: bool) -> None:  # noqa: FBT001
    """Whoever names a country wants its dates."""
    assert plain_english(language) is plain


@pytest.mark.parametrize(
    ("language", "number"),
    [
        ("de", 0x407),
        ("de-AT", 0xC07),
        ("fr", 0x40C),
        ("zh", 0x804),
        ("zh-TW", 0x404),
        ("en-US", 0x409),
        ("nowhere", 0x409),
    ],
)
def test_excel_names_languages_by_number(language: str, number: int) -> None:
    """A language without a country is that of the country where most speak it."""
    assert lcid(language) == number


def test_a_language_excel_does_not_name() -> None:
    """It has no number."""
    assert lcid("vo") is None
