"""Bytes for an API that has no envelope: its recipients are those of the headers, so the headers say them.

All else stays as it is, byte for byte. Whoever gets the message without standing in To or Cc is put into a
Bcc, which the API takes out again; whoever stands there and is not to get it is left out of To and Cc.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import parseaddr

from reports.model import Message

_FIELD = re.compile(rb"(?P<name>[!-9;-~]+):(?P<value>[^\n]*\n(?:[ \t][^\n]*\n)*)")
_MAILBOX = re.compile(r'(?:"(?:[^"\\]|\\.)*"|[^,"])+')
_LISTS = {b"to", b"cc"}


def addressed(message: Message, recipients: Sequence[str]) -> bytes:
    """The message's bytes, addressed to those `recipients` and nobody else."""
    head, gap, body = _split(message.content)
    wanted = {recipient.casefold() for recipient in recipients}
    named: set[str] = set()

    def keep(field: re.Match[bytes]) -> bytes:
        name = field["name"].lower()
        if name == b"bcc":
            return b""
        return _kept(field, wanted, named) if name in _LISTS else field[0]

    head = _FIELD.sub(keep, head)
    hidden = [recipient for recipient in recipients if recipient.casefold() not in named]
    bcc = "Bcc: " + ",\r\n ".join(hidden) + "\r\n" if hidden else ""
    return head + bcc.encode() + gap + body


def _split(content: bytes) -> tuple[bytes, bytes, bytes]:
    """The fields with their last line end, the empty line, and the rest."""
    found = re.search(rb"(?<=\n)\r?\n", content)
    if found is None:
        return content if content.endswith(b"\n") else content + b"\r\n", b"\r\n", b""
    return content[: found.start()], found[0], content[found.end() :]


def _kept(field: re.Match[bytes], wanted: set[str], named: set[str]) -> bytes:
    """The field with the mailboxes that are wanted, as they were written; nothing where none is left."""
    value = field["value"].decode("utf-8", "surrogateescape")
    mailboxes = [(text.strip(), parseaddr(text)[1].casefold()) for text in _MAILBOX.findall(value)]
    staying = [text for text, spec in mailboxes if spec in wanted]
    named |= {spec for _, spec in mailboxes if spec in wanted}
    if len(staying) == len(mailboxes) or not any("@" in spec for _, spec in mailboxes):
        return field[0]
    lines = ",\r\n ".join(staying).encode("utf-8", "surrogateescape")
    return field["name"] + b": " + lines + b"\r\n" if staying else b""
