"""What is told of a watch as one message: its blocks in order, its pictures, and the files that go with it."""

from __future__ import annotations

import logging
import reprlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from reports.errors import ReportsError
from reports.model import Artifact, Block, Chart, Figures, Picture, Text
from reports.notify import charting, measures, pages, pieces
from reports.notify.crashes import MOST
from reports.notify.moments import Extras
from reports.notify.notification import Notification
from reports.notify.pages import Told
from reports.render import images, pictures, themes
from reports.render.locales import Locale
from reports.settings import Settings

_log = logging.getLogger("reports.notify")
_LONGEST = 2_000
"""Characters of a returned value."""
_KEPT = 5_000_000
"""Bytes of a returned file that is attached; a larger one is named."""


def made(told: Told, extras: Extras, settings: Settings, *, chart: bool = False) -> Notification:
    """The message. What cannot be shown, for it cannot be drawn or read, is said in it instead.

    No secret of the settings is in its words, whatever an error or a program has said.
    """
    making = _Making(settings)
    making.draw(extras)
    if chart and not making.blocks:
        making.chart(told)
    making.show(extras)
    making.attach(told, extras)
    troubles = [Text(text=one, tone="warning") for one in making.troubles]
    blocks = [*pages.head(told), *making.blocks, *troubles, *pages.foot(told)]
    return Notification(
        subject=settings.mask(told.subject),
        title=settings.mask(told.title),
        status=told.status,
        blocks=[_masked(one, settings.mask) for one in blocks],
        images=making.images,
        attachments=making.files,
    )


@dataclass
class _Making:
    """What stands between the head and the foot of a message, and beside it."""

    settings: Settings
    blocks: list[Block] = field(default_factory=list)
    images: list[Artifact] = field(default_factory=list)
    files: list[Artifact] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def draw(self, extras: Extras) -> None:
        """The pictures; one that is too heavy for a mail is attached as it was."""
        found = []
        for number, given in enumerate(self._asked(extras.images, "Pictures", pairs=True), start=1):
            with self._telling(f"Picture {number}"):
                image = given if isinstance(given, Artifact) else pieces.picture(given, number=number)
                found.append(replace(image, cid=f"picture-{number}", name=_numbered(image, number)))
        for image, fitted in zip(found, images.fit(found, _log.info), strict=True):
            self.blocks.append(Picture(figure=None, alt=image.alt, width=image.width, drawn=fitted is not None))
            self.images += [fitted] if fitted else []
            self.files += [replace(image, cid="")] if fitted is not image else []

    def chart(self, told: Told) -> None:
        """The metrics over the steps, if there are enough."""
        if drawn := charting.chart(told.standing.points, unit=told.origin.unit):
            theme, locale = themes.resolve_or_plain(self.settings.theme), Locale(self.settings.language)
            with self._telling("The chart"):
                blocks, made = pictures.drawn([drawn], locale, theme, _log.info)
                self.blocks += blocks
                self.images += made

    def show(self, extras: Extras) -> None:
        """The tables."""
        given = self._given(extras.tables, "Tables")
        named = list(given.items()) if isinstance(given, Mapping) else [("", one) for one in pieces.several(given)]
        for title, frame in named:
            with self._telling(f"The table {title}".rstrip()):
                self.blocks.append(pieces.table(frame, title=str(title)))

    def attach(self, told: Told, extras: Extras) -> None:
        """The files, and the traceback where the message has no room for all of it."""
        for number, given in enumerate(self._asked(extras.attachments, "Files", pairs=True), start=1):
            with self._telling(f"File {number}"):
                self.files.append(pieces.file(given, number=number))
        if told.crash and len(told.crash.trace) > MOST:
            whole = self.settings.mask(told.crash.trace).encode("utf-8", "replace")
            self.files.append(Artifact(name="traceback.txt", media_type="text/plain", content=whole))

    def _asked(self, given: Any, what: str, *, pairs: bool) -> Sequence[Any]:
        with self._telling(what):
            return pieces.several(self._given(given, what), pairs=pairs)
        return []

    def _given(self, given: Any, what: str) -> Any:
        """What is given, or what the function that is given gives now."""
        with self._telling(what):
            return given() if callable(given) else given
        return None

    @contextmanager
    def _telling(self, what: str) -> Iterator[None]:
        """What cannot be shown is told instead, whatever code of the work's own has raised."""
        try:
            yield
        except Exception as error:  # noqa: BLE001  the work's own code
            told = error.what if isinstance(error, ReportsError) else f"{type(error).__name__}: {measures.text(error)}"
            _log.warning("%s of a watch cannot be shown: %s", what, told, exc_info=error)
            self.troubles.append(f"{what} cannot be shown: {told}")


def _masked(block: Block, mask: Callable[[str], str]) -> Block:
    if isinstance(block, Text):
        return replace(block, title=mask(block.title), text=mask(block.text))
    if isinstance(block, Figures):
        items = [replace(one, value=mask(one.value)) if isinstance(one.value, str) else one for one in block.items]
        return replace(block, items=items)
    return block


def _numbered(image: Artifact, number: int) -> str:
    """A drawn picture's name says where it stands; a file's is its own."""
    return f"picture-{number}.png" if image.name.startswith("picture-") else image.name


def without_chart(said: Notification) -> Notification:
    """The message without the chart of its metrics, for where each picture is a message of its own."""
    return _only(said, lambda block: not isinstance(block, Chart))


def without_files(said: Notification) -> Notification:
    """The message without pictures and files."""
    return replace(_only(said, lambda block: not isinstance(block, Chart | Picture)), attachments=())


def _only(said: Notification, wanted: Callable[[Block], bool]) -> Notification:
    drawn = [block for block in said.blocks if isinstance(block, Chart | Picture) and block.drawn]
    kept = [image for block, image in zip(drawn, said.images, strict=True) if wanted(block)]
    return replace(said, blocks=[block for block in said.blocks if wanted(block)], images=kept)


@dataclass(frozen=True)
class Returned:
    """What a function gave, as a text, and the files and tables that are in it."""

    text: str = ""
    files: Sequence[Any] = ()
    tables: Mapping[str, Any] = field(default_factory=dict)

    def added(self, extras: Extras) -> Extras:
        """The extras with these behind what is in them."""
        if self.files and not callable(extras.attachments):
            extras = replace(extras, attachments=[*pieces.several(extras.attachments, pairs=True), *self.files])
        if self.tables and not extras.tables:
            extras = replace(extras, tables=self.tables)
        return extras


def returned(value: Any) -> Returned:
    """What a function gave: a table is shown, a small file attached, and anything else written out, if not too long."""
    if value is None:
        return Returned()
    if hasattr(value, "columns") and hasattr(value, "to_csv"):
        return Returned(tables={"Returned": value})
    if isinstance(value, Path):
        small = value.is_file() and value.stat().st_size <= _KEPT
        return Returned(text=str(value), files=[value] if small else [])
    return Returned(text=_written(value))


def _written(value: Any) -> str:
    try:
        text = value if isinstance(value, str) else _REPR.repr(value)
    except Exception as error:  # noqa: BLE001  the value's own code
        text = f"a {type(value).__name__} that cannot be written ({type(error).__name__})"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


_REPR = reprlib.Repr()
_REPR.maxlevel, _REPR.maxdict, _REPR.maxlist, _REPR.maxtuple, _REPR.maxset = 4, 30, 30, 30, 30
_REPR.maxstring, _REPR.maxother = 300, 300
