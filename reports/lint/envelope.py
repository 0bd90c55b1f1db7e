"""What stands outside of the page: subject, preheader, head, sizes, the plain text, and what is attached."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import getaddresses
from pathlib import PurePosixPath

from reports.limits import BODY, CLIP, PREHEADER
from reports.lint.clients import own
from reports.lint.finding import Finding, Severity
from reports.lint.subject import Subject
from reports.model import size

HEAVY = 10_000_000
LONGEST_SUBJECT, LONGEST_LINE, MANY = 60, 998, 50
EXECUTABLE = frozenset([
    "ade", "adp", "app", "bat", "chm", "cmd", "com", "cpl", "dll", "docm", "exe", "hta", "htm", "html", "iso",
    "jar", "js", "jse", "lnk", "msi", "ps1", "reg", "scr", "sct", "vb", "vbe", "vbs", "wsf", "xlsm",
])  # fmt: skip
_GMAIL = ("gmail", "gmail_app")
_EMOJI = re.compile("[\N{WATCH}-\N{HEAVY EXCLAMATION MARK SYMBOL}\U0001f300-\U0001faff]")


def check(subject: Subject) -> Iterator[Finding]:
    """All of that; none of it has a line in a template."""
    for severity, rule, what, do, *clients in (
        *_subject(subject),
        *_preheader(subject),
        *_head(subject),
        *_sizes(subject),
        *_text(subject),
        *_attached(subject),
    ):
        yield Finding(severity=severity, rule=rule, what=what, do=do, where="message", clients=clients)


Fault = tuple[Severity, str, str, str] | tuple[Severity, str, str, str, str, str]


def _subject(subject: Subject) -> Iterator[Fault]:
    said, headers = subject.mail.subject, subject.mail.headers
    letters = [one for one in said if one.isalpha()]
    if not said.strip():
        yield "error", "subject-empty", "the mail has no subject", "say what it is about, and of which day"
    if len(said) > LONGEST_SUBJECT:
        what = f"the subject has {len(said)} characters, of which phones show about 40"
        yield "warning", "subject-long", what, f"say it in {LONGEST_SUBJECT}, what matters first"
    if (
        len(letters) > 8
        and all(one.isupper() for one in letters if one.lower() != one.upper())
        and said != said.lower()
    ):
        yield "warning", "subject-shouts", "the subject is all in capitals", "write it as a sentence"
    if re.search(r"!!|\?\?|\$\$|!.*!", said):
        yield "warning", "subject-shouts", "the subject has marks as spam has them", "leave them out"
    if len(_EMOJI.findall(said)) > 1:
        yield "warning", "subject-emoji", "the subject has several emoji", "leave at most one"
    if re.match(r"(?i)\s*(re|fwd?|aw|wg)\s*:", said) and not (headers.get("in-reply-to") or headers.get("references")):
        what, do = "the subject pretends to be an answer", "begin it with what it is about"
        yield "error", "subject-reply", what, do


def _preheader(subject: Subject) -> Iterator[Fault]:
    """What an inbox shows beside the subject: the text that the mail begins with."""
    first = next(
        (one for body in subject.tree.all("body") for one in body.all() if one.text and one.text.strip()), None
    )
    if first is None:
        return
    said, style = first.said(), own(first)
    if "display" not in style or style["display"].value != "none":
        what, do = f"inboxes show '{said[:40]}' beside the subject", "begin with a hidden div that says what matters"
        yield "warning", "preheader-missing", what, do
    elif len(said) not in PREHEADER:
        what = f"the preheader has {len(said)} characters"
        yield "warning", "preheader-length", what, f"say the figures in {PREHEADER.start} to {PREHEADER.stop - 1}"


def _head(subject: Subject) -> Iterator[Fault]:
    headers = subject.mail.headers
    for name in ("from", "date", "message-id"):
        if not headers.get(name):
            yield "error", f"{name}-missing", f"the head has no {name.title()}", "let reports make the message"
    people = {
        name: [spec.lower() for _, spec in getaddresses([headers.get(name, "")])] for name in ("from", "to", "cc")
    }
    if people["from"] and people["from"] == people["to"]:
        what, do = "the mail goes from an address to itself, as spam does", "send it to a list, or from another address"
        yield "warning", "from-to-itself", what, do
    if (many := len(people["to"] + people["cc"])) > MANY:
        yield (
            "warning",
            "many-recipients",
            f"{many} addresses in To and Cc, which all of them see",
            "use bcc, or a list",
        )
    if headers.get("precedence", "").lower() in {"bulk", "junk", "list"} and not headers.get("list-unsubscribe"):
        yield "warning", "bulk", "the mail says that it is bulk, but not how to leave it", "take Precedence out"
    if headers.get("auto-submitted", "no").lower() == "no":
        what, do = (
            "nothing says that a program sent it, so absence notes come back",
            "add Auto-Submitted: auto-generated",
        )
        yield "warning", "auto-submitted", what, do
    if headers.get("x-priority", "3")[:1] in {"1", "2"} or headers.get("importance", "").lower() == "high":
        yield "warning", "priority", "every mail of it is marked as urgent", "leave that to its readers"


def _sizes(subject: Subject) -> Iterator[Fault]:
    mail, count = subject.mail, len(subject.mail.html.encode())
    if count > CLIP:
        what = f"the HTML has {count:,} bytes: clipped, and its style elements dropped"
        yield "error", "html-size", what, f"show fewer rows: at most {BODY:,} bytes", *_GMAIL
    elif count > BODY:
        what = f"the HTML has {count:,} bytes, and is clipped from about {CLIP:,} on, when forwarded too"
        yield "warning", "html-size", what, f"show fewer rows: at most {BODY:,} bytes", *_GMAIL
    if mail.size > HEAVY:
        what = f"the message has {size(mail.size)}, which some servers refuse"
        yield "warning", "message-size", what, "attach less, or set oversize in job.toml"
    if mail.longest_line > LONGEST_LINE:
        what = f"a line of the message has {mail.longest_line:,} bytes, and servers break what is over {LONGEST_LINE}"
        yield "error", "line-length", what, "encode the part as quoted-printable or base64"


def _text(subject: Subject) -> Iterator[Fault]:
    text, shown = subject.mail.text.strip(), "".join(one.said() for one in subject.tree.all("body"))
    if not text:
        what = "there is no plain text, which watches, screen readers and filters read"
        yield "error", "text-missing", what, "write the same as plain text"
    elif len(text) * 5 < len(shown):
        what = f"the plain text has {len(text):,} characters, the page {len(shown):,}"
        yield "warning", "text-short", what, "say the same in both: filters compare them"


def _attached(subject: Subject) -> Iterator[Fault]:
    for part in subject.mail.attachments:
        endings = [one.removeprefix(".").lower() for one in PurePosixPath(part.name).suffixes[-2:]]
        if not part.name:
            yield "warning", "attachment-name", "an attached file has no name", "give it one, with its ending"
        elif endings and endings[-1] in EXECUTABLE:
            what = f"{part.name}: mail servers take out or refuse such files"
            yield "error", "attachment-name", what, "send it as .xlsx, .csv, .pdf or .zip"
        elif len(endings) == 2 and endings[0] in {"pdf", "doc", "docx", "xls", "xlsx"} and endings[1] != "zip":
            what = f"{part.name} has two endings, as viruses have"
            yield "warning", "attachment-name", what, "leave one"
