"""What a template sees: a page in written words, cut to the room there is.

Templates never meet a frame or a raw value: whatever they show has been written here, once, so that the
HTML and the plain text of a mail say the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from reports.errors import RenderError
from reports.limits import PREHEADER
from reports.model import (
    Artifact,
    Block,
    Chart,
    Figure,
    Figures,
    Page,
    Picture,
    Provenance,
    Table,
    Text,
    Theme,
    Tone,
)
from reports.render.changes import Change, change
from reports.render.formats import numeric, written
from reports.render.locales import Locale, noted
from reports.render.numerals import MINUS
from reports.render.tables import MISSING, Room, WrittenTable, empty, lay_out, shortened, width

_NOTICE = 1440  # a notice may end in the address of a file, which is of no use when cut
_TONES: Mapping[Tone, tuple[str, str]] = {
    "": ("", ""),
    "info": ("\N{BLACK CIRCLE}", noted("Note")),
    "good": ("\N{CHECK MARK}", noted("Good")),
    "warning": ("!", noted("Warning")),
    "bad": ("\N{MULTIPLICATION X}", noted("Problem")),
}
_ACROSS = {1: 1, 2: 2, 4: 2}  # figures in a row, where not three
_STATUS = 60  # characters of a status
_DOT = " \N{MIDDLE DOT} "
# The longest value that fits its card at each size of the figures, in characters.
_SIZES = ((10, "large"), (13, "medium"), (17, "small"))


@dataclass(frozen=True)
class WrittenFigure:
    """A headline figure in words; `change` is what became of it since the last run."""

    label: str
    value: str
    note: str
    negative: bool
    change: Change | None = None


@dataclass(frozen=True, kw_only=True)
class WrittenFigures:
    """Headline figures, as many `across` as look well; `size` is the one size in which all of their values fit.

    `compared` is the date of the run that they are compared with, where one of them is.
    """

    title: str
    figures: Sequence[WrittenFigure]
    size: str
    across: int
    cut: str
    compared: str = ""
    kind: str = "figures"


@dataclass(frozen=True, kw_only=True)
class WrittenChart:
    """A chart's place: the picture by its content id, in words what it shows, and a few of its numbers.

    Without a content id there is no picture, and the numbers stand alone; `left_out` is one too heavy for a mail.
    """

    title: str
    note: str
    alt: str
    cid: str
    width: int
    numbers: WrittenTable | None = None
    left_out: bool = False
    word: str = "Chart"
    kind: str = "chart"


@dataclass(frozen=True, kw_only=True)
class WrittenText:
    """Paragraphs of plain text; `as_is` are lines in a fixed-width font, in one paragraph.

    One with a `tone` is set apart, `sign` and `word` saying what for; `joined` says that it follows another such.
    """

    title: str
    paragraphs: Sequence[str]
    as_is: bool = False
    tone: Tone = ""
    sign: str = ""
    word: str = ""
    joined: bool = False
    kind: str = "text"


Part = WrittenFigures | WrittenTable | WrittenChart | WrittenText


@dataclass(frozen=True, kw_only=True)
class WrittenSource:
    """Where a dataset came from."""

    dataset: str
    source: str
    query: str
    rows: str


@dataclass(frozen=True)
class WrittenStatus:
    """What became of it, in a few words with a sign."""

    text: str
    tone: Tone
    sign: str


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
    status: WrittenStatus
    theme: Theme


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
    writer = _Writer(page, locale, room)
    blocks = list(_pictured(page.blocks, images))
    parts = list(_joined([writer.part(block, image) for block, image in blocks[: room.parts]]))
    notices = [shortened(notice, max(room.chars * 6, _NOTICE)) for notice in page.notices[: room.parts]]
    sources = [writer.source(origin) for origin in page.provenance[: room.parts]]
    left_out = [
        _left_out(page.notices, notices, noted("{missing} of {all} notices do not fit in this mail."), locale),
        _left_out(blocks, parts, noted("{missing} of {all} parts of the report do not fit in this mail."), locale),
        _left_out(page.provenance, sources, noted("{missing} of {all} datasets do not fit in this mail."), locale),
    ]
    return WrittenPage(
        title=shortened(page.title, room.chars),
        subject=shortened(page.subject, room.chars),
        as_of=written(page.as_of, "date", locale),
        language=locale.tag,
        direction=locale.direction,
        preheader=writer.preheader(parts),
        notices=notices,
        parts=parts,
        left_out=" ".join(filter(None, left_out)),
        sources=sources,
        status=writer.status(),
        theme=page.theme,
    )


def _left_out(every: Sequence[object], shown: Sequence[object], said: str, locale: Locale) -> str:
    missing = len(every) - len(shown)
    counts = {"missing": locale.integer(missing), "all": locale.integer(len(every))}
    return locale.word(said, **counts) if missing else ""


def _pictured(blocks: Sequence[Block], images: Sequence[Artifact]) -> Iterator[tuple[Block, Artifact | None]]:
    charts = sum(isinstance(block, Chart | Picture) and block.drawn for block in blocks)
    if images and len(images) != charts:
        raise RenderError(
            f"there are {len(images)} pictures for {charts} charts", hint="draw each chart once, in order"
        )
    pictures = iter(images)
    for block in blocks:
        yield block, next(pictures, None) if isinstance(block, Chart | Picture) and block.drawn else None


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """The parts, with those that continue a row of sentences set apart told so."""
    apart = False
    for part in parts:
        if isinstance(part, WrittenText) and part.tone:
            yield replace(part, joined=apart)
            apart = True
        else:
            yield part
            apart = False


@dataclass(frozen=True)
class _Writer:
    """What writes the blocks of one page into the room there is."""

    page: Page
    locale: Locale
    room: Room

    def part(self, block: Block, image: Artifact | None) -> Part:
        if isinstance(block, Table):
            return lay_out(block, locale=self.locale, room=self.room, theme=self.page.theme)
        if isinstance(block, Figures):
            return self._figures(block)
        return self._text(block) if isinstance(block, Text) else self._chart(block, image)

    def source(self, origin: Provenance) -> WrittenSource:
        return WrittenSource(
            dataset=self._short(origin.dataset),
            source=self._short(origin.source),
            query=origin.query_hash,
            rows=self.locale.plural("{count} row", "{count} rows", origin.rows),
        )

    def status(self) -> WrittenStatus:
        """What the page says of itself, or else whether there are notices."""
        word, count = self.locale.word, len(self.page.notices)
        if status := self.page.status:
            said, tone = shortened(status.text, _STATUS), status.tone
        elif count:
            said, tone = self.locale.plural("{count} notice", "{count} notices", count), "warning"
        else:
            said, tone = word("Complete"), "good"
        return WrittenStatus(said, tone, _TONES[tone][0])

    def preheader(self, parts: Sequence[Part]) -> str:
        """The first figures, as many as an inbox shows; what is short says the date, and what there is to see.

        Their changes are said with them where that leaves no figure out.
        """
        plain, changed = self._summed_up(parts, changes=False), self._summed_up(parts, changes=True)
        return changed if changed.count(_DOT) >= plain.count(_DOT) else plain

    def _summed_up(self, parts: Sequence[Part], *, changes: bool) -> str:
        said = ""
        for figure in (one for part in parts if isinstance(part, WrittenFigures) for one in part.figures):
            changed = f" ({figure.change.text})" if changes and figure.change else ""
            longer = f"{said}{_DOT}{figure.label} {figure.value}{changed}".removeprefix(_DOT)
            if len(longer) >= PREHEADER.stop:
                break
            said = longer
        if len(said) < PREHEADER.start:
            date = written(self.page.as_of, "date", self.locale)
            said = f"{said or self.page.title}{_DOT}" + self.locale.word("as of {date}", date=date)
        for title in filter(None, (part.title for part in parts)):
            if len(said) >= PREHEADER.start:
                break
            said = f"{said}{_DOT}{title}"
        return shortened(said, PREHEADER.stop - 1)

    def _short(self, text: str, times: int = 1) -> str:
        return shortened(text, self.room.chars * times)

    def _figures(self, block: Figures) -> WrittenFigures:
        figures = [self._figure(item) for item in block.items[: self.room.figures]]
        longest = max((width(figure.value) for figure in figures), default=0)
        every, shown = len(block.items), len(figures)
        counts = {"shown": self.locale.integer(shown), "all": self.locale.integer(every)}
        compared = self.page.compared if any(figure.change for figure in figures) else None
        return WrittenFigures(
            title=self._short(block.title),
            figures=figures,
            size=next((size for most, size in _SIZES if longest <= most), "smallest"),
            across=_ACROSS.get(shown, 3),
            cut=self.locale.word("Showing {shown} of {all} figures.", **counts) if every > shown else "",
            compared=written(compared, "date", self.locale),
        )

    def _figure(self, item: Figure) -> WrittenFigure:
        value = written(item.value, item.format, self.locale) or MISSING
        number = numeric(item.format)
        return WrittenFigure(
            label=self._short(item.label),
            value=shortened(value, max(self.room.chars, 140) if number else self.room.chars),
            note=self._short(item.note),
            negative=number and MINUS in value,
            change=change(item, self.locale),
        )

    def _chart(self, block: Chart | Picture, image: Artifact | None) -> WrittenChart:
        return WrittenChart(
            word=self.locale.word("Chart") if isinstance(block, Chart) else self.locale.word("Picture"),
            title=self._short(block.title),
            note=self._short(block.note, 4),
            alt=self._short((image and image.alt) or block.alt or block.title, 6),
            cid=image.cid if image else "",
            width=image.width if image else 0,
            left_out=not block.drawn,
            numbers=self._numbers(block, image) if isinstance(block, Chart) else None,
        )

    def _numbers(self, block: Chart, image: Artifact | None) -> WrittenTable | None:
        if not (self.room.numbers and (block.numbers or not image or self.room.every_number)):
            return None
        from reports.render import numbers  # noqa: PLC0415  matplotlib, which pages without charts do without

        return numbers.table(block, self.locale)

    def _text(self, block: Text) -> WrittenText:
        text = self._short(empty(block.text, self.locale).replace("\r\n", "\n"), 40)
        paragraphs = [text.strip("\n").rstrip()] if block.as_is else [one.strip("\n") for one in text.split("\n\n")]
        sign, word = _TONES[block.tone]
        return WrittenText(
            title=self._short(block.title),
            paragraphs=[one for one in paragraphs if one.strip()],
            as_is=block.as_is,
            tone=block.tone,
            sign=sign,
            word=self.locale.word(word) if word else "",
        )
