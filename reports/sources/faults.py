"""The error cells of an .xlsx workbook (#DIV/0!, #REF! and so on), which calamine gives as empty ones."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from html import unescape
from typing import IO

_BOOK = "xl/workbook.xml"
_TAG = re.compile(r"<(?:\w+:)?(row|c)(?=[\s>/])([^>]*)>")
_VALUE = re.compile(r"<(?:\w+:)?v(?:\s[^>]*)?>([^<]*)<")


def faults(file: IO[bytes], position: int) -> dict[tuple[int, int], str]:
    """What each error cell of the sheet at `position` says, by row and column from 0.

    Only workbooks made of XML (.xlsx, .xlsm) tell their error cells; of any other kind there are none.
    """
    if not zipfile.is_zipfile(file):
        return {}
    with zipfile.ZipFile(file) as parts:
        if _BOOK not in parts.namelist():
            return {}
        sheet = _part(parts, position)
        xml = parts.read(sheet).decode("utf-8", "replace") if sheet in parts.namelist() else ""
    return dict(_cells(xml)) if re.search(r"""\bt=["']e["']""", xml) else {}


def _part(parts: zipfile.ZipFile, position: int) -> str:
    """The name of the part that a sheet is in."""
    sheets = _tags(parts.read(_BOOK), "sheet")
    links = {link["Id"]: link["Target"] for link in _tags(parts.read("xl/_rels/workbook.xml.rels"), "Relationship")}
    target = links[next(value for key, value in sheets[position].items() if key.endswith(":id"))]
    return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")


def _tags(xml: bytes, name: str) -> list[dict[str, str]]:
    found = re.findall(rf"<(?:\w+:)?{name}(\s[^>]*)>", xml.decode("utf-8", "replace"))
    return [_attributes(tag) for tag in found]


def _attributes(tag: str) -> dict[str, str]:
    return {
        key: unescape(one or other)
        for key, one, other in re.findall(r"""([\w:]+)\s*=\s*(?:"([^"]*)"|'([^']*)')""", tag)
    }


def _cells(xml: str) -> Iterator[tuple[tuple[int, int], str]]:
    row, column = -1, -1
    for tag in _TAG.finditer(xml):
        given = _attributes(tag[2])
        if tag[1] == "row":
            row, column = int(given.get("r", row + 2)) - 1, -1
            continue
        # A writer may leave out where a cell is: then it is the next one.
        column = _column(given["r"]) if "r" in given else column + 1
        if given.get("t") == "e" and (value := _VALUE.search(xml, tag.end())):
            yield (row, column), unescape(value[1])


def _column(cell: str) -> int:
    """2 for C7."""
    number = 0
    for letter in re.sub(r"[^A-Z]", "", cell.upper()):
        number = number * 26 + ord(letter) - 64
    return number - 1
