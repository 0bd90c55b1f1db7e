"""The finished mail as one page that a browser shows from a file, with nothing sent and nothing to fetch.

The mail, its pictures and what it attaches are inside the page. It shows the mail at the widths of phones and
desktops, in light and dark, with and without its pictures; beside it all else that is sent, and the linter's verdict.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from reports.app import Sent
from reports.execution import Letter, named
from reports.lint import CLIENTS, SEVERITIES, Finding, Severity, Verdict, in_words, markup
from reports.lint.mail import Mail, Part
from reports.model import size
from reports.preview import sheets
from reports.preview.sheets import Sheet
from reports.render import html
from reports.saving import save

WIDTHS = (320, 375, 600, 1024)
LARGEST, LARGEST_TOGETHER = 4_000_000, 6_000_000
"""Bytes of attachments that the page carries: a browser has to hold it."""
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Attached:
    """An attachment with its link, empty where the file is too large for the page, and its sheets."""

    name: str
    media_type: str
    size: str
    link: str
    sheets: Sequence[Sheet]
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One part of the message: `share` is its part of all bytes, in per cent."""

    depth: int
    media_type: str
    disposition: str
    name: str
    cid: str
    size: str
    share: float


def write(sent: Sent, verdicts: Mapping[str, Verdict], folder: Path) -> list[Path]:
    """The pages in `folder`: JOB.html, and one more for each further audience, JOB-AUDIENCE.html."""
    pages = {named(f"{sent.run.job}.html", one.name): page(sent, one, verdicts[one.name]) for one in sent.letters}
    return [save(folder / name, text.encode()) for name, text in pages.items()]


def page(sent: Sent, letter: Letter, verdict: Verdict) -> str:
    """The HTML of one letter's page; nothing of what it shows is code in it."""
    mail, message = verdict.mail, letter.message
    template = html.environment([_FOLDER]).get_template("page.html.j2")
    return template.render(
        job=sent.run.job,
        audience=letter.name,
        as_of=f"{sent.run.as_of:%Y-%m-%d}",
        subject=message.subject,
        preheader=_preheader(mail),
        people=list(_people(mail, message.recipients)),
        widths=WIDTHS,
        sizes=_sizes(mail),
        parts=[_row(part, mail.size) for part in mail.parts],
        head=list(mail.headers.items()),
        text=mail.text,
        attached=_attached(mail),
        verdict=verdict,
        counts=[(severity, verdict.count(severity)) for severity in SEVERITIES],
        findings=_grouped(verdict.findings),
        clients=CLIENTS,
        shown={"html": mail.html, "pictures": {cid: _link(part) for cid, part in mail.pictures.items()}},
    )


def _preheader(mail: Mail) -> str:
    """What an inbox shows beside the subject: the first words of the page, hidden ones too."""
    return " ".join(one.said() for one in markup.read(mail.html, word=False).all("body"))[:120]


def _people(mail: Mail, recipients: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Who it is from and goes to; those who stand in no header are its hidden recipients."""
    named = {name: mail.headers.get(name, "") for name in ("from", "reply-to", "to", "cc")}
    yield from ((name.replace("-", " ").capitalize(), said) for name, said in named.items() if said)
    seen = " ".join(named.values()).lower()
    if hidden := [one for one in recipients if one.lower() not in seen]:
        yield "Bcc", ", ".join(hidden)


def _sizes(mail: Mail) -> Mapping[str, str]:
    pictures = sum(part.encoded for part in mail.pictures.values())
    files = sum(part.encoded for part in mail.attachments)
    return {
        "Message": size(mail.size),
        "HTML": size(len(mail.html.encode())),
        "Plain text": size(len(mail.text.encode())),
        "Pictures": size(pictures),
        "Attachments": size(files),
    }


def _row(part: Part, total: int) -> Row:
    share = 0.0 if part.is_multipart else 100 * part.encoded / max(total, 1)
    return Row(part.depth, part.media_type, part.disposition, part.name, part.cid, size(part.encoded), share)


def _attached(mail: Mail) -> list[Attached]:
    found, room = [], LARGEST_TOGETHER
    for part in mail.attachments:
        large = len(part.content) > min(LARGEST, room)
        room -= 0 if large else len(part.content)
        shown, note = sheets.read(part.name, part.content)
        link = "" if large else _link(part)
        found.append(Attached(part.name, part.media_type, size(len(part.content)), link, shown, note))
    return found


def _link(part: Part) -> str:
    return f"data:{part.media_type};base64,{base64.b64encode(part.content).decode()}"


def _grouped(findings: Sequence[Finding]) -> list[tuple[Severity, list[dict[str, Any]]]]:
    """The findings by severity, each with its clients as people call them."""
    return [
        (severity, [_finding(one) for one in findings if one.severity == severity])
        for severity in SEVERITIES
        if any(one.severity == severity for one in findings)
    ]


def _finding(one: Finding) -> dict[str, Any]:
    return asdict(one) | {"clients": in_words(one.clients)}
