"""Names that Excel accepts: of files, worksheets, tables and their headings, none of them twice.

Excel compares names without regard to case, and repairs (that is: damages) a workbook that breaks
one of these rules, so every name goes through here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from reports.render.cells import clean

_SHEET = re.compile(r"[\[\]:*?/\\\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]+")
_FILE = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]+')
_DEVICE = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\s\x00-\x1f\x7f]+")
# What would read as a cell, A1 or R1C1, or is a name that Excel keeps for itself.
_TAKEN = re.compile(r"[a-z]{1,3}\d+|r\d*(c\d*)?|c\d*|print_(area|titles)|true|false", re.IGNORECASE)
_SHEET_LIMIT, _LIMIT, _FILE_LIMIT = 31, 255, 150


def file_name(name: str, suffix: str = ".xlsx") -> str:
    """`name` as a file name that Windows, macOS and Linux can keep, with that suffix at its end."""
    bare = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    bare = _shortened(_FILE.sub("-", bare), _FILE_LIMIT).strip(" .")
    if _DEVICE.fullmatch(bare):
        bare = f"_{bare}"
    return (bare or "report") + suffix


def sheet_names(names: Iterable[str]) -> list[str]:
    r"""Names for worksheets: 31 characters, none of []:*?/\, no apostrophe at an end, no two alike."""
    return _unique(map(_sheet_name, names), _SHEET_LIMIT)


def table_names(sheets: Iterable[str]) -> list[str]:
    """For each worksheet the name of its table: letters, digits and underscores, never a cell's address."""
    return _unique(map(_table_name, sheets), _LIMIT, pattern="{}_{}")


def headings(labels: Iterable[str]) -> list[str]:
    """Column headings of a table: one line each, none empty, no two alike."""
    named = (clean(_UNPRINTABLE.sub(" ", label)).strip() for label in labels)
    return _unique((name or f"Column {n}" for n, name in enumerate(named, start=1)), _LIMIT)


def quoted(sheet: str) -> str:
    """A worksheet's name as references write it."""
    return "'" + sheet.replace("'", "''") + "'"


def specifier(heading: str) -> str:
    """A heading as structured references write it: `[Balance]`, with ' before what has a meaning there."""
    return "[" + re.sub(r"(['\[\]#])", r"'\1", heading) + "]"


def _sheet_name(name: str) -> str:
    bare = _shortened(_SHEET.sub("-", name).strip(), _SHEET_LIMIT).strip("' ") or "Sheet"
    return f"{bare}_" if bare.lower() == "history" else bare


def _table_name(sheet: str) -> str:
    bare = "".join(one if one.isalpha() or one in "0123456789" else "_" for one in sheet).strip("_")
    return bare if bare and bare[0].isalpha() and not _TAKEN.fullmatch(bare) else f"Table_{bare}"


def _unique(names: Iterable[str], limit: int, pattern: str = "{} ({})") -> list[str]:
    taken: set[str] = set()
    chosen = []
    for name in names:
        candidate, number = _shortened(name, limit), 1
        while candidate.casefold() in taken:
            number += 1
            tail = pattern.format("", number)
            candidate = _shortened(name, limit - len(tail)).rstrip() + tail
        taken.add(candidate.casefold())
        chosen.append(candidate)
    return chosen


def _shortened(text: str, limit: int) -> str:
    """The beginning of `text` in at most `limit` of the units Excel counts, which are UTF-16's."""
    return text.encode("utf-16-le", "replace")[: 2 * limit].decode("utf-16-le", "ignore")
