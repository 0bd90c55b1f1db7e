"""Mails for the linter: one without a fault, and what to change in it."""

from __future__ import annotations

from email.message import EmailMessage
from typing import Any

HEAD = """\
<!DOCTYPE html>
<html lang="en" dir="ltr">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Loans</title>
<style>{style}</style>
</head>
<body>
<div lang="en" dir="ltr">
<div style="display:none;mso-hide:all">Loans 612, balance 99.8 million, and one is late.</div>
"""
TEXT = "Loans 612, balance 99,766,214.49, average rate 5.13 %, losses 1,024,171. " * 4
FOOT = f"<p>{TEXT}</p>\n</div>\n</body>\n</html>\n"
LINE = HEAD.count("\n") + 1
"""The line on which what is put into the mail begins."""
HEADERS = {
    "From": "reports@example.com",
    "To": "finance@example.com",
    "Date": "Fri, 30 Oct 2026 07:00:00 +0000",
    "Message-ID": "<1@example.com>",
    "Auto-Submitted": "auto-generated",
    "Subject": "Loans, 2026-10-31",
}


def mail(
    inside: str = "", *, style: str = "", text: str = TEXT, files: dict[str, bytes] | None = None, **headers: str
) -> bytes:
    """A message whose page has `inside`; a header is changed by its name with underscores, and left out where empty."""
    return of_html(HEAD.format(style=style) + inside + FOOT, text=text, files=files, **headers)


def of_html(html: str, *, text: str = TEXT, files: dict[str, bytes] | None = None, **headers: str) -> bytes:
    """A message of this page."""
    message = EmailMessage()
    for name, value in (HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        if value:
            message[name] = value
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    page = [*message.iter_parts()][-1]
    for name, content in (files or {}).items():
        options: dict[str, Any] = {"filename": name}
        if name.endswith(".png"):
            page.add_related(content, "image", "png", cid=f"<{name[:-4]}>", disposition="inline", **options)
        else:
            message.add_attachment(content, "application", "octet-stream", **options)
    return message.as_bytes()
