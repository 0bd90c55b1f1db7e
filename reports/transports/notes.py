"""What is said on a channel that is no mail, and the bytes it is kept as: serialised once, like a mail's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports.model import Artifact


@dataclass(frozen=True, kw_only=True)
class Note:
    """A message for people in a chat: a title, its whole text, and what the channel may show instead of that.

    `html` is for channels that take it, `blocks` are Slack's Block Kit. `files` go with it, pictures in their place
    among them where they have a `cid`.
    """

    title: str
    text: str
    html: str = ""
    blocks: Sequence[Mapping[str, Any]] = ()
    files: Sequence[Artifact] = ()


def pack(note: Note) -> bytes:
    """The note as bytes, the same for equal notes."""
    said = {"title": note.title, "text": note.text, "html": note.html, "blocks": list(note.blocks)}
    return json.dumps({**said, "files": [_file(one) for one in note.files]}, ensure_ascii=False, indent=1).encode()


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
