"""Which installed fonts write a text: one for Latin, others for the characters it lacks.

Where the system has no Chinese font, that of the extra `chinese` is taken: the package's file, without its code,
which would change matplotlib's settings for all.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator, Sequence
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import matplotlib as mpl
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font

SHIPPED = "DejaVu Sans"  # with matplotlib itself, so it is always there
_LATIN = ("Segoe UI", "Helvetica Neue", "Arial", "Liberation Sans", "Noto Sans", SHIPPED)
_EAST_ASIAN = (
    "Noto Sans CJK {0}", "Noto Sans {0}", "Source Han Sans {0}", "Microsoft YaHei", "PingFang {0}",
    "Hiragino Sans GB", "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "SimHei", "Microsoft JhengHei",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Source Han Sans", "Noto Sans CJK JP", "Heiti TC",
    "Droid Sans Fallback", "Arial Unicode MS", "Noto Sans SC",
)  # fmt: skip
_REGIONS = {"ja": "JP", "ko": "KR", "zh-hant": "TC", "zh-tw": "TC", "zh-hk": "HK"}


_PACKAGE = "zhplot"  # carries Noto Sans SC, whose license is the SIL Open Font License
_JOINERS = frozenset("\u200c\u200d")  # not seen, but letters of Persian and Hindi join by them


class MissingFont(UserWarning):
    """No installed font has some characters of a chart."""


def plain(text: str) -> str:
    """One line of `text` without control characters and halves of characters."""
    kept = (char for char in " ".join(text.split()) if unicodedata.category(char)[0] != "C" or char in _JOINERS)
    return "".join(kept)


class Typeface:
    """The fonts of one picture: `language` decides the shapes of Chinese characters.

    `allowed` limits the choice to these families; the font that matplotlib ships may always be used.
    Characters that no font has are written as "?" and remembered in `missing`.
    """

    def __init__(self, language: str = "en", allowed: Collection[str] | None = None) -> None:
        _add_packaged()
        installed = {font.name for font in fontManager.ttflist}
        usable = installed if allowed is None else installed & {*allowed, SHIPPED}
        region = _REGIONS.get(language.lower(), _REGIONS.get(language.lower()[:2], "SC"))
        names = (*_LATIN, SHIPPED, *(name.format(region) for name in _EAST_ASIAN))
        latin = next((name for name in _LATIN if name in usable), SHIPPED)
        self.families = [latin, *(name for name in dict.fromkeys(names[len(_LATIN) :]) if name in usable)]
        self.missing: set[str] = set()
        self.widths: dict[tuple[str, float, bool], float] = {}  # of what was measured: to measure costs time
        self._homes: dict[str, str | None] = {}

    def clean(self, text: str) -> str:
        """One line of `text` with nothing in it that cannot be drawn."""
        return "".join(char if char in _JOINERS or self._home(char) else "?" for char in plain(text))

    def properties(self, text: str, size: float, *, bold: bool = False) -> FontProperties:
        """The fonts that the characters of `text` need, and no more: opening a font costs time."""
        needed = {self._home(char) for char in text if char not in _JOINERS}
        families = (self.families[0], *(name for name in self.families[1:] if name in needed))
        return _properties(families, size, bold=bold)

    def complaint(self) -> str:
        """What to install for the characters that were missing; nothing when none was."""
        if not self.missing:
            return ""
        if any(_is_east_asian(char) for char in self.missing):
            lacking, remedy = "Chinese, Japanese or Korean characters", _EAST_ASIAN_REMEDY
        else:
            lacking, remedy = f"the characters {' '.join(sorted(self.missing))}", "install a font that has them"
        return (
            f"no installed font has {lacking}; charts show ? in their place: {remedy}, then delete "
            f"fontlist-*.json in {mpl.get_cachedir()} and start again"
        )

    def _home(self, char: str) -> str | None:
        if char not in self._homes:
            homes = (name for name in self.families if _font(name).get_char_index(ord(char)))
            self._homes[char] = next(homes, None)
            if self._homes[char] is None:
                self.missing.add(char)
        return self._homes[char]


_EAST_ASIAN_REMEDY = (
    'pip install "reports[chinese]" for Chinese, or install Noto Sans CJK (Debian and Ubuntu: apt install '
    "fonts-noto-cjk; Red Hat: dnf install google-noto-sans-cjk-fonts) or Microsoft YaHei"
)


@lru_cache(maxsize=256)
def _properties(families: Sequence[str], size: float, *, bold: bool) -> FontProperties:
    return FontProperties(family=list(families), size=size, weight="bold" if bold else "normal")


@cache
def _add_packaged() -> None:
    """Makes the extra's font known in this process, once, where the system has none of its own."""
    names = {name.format(region) for name in _EAST_ASIAN for region in ("SC", *_REGIONS.values())}
    if not names & {font.name for font in fontManager.ttflist}:
        for path in _packaged():
            fontManager.addfont(path)


def _packaged() -> Iterator[str]:
    try:
        files = distribution(_PACKAGE).files or ()
    except PackageNotFoundError:
        return
    yield from (str(file.locate()) for file in files if file.suffix in {".ttf", ".otf"})


def _font(family: str) -> Any:
    return get_font(findfont(FontProperties(family=[family])))


def _is_east_asian(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF" and unicodedata.category(char) != "So"
