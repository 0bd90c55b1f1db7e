"""What a template sees: a page in written words, cut to the room there is.

Templates never meet a frame or a raw value: whatever they show has been written here, once, so that the
HTML and the plain text of a mail say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.errors import RenderError
from reports.model import Artifact, Block, Chart, Figure, Figures, Page, Picture, Provenance, Table, Text
from reports.render.formats import numeric, written
from reports.render.locales import Locale
from reports.render.numerals import MINUS
from reports.render.tables import MISSING, Room, WrittenTable, lay_out, shortened, width

_PREHEADER = range(40, 91)  # characters that inboxes show beside the subject
_NOTICE = 1440  # a notice may end in the address of a file, which is of no use when cut
# The longest value that fits its card at each size of the figures, in characters.
_SIZES = ((10, "large"), (13, "medium"), (17, "small"))


@dataclass(frozen=True)
class WrittenFigure:
    """A headline figure in words."""

    label: str
    value: str
    note: str
    negative: bool


@dataclass(frozen=True, kw_only=True)
class WrittenFigures:
    """A row of headline figures; `size` is the one size in which all of their values fit."""

    title: str
    figures: Sequence[WrittenFigure]
    size: str
    cut: str
    kind: str = "figures"


@dataclass(frozen=True, kw_only=True)
class WrittenChart:
    """A chart's place: the picture by its content id, and in words what it shows."""

    title: str
    note: str
    alt: str
    cid: str
    width: int
    kind: str = "chart"


@dataclass(frozen=True, kw_only=True)
class WrittenText:
    """Paragraphs of plain text; `as_is` are lines in a fixed-width font, in one paragraph."""

    title: str
    paragraphs: Sequence[str]
    as_is: bool = False
    kind: str = "text"


Part = WrittenFigures | WrittenTable | WrittenChart | WrittenText


@dataclass(frozen=True, kw_only=True)
class WrittenSource:
    """Where a dataset came from."""

    dataset: str
    source: str
    query: str
    rows: str


@dataclass(frozen=True, kw_only=True)
class WrittenPage:
    """All that a template may say; `parts` are in reading order, each with its `kind`."""

    title: str
    subject: str
    as_of: str
    language: str
    direction: str
    preheader: str
    notices: Sequence[str]
    parts: Sequence[Part]
    left_out: str
    sources: Sequence[WrittenSource]


def cells(page: Page, room: Room) -> int:
    """How many cells of tables `write` would make."""
    tables = [block for block in page.blocks[: room.parts] if isinstance(block, Table)]
    return sum(
        min(len(table.frame), table.limit, room.rows) * min(len(table.columns), room.columns) for table in tables
    )


def write(page: Page, images: Sequence[Artifact] = (), *, room: Room | None = None) -> WrittenPage:
    """`page` in words, no more of it than there is room for, and with sentences that say what is not shown.

    `images` has one picture for each chart, in their order, or none at all.
    """
    room, locale = room or Room(), Locale(page.language, page.currency)
    blocks = list(_pictured(page.blocks, images))
    parts = [_part(block, image, locale, room) for block, image in blocks[: room.parts]]
    notices = [shortened(notice, max(room.chars * 6, _NOTICE)) for notice in page.notices[: room.parts]]
    sources = [_source(origin, room.chars) for origin in page.provenance[: room.parts]]
    left_out = [
        _left_out(page.notices, notices, "notices"),
        _left_out(blocks, parts, "parts of the report"),
        _left_out(page.provenance, sources, "datasets"),
    ]
    return WrittenPage(
        title=shortened(page.title, room.chars),
        subject=shortened(page.subject, room.chars),
        as_of=written(page.as_of, "date"),
        language=locale.tag,
        direction=locale.direction,
        preheader=_preheader(page, parts),
        notices=notices,
        parts=parts,
        left_out=" ".join(filter(None, left_out)),
        sources=sources,
    )


def _left_out(every: Sequence[object], shown: Sequence[object], what: str) -> str:
    missing = len(every) - len(shown)
    return f"{missing:,} of {len(every):,} {what} do not fit in this mail." if missing else ""


def _source(origin: Provenance, longest: int) -> WrittenSource:
    return WrittenSource(
        dataset=shortened(origin.dataset, longest),
        source=shortened(origin.source, longest),
        query=origin.query_hash,
        rows=f"{written(origin.rows, 'integer')} row{'' if origin.rows == 1 else 's'}",
    )


def _pictured(blocks: Sequence[Block], images: Sequence[Artifact]) -> Iterator[tuple[Block, Artifact | None]]:
    charts = sum(isinstance(block, Chart | Picture) for block in blocks)
    if images and len(images) != charts:
        raise RenderError(
            f"there are {len(images)} pictures for {charts} charts", hint="draw each chart once, in order"
        )
    pictures = iter(images)
    for block in blocks:
        yield block, next(pictures, None) if isinstance(block, Chart | Picture) else None


def _part(block: Block, image: Artifact | None, locale: Locale, room: Room) -> Part:
    if isinstance(block, Table):
        return lay_out(block, locale=locale, room=room)
    if isinstance(block, Figures):
        return _figures(block, locale, room)
    return _chart(block, image, room) if isinstance(block, Chart | Picture) else _text(block, room)


def _figures(block: Figures, locale: Locale, room: Room) -> WrittenFigures:
    figures = [_figure(item, locale, room.chars) for item in block.items[: room.figures]]
    longest = max((width(figure.value) for figure in figures), default=0)
    every, shown = len(block.items), len(figures)
    return WrittenFigures(
        title=shortened(block.title, room.chars),
        figures=figures,
        size=next((size for most, size in _SIZES if longest <= most), "smallest"),
        cut=f"Showing {shown:,} of {every:,} figures." if every > shown else "",
    )


def _figure(item: Figure, locale: Locale, longest: int) -> WrittenFigure:
    value = written(item.value, item.format, locale) or MISSING
    return WrittenFigure(
        label=shortened(item.label, longest),
        value=shortened(value, max(longest, 140) if numeric(item.format) else longest),
        note=shortened(item.note, longest),
        negative=numeric(item.format) and MINUS in value,
    )


def _chart(block: Chart | Picture, image: Artifact | None, room: Room) -> WrittenChart:
    return WrittenChart(
        title=shortened(block.title, room.chars),
        note=shortened(block.note, room.chars * 4),
        alt=shortened((image and image.alt) or block.alt or block.title, room.chars * 6),
        cid=image.cid if image else "",
        width=image.width if image else 0,
    )


def _text(block: Text, room: Room) -> WrittenText:
    text = shortened(block.text.replace("\r\n", "\n"), room.chars * 40)
    paragraphs = [text.strip("\n").rstrip()] if block.as_is else [one.strip("\n") for one in text.split("\n\n")]
    shown = [one for one in paragraphs if one.strip()]
    return WrittenText(title=shortened(block.title, room.chars), paragraphs=shown, as_is=block.as_is)


def _preheader(page: Page, parts: Sequence[Part]) -> str:
    """The first figures, as many as an inbox shows; what is short says the date, and what there is to see."""
    figures = [figure for part in parts if isinstance(part, WrittenFigures) for figure in part.figures]
    said = ""
    for figure in figures:
        longer = f"{said} \N{MIDDLE DOT} {figure.label} {figure.value}".removeprefix(" \N{MIDDLE DOT} ")
        if len(longer) >= _PREHEADER.stop:
            break
        said = longer
    if len(said) < _PREHEADER.start:
        said = f"{said or page.title} \N{MIDDLE DOT} as of {written(page.as_of, 'date')}"
    for title in filter(None, (part.title for part in parts)):
        if len(said) >= _PREHEADER.start:
            break
        said = f"{said} \N{MIDDLE DOT} {title}"
    return shortened(said, _PREHEADER.stop - 1)
