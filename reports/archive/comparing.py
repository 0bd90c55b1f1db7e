"""Whether two reports are the same, byte for byte, and where they differ if they are not."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO
from itertools import islice
from typing import Any
from zipfile import BadZipFile, ZipFile

import numpy as np
from PIL import Image, UnidentifiedImageError

from reports.archive.remaking import Archive
from reports.errors import LostBytes
from reports.model import Artifact
from reports.pipeline import Produced

MOST = 12  # lines of one difference: enough to see where to look
_CELL = re.compile(rb'<c r="([A-Z]+\d+)"[^>]*?(?:/>|>.*?</c>)', re.DOTALL)
Read = Callable[[str], bytes]
"""Gives stored bytes by their SHA-256."""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One thing that a run made, then and now; `differences` in lines, none where it is the same."""

    name: str
    differences: tuple[str, ...] = ()
    then: bytes | None = None
    now: bytes | None = None

    @property
    def same(self) -> bool:
        return not self.differences


def compare(archive: Archive, made: list[Produced], kept: Mapping[str, str], read: Read) -> Iterator[Compared]:
    """All that the run made beside what was made again; `kept` has the hashes of stored files by their names."""
    for report, now in zip(archive.reports, made, strict=True):
        number = f" {report['folder'].rpartition('/')[2]}" if len(archive.reports) > 1 else ""
        yield _text(f"subject{number}", report["subject"], now.report.subject)
        yield _text(f"body.html{number}", archive.text(report, "body.html"), now.report.html)
        yield _text(f"body.txt{number}", archive.text(report, "body.txt"), now.report.text)
        yield from _files(report["images"], now.report.images, kept, read)
        yield from _files(report["files"], now.files, kept, read)


def _text(name: str, then: str, now: str) -> Compared:
    if then == now:
        return Compared(name=name)
    lines = difflib.unified_diff(then.splitlines(), now.splitlines(), "then", "now", lineterm="", n=0)
    shown = tuple(line if len(line) <= 200 else f"{line[:199]}…" for line in islice(lines, 2, 2 + MOST))
    return Compared(name=name, differences=shown or ("line ends",), then=then.encode(), now=now.encode())


def _files(hashed: Any, now: Any, kept: Mapping[str, str], read: Read) -> Iterator[Compared]:
    made: dict[str, Artifact] = {one.name: one for one in now}
    for one in hashed:
        name, again = one["name"], made.pop(one["name"], None)
        try:
            then = read(one["sha256"] if one["sha256"] in kept.values() else kept.get(name, one["sha256"]))
        except LostBytes as error:
            yield Compared(name=name, differences=(error.what,), now=again.content if again else None)
            continue
        yield _file(one, then, again)
    for name in made:
        yield Compared(name=name, differences=("it was not made then",))


def _file(hashed: Mapping[str, str], then: bytes, again: Artifact | None) -> Compared:
    name = hashed["name"]
    if again is None:
        return Compared(name=name, differences=("it is not made any more",), then=then)
    if hashed["sha256"] == again.sha256:
        return Compared(name=name)
    if "sealed" in hashed:
        return Compared(name=name, differences=("what is in it is another; it is encrypted, so not shown",))
    found = tuple(islice(differences(then, again.content), MOST))
    return Compared(name=name, differences=found or ("the bytes differ",), then=then, now=again.content)


def differences(then: bytes, now: bytes) -> Iterator[str]:
    try:
        yield from _packed(then, now)
    except BadZipFile:
        try:
            yield from _pictured(then, now)
        except UnidentifiedImageError:
            yield f"{len(then):,} bytes then, {len(now):,} now"


def _packed(then: bytes, now: bytes) -> Iterator[str]:
    """The parts of a zip or a workbook that differ, and the first cells that do."""
    with ZipFile(BytesIO(then)) as old, ZipFile(BytesIO(now)) as new:
        names = list(dict.fromkeys([*old.namelist(), *new.namelist()]))
        for name in names:
            one, other = (book.read(name) if name in book.namelist() else None for book in (old, new))
            if one is None or other is None:
                yield f"{name}: only {'now' if one is None else 'then'}"
            elif one != other:
                cells = ", ".join(_cells(one, other))
                yield f"{name}: {f'first in {cells}' if cells else f'{len(one):,} bytes then, {len(other):,} now'}"
        if names and not any(old.read(name) != new.read(name) for name in names if name in new.namelist()):
            yield "the parts are the same, the package around them is not (another zlib?)"


def _cells(then: bytes, now: bytes) -> list[str]:
    old, new = ({found[1]: found[0] for found in _CELL.finditer(part)} for part in (then, now))
    return [place.decode() for place in islice((one for one in {**old, **new} if old.get(one) != new.get(one)), 5)]


def _pictured(then: bytes, now: bytes) -> Iterator[str]:
    with Image.open(BytesIO(then)) as old, Image.open(BytesIO(now)) as new:
        if old.size != new.size:
            yield "{} x {} pixels then, {} x {} now".format(*old.size, *new.size)
            return
        one, other = (np.asarray(picture.convert("RGB"), dtype=int) for picture in (old, new))
    changed = int((one != other).any(axis=2).sum())
    if changed:
        yield f"{changed:,} of {one.shape[0] * one.shape[1]:,} pixels differ"
    else:
        yield "the same pixels, packed otherwise"
