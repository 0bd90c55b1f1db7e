"""What is said on a channel that is no mail, and the bytes it is kept as: serialised once, like a mail's."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from reports.errors import Unsupported
from reports.model import Artifact, Tone, size

OnUnsupported = Literal["say", "link", "fail"]


@dataclass(frozen=True, kw_only=True)
class Note:
    """A message for people in a chat: a title, its whole text, and what the channel may show instead of that.

    `html` is for channels that take it, `blocks` are Slack's Block Kit. `files` go with it, pictures in their place
    among them where they have a `cid`; `links` are addresses where they can be fetched, by their names. `whole` is
    the sentence that says where all of it is, for channels that must leave something out.
    """

    title: str
    text: str
    html: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    files: Sequence[Artifact] = ()
    tone: Tone = ""
    whole: str = ""
    links: Mapping[str, str] = field(default_factory=dict)


def without_files(note: Note, *, taker: str, policy: OnUnsupported) -> Note:
    """The note for a service that takes no files: a line at its end names them, with links where it has any.

    Where the policy is "fail" it is Unsupported instead. `taker` is the service in words.
    """
    if not note.files:
        return note
    several = "s" if len(note.files) > 1 else ""
    if policy == "fail":
        raise Unsupported(
            f"{taker} takes no files, and this message has {len(note.files)} file{several}: {_named(note.files)}",
            hint='send it by mail alone, or set on_unsupported = "say" or "link" for that channel',
        )
    files = [f"{_named([one])}: {note.links[one.name]}" for one in note.files if one.name in note.links]
    rest = [one for one in note.files if one.name not in note.links]
    do = "files do" if len(rest) > 1 else "file does"
    said = [f"{len(rest)} {do} not go by this channel: {_named(rest)}."] if rest else []
    lines = [*files, " ".join([*said, *([note.whole] if note.whole and rest else [])])]
    return ended(replace(note, files=()), [line for line in lines if line])


def ended(note: Note, lines: Sequence[str]) -> Note:
    """The note with more lines at its end, in its text and in its HTML."""
    added = "".join(f"<p>{html.escape(line)}</p>" for line in lines) if note.html else ""
    return replace(note, text="\n\n".join([note.text.rstrip(), *lines]), html=note.html + added)


def _named(files: Sequence[Artifact]) -> str:
    return ", ".join(f"{one.name} ({size(len(one.content))})" for one in files)


def pack(note: Note) -> bytes:
    """The note as bytes, the same for equal notes."""
    said = {name: value for name, value in vars(note).items() if name not in {"blocks", "files"}}
    more = {"blocks": list(note.blocks), "files": [_file(one) for one in note.files]}
    return json.dumps({**said, **more}, ensure_ascii=False, indent=1).encode()


def unpack(content: bytes) -> Note:
    """The note that was packed."""
    said = json.loads(content)
    files = [Artifact(**{**one, "content": base64.b64decode(one["content"])}) for one in said.pop("files")]
    return Note(**said, files=files)


def _file(one: Artifact) -> dict[str, Any]:
    return {
        "name": one.name,
        "media_type": one.media_type,
        "content": base64.b64encode(one.content).decode("ascii"),
        "cid": one.cid,
        "alt": one.alt,
        "width": one.width,
        "plain_sha256": one.plain_sha256,
    }
