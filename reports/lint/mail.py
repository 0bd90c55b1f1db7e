"""A finished message taken apart again: its head, its tree of parts with their sizes, its HTML and its text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the message: `encoded` counts its bytes as they are sent, `content` is what they mean."""

    depth: int
    media_type: str
    disposition: str
    name: str
    cid: str
    encoded: int
    content: bytes = field(repr=False)

    @property
    def is_multipart(self) -> bool:
        return self.media_type.startswith("multipart/")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """What a client is given. `headers` are decoded, by their names in small letters; of two alike the first."""

    headers: Mapping[str, str]
    parts: Sequence[Part]
    html: str = field(repr=False)
    text: str = field(repr=False)
    size: int
    longest_line: int

    @property
    def subject(self) -> str:
        return self.headers.get("subject", "")

    @property
    def pictures(self) -> Mapping[str, Part]:
        """The inline pictures by content id."""
        return {part.cid: part for part in self.parts if part.cid}

    @property
    def attachments(self) -> Sequence[Part]:
        return [part for part in self.parts if part.disposition == "attachment"]


def read(content: bytes) -> Mail:
    """The message; whatever is wrong with its bytes, what can be read of them is read."""
    message = message_from_bytes(content)
    parts = list(_parts(message, 0))
    bodies = [part for part in parts if part.disposition != "attachment"]
    return Mail(
        headers=_headers(message),
        parts=parts,
        html=next((_text(part) for part in bodies if part.media_type == "text/html"), ""),
        text=next((_text(part) for part in bodies if part.media_type == "text/plain"), ""),
        size=len(content),
        longest_line=max((len(line.rstrip(b"\r")) for line in content.split(b"\n")), default=0),
    )


def _headers(message: Message) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in message.items():
        found.setdefault(name.lower(), _decoded(str(value)))
    return found


def _parts(message: Message, depth: int) -> Iterator[Part]:
    inside = message.get_payload()
    children = [one for one in inside if isinstance(one, Message)] if isinstance(inside, list) else []
    content = b"" if children else message.get_payload(decode=True)
    yield Part(
        depth=depth,
        media_type=message.get_content_type(),
        disposition=message.get_content_disposition() or "",
        name=_decoded(message.get_filename() or ""),
        cid=str(message.get("Content-ID", "")).strip().strip("<>"),
        encoded=sum(len(one.as_bytes()) for one in children) if children else len(str(inside or "")),
        content=content if isinstance(content, bytes) else b"",
    )
    for child in children:
        yield from _parts(child, depth + 1)


def _text(part: Part) -> str:
    return part.content.decode("utf-8", "replace").replace("\r\n", "\n")


def _decoded(value: str) -> str:
    try:
        return " ".join(str(make_header(decode_header(value))).split())
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return " ".join(value.split())
