"""A report becomes a message: one tree of MIME parts, serialised once, the same bytes for equal arguments.

    mixed( alternative( plain, related( html, image... ) ), attachment... )

Levels with a single child are left out. The bytes are written here rather than by `email.message`, whose
boundaries are random and whose folding of addresses differs between versions of Python.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from urllib.parse import quote

from reports.errors import DefinitionError
from reports.model import Artifact, Message, Report
from reports.transports.address import Address, clean, parse, parse_all

_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]*/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*", re.IGNORECASE | re.ASCII)
_CID = re.compile(r"[\w.-]+", re.ASCII)
_SHOWN = re.compile(r"""["'(]cid:([^"')]+)["')]""")
_PLAIN_NAME = re.compile(r"[\w.()+,-]([\w .()+,-]*[\w.()+,-])?", re.ASCII)
_LONGEST_NAME = 255  # bytes, as on disk: percent-encoded it still fits on one line of 998


def compose(
    report: Report,
    *,
    sender: str,
    recipients: Sequence[str],
    reply_to: str = "",
    run_id: str,
    date: datetime,
) -> Message:
    """The report as a message from `sender` to `recipients`, byte for byte the same for equal arguments.

    `date` is aware. The Message-ID follows from the run, the job and the recipients, so that every attempt
    carries the same one. A DefinitionError names an address, file name or header that cannot be sent.
    """
    author = parse(sender, where="from")
    to = parse_all(recipients, where="to")
    message_id = _message_id(author, (run_id, report.job, *(address.spec for address in to)))
    headers = [
        ("Date", format_datetime(date)),
        ("From", _mailbox(author)),
        ("To", _mailboxes(to)),
        *([("Reply-To", _mailbox(parse(reply_to, where="reply_to")))] if reply_to else []),
        ("Subject", _words(clean(report.subject, what="the subject", where=report.job))),
        ("Message-ID", message_id),
        ("Auto-Submitted", "auto-generated"),
        ("X-Auto-Response-Suppress", "All"),
        ("MIME-Version", "1.0"),
    ]
    return Message(
        message_id=message_id,
        date=date,
        sender=author.spec,
        recipients=tuple(address.spec for address in to),
        subject=report.subject,
        content=_lines(headers) + _tree(report),
    )


def _message_id(author: Address, parts: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"<{digest[:40]}@{author.domain}>"


# -- the tree: each part is its finished bytes, headers first ----------------------------------------


def _tree(report: Report) -> bytes:
    body = _body(report)
    if not report.attachments:
        return body
    return _multipart("mixed", [body, *map(_attachment, report.attachments)])


def _body(report: Report) -> bytes:
    plain = [_text("plain", report.text)] if report.text or not report.html else []
    both = plain + ([_html(report)] if report.html else [])
    return both[0] if len(both) == 1 else _multipart("alternative", both)


def _html(report: Report) -> bytes:
    _every_image_is_there(report)
    html = _text("html", report.html)
    if not report.images:
        return html
    return _multipart("related", [html, *map(_image, report.images)], '; type="text/html"')


def _every_image_is_there(report: Report) -> None:
    there = {image.cid for image in report.images}
    for shown in _SHOWN.findall(report.html):
        if shown not in there:
            raise DefinitionError(
                f"the HTML shows the image cid:{shown}, which the report does not have",
                where=report.job,
                hint=f"the report's images are: {', '.join(sorted(there)) or 'none'}",
            )


def _multipart(kind: str, parts: Sequence[bytes], parameters: str = "") -> bytes:
    # "=_" is found neither in base64 nor in quoted-printable, so a boundary is never part of a body.
    boundary = "=_" + hashlib.sha256(kind.encode() + b"".join(parts)).hexdigest()[:32]
    head = _lines([("Content-Type", f'multipart/{kind}{parameters};\r\n boundary="{boundary}"')])
    mark = f"--{boundary}".encode()
    return head + b"".join(b"\r\n" + mark + b"\r\n" + part for part in parts) + b"\r\n" + mark + b"--\r\n"


def _text(subtype: str, text: str) -> bytes:
    try:
        content = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    except UnicodeEncodeError as error:
        raise DefinitionError(
            f"the {subtype} text has half a character, U+{ord(text[error.start]):04X}",
            hint="no mail can carry it; take it out of the data or the template",
        ) from error
    quoted = binascii.b2a_qp(content, istext=True).replace(b"\n", b"\r\n")
    in_base64 = _base64(content)
    encoding, body = ("quoted-printable", quoted)
    if len(in_base64) < len(quoted):
        encoding, body = ("base64", in_base64)
    headers = [("Content-Type", f"text/{subtype}; charset=utf-8"), ("Content-Transfer-Encoding", encoding)]
    return _lines(headers) + b"\r\n" + body


def _image(image: Artifact) -> bytes:
    # A Content-ID with a domain makes Outlook.com list the image as a file of its own.
    if not _CID.fullmatch(image.cid):
        raise DefinitionError(
            f"the image {image.name} has the content id {image.cid!r}",
            hint="a content id is made of letters, digits, dots and hyphens",
        )
    return _file(image, "inline", [("Content-ID", f"<{image.cid}>")])


def _attachment(artifact: Artifact) -> bytes:
    return _file(artifact, "attachment", [])


def _file(artifact: Artifact, disposition: str, headers: Iterable[tuple[str, str]]) -> bytes:
    if not _MEDIA_TYPE.fullmatch(artifact.media_type):
        raise DefinitionError(f"{artifact.name} has the media type {artifact.media_type!r}")
    name, file_name = _file_name(artifact.name)
    return (
        _lines(
            [
                ("Content-Type", f"{artifact.media_type};\r\n {name}"),
                ("Content-Transfer-Encoding", "base64"),
                *headers,
                ("Content-Disposition", f"{disposition};\r\n {file_name}"),
            ]
        )
        + b"\r\n"
        + _base64(artifact.content)
    )


def _base64(content: bytes) -> bytes:
    return base64.encodebytes(content).replace(b"\n", b"\r\n")


# -- headers -------------------------------------------------------------------------------------


def _lines(headers: Iterable[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode()


def _mailbox(address: Address) -> str:
    # Only the display name is ever encoded: QQ refuses a From that is encoded as a whole.
    if not address.name:
        return address.spec
    return f"{_phrase(address.name)}\r\n <{address.spec}>"


def _mailboxes(addresses: Sequence[Address]) -> str:
    return ",\r\n ".join(map(_mailbox, addresses))


def _phrase(name: str) -> str:
    if not name.isascii() or "=?" in name or len(name) > 60:
        return _encoded(name)
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _words(text: str) -> str:
    as_it_is = text.isascii() and "=?" not in text and text == text.strip() and len(text) <= 65
    return text if as_it_is else _encoded(text)


def _encoded(text: str) -> str:
    """RFC 2047 words of at most 75 characters, one a line."""
    return Header(text, "utf-8", maxlinelen=75, header_name="Resent-Sender").encode(linesep="\r\n")


def _file_name(name: str) -> tuple[str, str]:
    """The parameters `name` and `filename`: RFC 2231 for today's readers, RFC 2047 for old ones."""
    clean(name, what="the file name")
    if not name.strip(" .") or re.search(r"[/\\]", name) or len(name.encode()) > _LONGEST_NAME:
        raise DefinitionError(
            f"{name[:80]!r} cannot be the name of an attached file",
            hint=f"a name without folders, of at most {_LONGEST_NAME} bytes",
        )
    if _PLAIN_NAME.fullmatch(name):
        return f'name="{name}"', f'filename="{name}"'
    return f'name="{_encoded(name)}"', f"filename*=utf-8''{quote(name, safe='')}"
