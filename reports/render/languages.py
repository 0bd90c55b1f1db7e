"""What is known of a language: that it is one, how its lines run, and what Excel calls it."""

from __future__ import annotations

import re
from functools import lru_cache
from locale import windows_locale

from babel import Locale as Facts
from babel.core import UnknownLocaleError, get_global

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_LCIDS = {name: number for number, name in sorted(windows_locale.items(), reverse=True)}


@lru_cache(maxsize=64)
def facts(language: str) -> Facts:
    """What Unicode's tables say of a language such as de, pt-BR or zh_Hans; of English where they do not know it."""
    return Facts.parse(language.replace("-", "_") if known(language) else "en")


def known(language: str) -> bool:
    """Whether numbers, dates and words of this language are in Unicode's tables."""
    if not _TAG.fullmatch(language):
        return False
    try:
        return bool(Facts.parse(language.replace("-", "_")))
    except (UnknownLocaleError, ValueError):
        return False


def plain_english(language: str) -> bool:
    """Whether it is English of no country: dates are ISO's, and large numbers end in k, m, bn and tn."""
    return str(facts(language)) == "en"


@lru_cache(maxsize=64)
def lcid(language: str) -> int | None:
    """The number by which Excel's formats name a language, 0x407 for de; None where it has none."""
    found = facts(language)
    likely = str(get_global("likely_subtags").get(str(found), found))
    territory = found.territory or Facts.parse(likely).territory
    return _LCIDS.get(f"{found.language}_{territory}")
