"""A note as one service takes it: its format, its length, its files; what does not fit is told and never just gone."""

from __future__ import annotations

import bisect
import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reports.transports.notes import Note

Format = Literal["text", "html", "markdown"]
SERVES_PAGES = 20_000
"""Characters from which a service that wants HTML is taken to show whole pages of it, as mails are."""
IN_BYTES: Mapping[str, int] = {
    "wecom": 2_048,
    "wecombot": 2_048,
    "dingtalk": 19_000,
    "feishu": 19_000,
    "lark": 19_000,
    "ntfy": 4_096,
    "ntfys": 4_096,
    "workflow": 12_000,
    "workflows": 12_000,
}
"""What is counted in bytes of UTF-8, by the services' own documentation; Teams takes 28 kB of JSON in all."""
IN_ADDRESS = 1_500
"""Bytes of text where a service takes them in the address of the request that has the file, as ntfy does."""
_PAGE = re.compile(r"<\s*(!doctype|html|head|body|style|table|img|div)\b", re.IGNORECASE)
_PICTURE = re.compile(r"""<img\b[^>]*\bsrc=["']cid:[^>]*>""", re.IGNORECASE)
_ALT = re.compile(r"""\balt=(["'])(.*?)\1""", re.IGNORECASE)
_MARGIN = 32  # for the tags around a title that stands in the body


@dataclass(frozen=True)
class Body:
    """What is given to a plugin: a title, a body, and the format in which that is written."""

    title: str
    text: str
    format: Format


@dataclass(frozen=True)
class Taker:
    """A plugin and what it takes; `asked` is the format that its URL asks for, if it does."""

    plugin: Any
    schema: str
    asked: str = ""
    files: bool = False

    @property
    def wants(self) -> str:
        return self.asked or formats(self.plugin)[0]

    @property
    def has_title(self) -> bool:
        return bool(self.plugin.title_maxlen > 0)

    @property
    def serves_pages(self) -> bool:
        return self.wants == "html" and bool(self.plugin.body_maxlen >= SERVES_PAGES)

    @property
    def splits(self) -> bool:
        """Whether its URL asks for a message that is too long to become several."""
        return _name(self.plugin.overflow_mode) == "split"

    def shows(self, page: str) -> bool:
        """Whether it can show that HTML: a page only if it shows pages, plain words with tags else as well."""
        return bool(page) and self.wants != "text" and (self.serves_pages or not _PAGE.search(page))

    def room(self, title: str) -> int:
        """For the body, beside that title."""
        most = IN_BYTES.get(self.schema, self.plugin.body_maxlen)
        if self.files and self.schema.startswith("ntfy"):
            most = IN_ADDRESS
        if not self.has_title or self.plugin.overflow_amalgamate_title or self.schema in IN_BYTES:
            most -= self.count(title) + _MARGIN
        return int(most)

    def length(self, text: str, written: Format) -> int:
        """Of the text once it is in the format that is wanted."""
        from apprise import conversion  # noqa: PLC0415  an optional library

        convert: Callable[..., str] = conversion.convert_between
        return self.count(convert(written, self.wants, text))

    def count(self, text: str) -> int:
        return len(text.encode("utf-8", "replace")) if self.schema in IN_BYTES else len(text)

    def written(self, text: str) -> str:
        """Plain text as HTML where that is wanted: chats keep the ends of lines, pages have tags for them."""
        if self.wants != "html":
            return text
        return html.escape(text, quote=False).replace("\n", "<br/>\n" if self.serves_pages else "\n")


def formats(plugin: Any) -> Sequence[str]:
    """The formats that the plugin takes, its usual one first."""
    given = plugin.notify_format
    return [_name(one) for one in (given if isinstance(given, tuple | list) else (given,))]


def _name(value: object) -> str:
    return str(getattr(value, "value", value))


def fitted(note: Note, taker: Taker) -> Body:
    """The note as that service takes it.

    Its HTML where the service wants some and can show it, else its text; as much of it as there is room for, with a
    sentence that says how much more there is and where.
    """
    title = _cut(note.title, taker.plugin.title_maxlen) if taker.has_title else note.title
    if taker.wants == "html" and not taker.has_title:  # then it stands in the body
        title = html.escape(title, quote=False)
    room, page = taker.room(title), _PICTURE.sub(_in_words, note.html)
    if taker.shows(page) and taker.length(page, "html") <= room:
        return Body(title, page, "html")
    written: Format = "html" if taker.wants == "html" else "text"

    def fits(text: str) -> bool:
        return taker.length(taker.written(text), written) <= room

    text = note.text.strip() or note.title
    if not (fits(text) or taker.splits):
        text = _shortened(text, note.whole, fits)
    return Body(title, taker.written(text), written)


def _in_words(picture: re.Match[str]) -> str:
    """A picture of a mail, which no chat finds in its files: what is said in its place."""
    alt = _ALT.search(picture[0])
    return f"[{alt[2]}]" if alt and alt[2] else ""


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _shortened(text: str, whole: str, fits: Callable[[str], bool]) -> str:
    """As many whole lines as fit, or of the first one as much as does, and the sentence that says what is missing."""
    lines = text.splitlines()

    def first(count: int) -> str:
        left = len(lines) - count
        said = f"Shortened: {left:,} more line{'s' if left > 1 else ''}. {whole}".strip()
        return "\n".join([*lines[:count], "", said])

    def letters(count: int) -> str:
        return f"{text[:count]}…\n\n{f'Shortened. {whole}'.strip()}"

    if most := bisect.bisect_left(range(1, len(lines)), True, key=lambda count: not fits(first(count))):
        return first(most)
    return letters(bisect.bisect_left(range(1, len(text)), True, key=lambda count: not fits(letters(count))))
