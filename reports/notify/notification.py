"""What a script says: texts, HTML, pictures, tables and files, all read and checked when it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reports.errors import DefinitionError
from reports.model import Artifact, Table

NAME = "(notify)"
"""What stands for the job in a run that is a script's message."""
_SUBJECT = 78
"""Characters of a text's first line that become the subject where none is given."""


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A finished message to nobody in particular: it can be sent any number of times, on any channel.

    `text` and `html` say the same where both are given. `images` are shown in the message, `tables` below its text.
    """

    subject: str
    text: str = ""
    html: str = ""
    images: Sequence[Artifact] = ()
    tables: Sequence[Table] = ()
    attachments: Sequence[Artifact] = ()


def message(text: str | Sequence[str] = (), *, subject: str = "") -> Notification:
    """The parts as one message; a ReportsError names the part that cannot be sent."""
    said = text if isinstance(text, str) else "\n\n".join(text)
    if not said.strip():
        raise DefinitionError("the message says nothing", hint='give it a text: message("upload done")')
    return Notification(subject=subject or said.strip().splitlines()[0][:_SUBJECT], text=said)
