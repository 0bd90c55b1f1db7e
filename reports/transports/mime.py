"""A report becomes a message: one tree of MIME parts, serialised once, the same bytes for equal arguments.

    mixed( alternative( plain, related( html, image... ) ), attachment... )

Levels with a single child are left out. The standard library makes the tree and its bytes, with two exceptions.
Boundaries are set, for it draws them at random. And headers with words that people wrote are encoded by
`email.header`, for `email.policy` (Python 3.11 to 3.13.0) decodes them first: the subject `=?x?q?=0D=0ABcc:...?=`
becomes a header of its own. It also puts spaces into long encoded names, and drops the quotes of long plain
ones, so that `"Doe, John, ..."` is several senders. File names are left to it, and so never have a "=?".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.charset import SHORTEST, Charset
from email.header import Header
from email.message import MIMEPart
from email.policy import SMTP, Policy

from reports.errors import DefinitionError
from reports.model import Artifact, Follow, Message, Report
from reports.transports.address import Address, clean, parse, parse_lists

# Only leaves: the bytes of a message or a multipart must not be encoded.
_MEDIA_TYPE = re.compile(r"(?ai)(?!message/|multipart/)[a-z0-9][\w.+-]*/[\w.+-]+(; ?[\w-]+=[\w.+-]+)*")
_CID = re.compile(r"(?a)[\w.-]{1,60}")  # a longer one would be encoded
_SHOWN = re.compile(r"""["'(]cid:([^"')]+)["')]""")
_PLAIN = re.compile(r"(?! )(?!.*=\?)[ !#-\[\]-~]{0,60}(?<! )")  # means itself, bare or between quotes
_LONGEST_NAME = 255  # bytes, as on disk
_NOBODY_NAMED = "undisclosed-recipients:;"  # RFC 5322's empty group: some servers refuse a mail without To


@dataclass(frozen=True)
class _Folded:
    """A header that is already in lines: EmailPolicy stores what has a name and lets it fold itself."""

    name: str
    lines: str

    def __str__(self) -> str:
        return self.lines

    def fold(self, *, policy: Policy) -> str:
        # Beyond ASCII there is only the part of an address before the @, which SMTPUTF8 wants in UTF-8.
        return f"{self.name}: {self.lines}{policy.linesep}".encode().decode("ascii", "surrogateescape")


def compose(  # noqa: PLR0913  each is a line of the message's head
    report: Report,
    *,
    sender: str,
    to: Sequence[str],
    cc: Sequence[str] = (),
    bcc: Sequence[str] = (),
    reply_to: str = "",
    key: str,
    date: datetime,
    thread: str = "",
    follow: Follow = "",
) -> Message:
    """The report as a message from `sender`, byte for byte the same for equal arguments.

    Messages of one `thread` are shown as one conversation: the first has the thread's own Message-ID, those that
    `follow` refer to it, and no mail takes the place of another.

    Whoever is named twice is a recipient once, where named first; `bcc` is in no header. `date` is aware.
    The Message-ID follows from the job, `key` (what the message is for, such as an occurrence) and the set of
    recipients, so that every attempt carries the same one. A DefinitionError names an address, file name
    or header that cannot be sent.
    """
    author, lists = parse(sender, where="from"), parse_lists({"to": to, "cc": cc, "bcc": bcc})
    everyone = [address for addresses in lists.values() for address in addresses]
    digest = _digest(report.job, key, *sorted(address.key for address in everyone))
    message_id, first = f"<{digest}@{author.domain}>", f"<{_digest('thread', thread)}@{author.domain}>"
    if thread and not follow:
        message_id = first
    root = MIMEPart(policy=SMTP)
    root["Date"] = date
    _address(root, From=[author], To=lists["to"], Cc=lists["cc"])
    if reply_to:
        _address(root, **{"Reply-To": [parse(reply_to, where="reply_to")]})
    root["Subject"] = _Folded("Subject", _words(clean(report.subject, what="the subject", where=report.job)))
    root["Message-ID"] = message_id
    if thread and follow:
        root["In-Reply-To"] = root["References"] = first
    root["Auto-Submitted"] = "auto-generated"
    root["X-Auto-Response-Suppress"] = "All"
    root["MIME-Version"] = "1.0"
    _fill(root, report)
    for number, part in enumerate(root.walk()):
        if part.is_multipart():  # "=_" is found neither in base64 nor in quoted-printable, so in no body
            part.set_boundary(f"=_{number}_{digest}")
    return Message(
        message_id=message_id,
        date=date,
        sender=author.spec,
        recipients=tuple(address.spec for address in everyone),
        subject=report.subject,
        content=root.as_bytes(),
        follow=follow,
    )


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:40]


def _fill(root: MIMEPart, report: Report) -> None:
    if report.text or not report.html:
        _add_text(root.set_content, "plain", report.text)
    if report.html:
        _add_text(root.add_alternative if report.text else root.set_content, "html", report.html)
        _add_images([*root.walk()][-1], report)
    if report.attachments:
        root.make_mixed()
    for attachment in report.attachments:
        root.attach(_file(attachment, "attachment"))


def _add_text(add: Callable[..., None], subtype: str, text: str) -> None:
    try:
        content = text.encode()
    except UnicodeEncodeError as error:
        raise DefinitionError(
            f"the {subtype} text has half a character, U+{ord(text[error.start]):04X}",
            hint="no mail can carry it; take it out of the data or the template",
        ) from error
    # Quoted-printable makes three bytes of one beyond ASCII, base64 four of any three; neither leaves a NUL.
    beyond = len(content.translate(None, bytes(range(128))))
    add(text, subtype=subtype, cte="base64" if 6 * beyond > len(content) else "quoted-printable")


def _add_images(html: MIMEPart, report: Report) -> None:
    there = {image.cid for image in report.images}
    for missing in sorted(set(_SHOWN.findall(report.html)) - there):
        raise DefinitionError(
            f"the HTML shows the image cid:{missing}, which the report does not have",
            where=report.job,
            hint=f"the report's images are: {', '.join(sorted(there)) or 'none'}",
        )
    if report.images:
        html.make_related()
        html.set_param("type", "text/html")
    for image in report.images:
        html.attach(_image(image))


def _image(image: Artifact) -> MIMEPart:
    if not _CID.fullmatch(image.cid):
        raise DefinitionError(
            f"the image {image.name} has the content id {image.cid!r}",
            hint="a content id is made of at most 60 letters, digits, dots and hyphens",
        )
    part = _file(image, "inline")
    part["Content-ID"] = f"<{image.cid}>"  # with a domain in it, Outlook.com lists the image as a file
    return part


def _file(artifact: Artifact, disposition: str) -> MIMEPart:
    if not _MEDIA_TYPE.fullmatch(artifact.media_type):
        raise DefinitionError(f"{artifact.name} has the media type {artifact.media_type!r}")
    name = clean(artifact.name, what="the file name")
    if not name.strip(" .") or re.search(r"[/\\]|=\?", name) or len(name.encode()) > _LONGEST_NAME:
        raise DefinitionError(
            f"{name[:80]!r} cannot be the name of an attached file",
            hint=f'a name without folders and "=?", of at most {_LONGEST_NAME} bytes',
        )
    part = MIMEPart(policy=SMTP)
    part.set_content(artifact.content, *artifact.media_type.split("/"), disposition=disposition, filename=name)
    # `filename` is in the form of RFC 2231; some editions of Outlook know only RFC 2047 words in `name`.
    kind = f'{artifact.media_type};\r\n name="{_words(name)}"'
    part.replace_header("Content-Type", _Folded("Content-Type", kind))
    return part


def _address(root: MIMEPart, **headers: Sequence[Address]) -> None:
    for name, addresses in headers.items():
        if addresses or name == "To":
            root[name] = _Folded(name, ",\r\n ".join(map(_mailbox, addresses)) or _NOBODY_NAMED)


def _mailbox(address: Address) -> str:
    # Only the display name is ever encoded: QQ refuses a From that is encoded as a whole.
    words = _words(address.name)
    phrase = f'"{words}"' if words == address.name else words
    return f"{phrase}\r\n <{address.spec}>" if words else address.spec


def _words(text: str) -> str:
    """`text` where it means itself, else in RFC 2047 words, one a line."""
    if _PLAIN.fullmatch(text):
        return text
    charset = Charset("utf-8")
    charset.header_encoding = SHORTEST  # for all of a process other libraries, as Apprise, choose another one
    return Header(text, charset, maxlinelen=75, header_name="Reply-To").encode(linesep="\r\n")
