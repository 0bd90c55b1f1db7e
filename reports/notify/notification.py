"""What a script says: texts, HTML, pictures, tables and files, all read and checked when it is said."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from typing import Any

from reports.errors import DefinitionError
from reports.model import Artifact, Block, Picture, Status, Table
from reports.notify import pieces
from reports.transports.address import clean

NAME = "(notify)"
"""What stands for the job in a run that is a script's message."""
SUBJECT = 78
"""Characters of a text's first line that become the subject where none is given."""
LONG = 20_000
"""Characters of a text that a mail shows; a longer one is attached as well."""
ROWS, CELLS = 40, 600
"""A table with more than these is cut in the mail, and attached whole."""
_FORBIDDEN = re.compile(r"[^\w (),-]+")
_CID = re.compile(r"""(["'(]\s*cid:)([^"')\s]+)""")


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A finished message to nobody in particular: it can be sent any number of times, on any channel.

    `text` is said first, or `html` in its place where it can be shown; both say the same. `blocks` follow in reading
    order, for each of whose pictures and charts that are drawn `images` has one, in their order; `shown` are pictures
    in the HTML itself. `notices` must not be missed. The heading is `title`, or else the subject.
    """

    subject: str
    title: str = ""
    status: Status | None = None
    text: str = ""
    html: str = field(default="", repr=False)
    blocks: Sequence[Block] = ()
    images: Sequence[Artifact] = ()
    shown: Sequence[Artifact] = ()
    attachments: Sequence[Artifact] = ()
    notices: Sequence[str] = ()

    @property
    def files(self) -> Sequence[Artifact]:
        """All that it carries besides words."""
        return [*self.images, *self.shown, *self.attachments]


def message(
    text: Any = (),
    html: Any = (),
    *,
    subject: str = "",
    img: Any = (),
    attachments: Any = (),
    tables: Any = (),
) -> Notification:
    """The parts as one message, in this order: text or HTML, tables, pictures, and the files beside it.

    Args:
        text: one or several texts; blank lines separate paragraphs.
        html: one or several pieces of HTML; a text is made of it where none is given, and the other way round.
        subject: the first line of the text by default.
        img: one picture or a list: a path, bytes, a matplotlib Figure, a PIL image, or (picture, alternative text).
            HTML may show one in its place as <img src="cid:NAME">, by the file's name or its number.
        attachments: one file or a list: a path, (name, bytes or DataFrame), or a DataFrame; or a dict of these by name.
        tables: one DataFrame or a list, (title, frame), or a dict of frames by title.

    Raises:
        ReportsError: a part is missing, broken, empty or of no kind that can be sent; it is named.
    """
    texts, markup = _texts(text, "text"), _texts(html, "html")
    images = [pieces.picture(one, number=at, where=where) for at, one, where in _each(img, "img", pairs=True)]
    parts = _Parts(text="\n\n".join(texts), html="\n".join(markup))
    parts.attach(attachments)
    parts.show(tables)
    parts.draw(_once(images))
    return parts.message(subject)


@dataclass
class _Parts:
    """A message in the making."""

    text: str
    html: str
    blocks: list[Block] = field(default_factory=list)
    images: list[Artifact] = field(default_factory=list)
    shown: list[Artifact] = field(default_factory=list)
    files: list[Artifact] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def attach(self, attachments: Any) -> None:
        given = list(attachments.items()) if isinstance(attachments, Mapping) else attachments
        for at, one, where in _each(given, "attachments", pairs=True):
            artifact, said = pieces.filed(one, number=at, where=where)
            self.files.append(artifact)
            self.notices += said
        if len(self.text) > LONG:
            self.notices.append("This text is too long for a mail; all of it is in the attached message.txt.")
            self.files.append(
                Artifact(name="message.txt", media_type="text/plain", content=self.text.encode("utf-8", "replace"))
            )

    def show(self, tables: Any) -> None:
        """Tables, the large ones also as a file."""
        given = list(tables.items()) if isinstance(tables, Mapping) else tables
        for at, one, where in _each(given, "tables", pairs=True):
            shown = _table(one, where)
            rows, columns = len(shown.frame), len(shown.columns)
            if rows > ROWS or rows * columns > CELLS:
                shown = self._whole(shown, f"table {at}", where)
            self.blocks.append(shown)

    def _whole(self, shown: Table, name: str, where: str) -> Table:
        """The table, which points at a workbook with all of its rows."""
        frame = shown.frame.set_axis([column.label for column in shown.columns], axis=1)
        name = _FORBIDDEN.sub(" ", shown.title).strip() or name
        artifact, said = pieces.filed((f"{name}.xlsx", frame), where=where)
        self.files.append(artifact)
        self.notices += said
        return replace(shown, whole_in=artifact.name)

    def draw(self, pictures: Sequence[Artifact]) -> None:
        """Pictures in the HTML's own places, or below; one that is too heavy for a mail is attached as it is."""
        if not pictures:
            return
        from reports.render import images  # noqa: PLC0415  Pillow, which messages without pictures do without

        placed = self._placed(pictures)
        for picture, fitted in zip(pictures, images.fit(pictures, lambda _: None), strict=True):
            note = ""
            if fitted is not picture:
                became = "It is shown here with fewer colours or points" if fitted else "It is not shown here"
                note = f"{became}; {picture.name} is attached as it was."
                self.files.append(replace(picture, cid=""))
            if picture.cid not in placed:
                self._below(picture, fitted, note)
            else:
                self._in_place(picture, fitted, note)

    def _below(self, picture: Artifact, fitted: Artifact | None, note: str) -> None:
        block = Picture(figure=None, alt=picture.alt, note=note, width=picture.width, drawn=fitted is not None)
        self.blocks.append(block)
        self.images += [fitted] if fitted else []

    def _in_place(self, picture: Artifact, fitted: Artifact | None, note: str) -> None:
        """The tag has the picture's width and words where it has none; or the words stand there alone."""
        tag = re.compile(rf"<img\b[^>]*cid:{re.escape(picture.cid)}[\"'][^>]*>", re.IGNORECASE)
        words = f"<em>{escape(picture.alt)}</em>"
        self.html = tag.sub(lambda found: _sized(found[0], picture) if fitted else words, self.html)
        self.shown += [fitted] if fitted else []
        if note:
            self.notices.append(f"{picture.alt}: {note[0].lower()}{note[1:]}")

    def _placed(self, pictures: Sequence[Artifact]) -> set[str]:
        """The content ids of those that the HTML shows; the names by which it does so become these."""
        named = {key: one.cid for one in reversed(pictures) for key in _names(one)}
        self.html = _CID.sub(lambda found: found[1] + named.get(found[2].casefold(), found[2]), self.html)
        return {found[2] for found in _CID.finditer(self.html)}

    def message(self, subject: str) -> Notification:
        if not (self.text or self.html or self.blocks or self.files):
            hint = 'give it something: message("upload done", attachments="errors.csv")'
            raise DefinitionError("the message has no text, HTML, picture, table or file", hint=hint)
        return Notification(
            subject=clean(subject, what="the subject", where="subject").strip() or self._subject(),
            text=self.text,
            html=self.html,
            blocks=self.blocks,
            images=self.images,
            shown=self.shown,
            attachments=_once(self.files),
            notices=self.notices,
        )

    def _subject(self) -> str:
        """The first words there are."""
        return next(filter(None, map(_line, self._said())), "Message")

    def _said(self) -> Iterator[str]:
        yield self.text
        if self.html:
            from reports.render import plain  # noqa: PLC0415  a parser of HTML, which other messages do without

            yield plain.title_of(self.html)
            yield plain.of_html(self.html)
        yield from (
            one.title if isinstance(one, Table) else one.alt for one in self.blocks if isinstance(one, Table | Picture)
        )
        yield from (one.name for one in self.files)


def _texts(given: Any, where: str) -> list[str]:
    """The texts that say something."""
    every = _each(given, where)
    for _, one, place in every:
        if not isinstance(one, str):
            hint = f"write it as text, as in {where}=str(value)"
            raise DefinitionError(f"a {type(one).__name__} is no text", where=place, hint=hint)
    return [one for _, one, _ in every if one.strip()]


def _each(given: Any, where: str, *, pairs: bool = False) -> list[tuple[int, Any, str]]:
    """One or many, each with its number and where it stands in the call."""
    every = pieces.several(given, pairs=pairs)
    return [(at, one, f"{where}[{at - 1}]" if len(every) > 1 else where) for at, one in enumerate(every, start=1)]


def _table(given: Any, where: str) -> Table:
    if not isinstance(given, tuple):
        return pieces.table(given, where=where)
    if len(given) != 2 or not isinstance(given[0], str):
        raise DefinitionError(
            "this is no table", where=where, hint='a pair is a title and its frame: ("Errors", frame)'
        )
    return pieces.table(given[1], title=given[0], where=where)


def _line(text: str) -> str:
    """The first line that says something, in as many characters as a subject has."""
    line = next(filter(None, (" ".join(one.split()) for one in text.splitlines())), "")
    line = "".join(one for one in line if one.isprintable())
    return line if len(line) <= SUBJECT else f"{line[: SUBJECT - 1].rstrip()}…"


def _sized(tag: str, picture: Artifact) -> str:
    """The tag with what it lacks: mail clients show all points of a picture where nothing says how wide it is."""
    said = "" if re.search(r"\balt\s*=", tag, re.IGNORECASE) else f' alt="{escape(picture.alt)}"'
    if not re.search(r"\bwidth\b", tag, re.IGNORECASE):
        said += f' width="{picture.width}"'
        if not re.search(r"\bstyle\s*=", tag, re.IGNORECASE):
            said += f' style="width:{picture.width}px;max-width:100%;height:auto"'
    return f"{tag.rstrip('>').rstrip('/').rstrip()}{said}>"


def _names(picture: Artifact) -> set[str]:
    """What HTML may call a picture."""
    number = picture.cid.rpartition("-")[2]
    return {picture.name.casefold(), picture.name.rpartition(".")[0].casefold(), number, picture.cid}


def _once(files: Sequence[Artifact]) -> list[Artifact]:
    """The files, those whose name was there before under another one, for whoever saves them all."""
    taken: set[str] = set()
    kept = []
    for one in files:
        name, number = one.name, 1
        while name.casefold() in taken:
            number += 1
            stem, dot, suffix = one.name.rpartition(".")
            name = f"{stem} ({number}){dot}{suffix}" if stem else f"{one.name} ({number})"
        taken.add(name.casefold())
        kept.append(replace(one, name=name))
    return kept
