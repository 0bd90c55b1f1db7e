"""Messages by Microsoft Graph: the same bytes as by SMTP, or where they are too many a draft with its files.

A request takes about four megabytes, and the bytes go there in base64. Above that the message is laid out as
a draft, its files are uploaded, and the draft is sent: what the reader sees is the same, the Message-ID too.
Left out are the plain text beside the HTML and headers that Graph does not take.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Iterator, Mapping
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import getaddresses
from typing import Any, ClassVar
from urllib.parse import quote

from reports.errors import SettingsError, TransportError
from reports.transports.account import secure
from reports.transports.api import Api
from reports.transports.base import HandingOver
from reports.transports.https import Answer
from reports.transports.oauth import Login

ONE_REQUEST = 3_000_000
"""Bytes of a message, or of a file, that one request takes: four millions in base64."""
CHUNK = 12 * 327_680
"""Bytes of one piece of an upload: a multiple of 320 KiB, below 4 MB."""
_PEOPLE = {"toRecipients": "To", "ccRecipients": "Cc", "bccRecipients": "Bcc", "replyTo": "Reply-To"}


class GraphTransport(Api):
    """Sends as whoever is signed in, or where the program itself is, as the account's user."""

    name: ClassVar[str] = "Graph"
    permission: ClassVar[str] = (
        "the app lacks the permission Mail.Send (for mails over 3 MB Mail.ReadWrite as well), or may not use this "
        "mailbox: the admin grants it, then run `reports login` again"
    )

    @property
    def _own_page(self) -> str:
        login = self.account.secret
        own = isinstance(login, Login) and not login.grant.by_person
        return f"{self.account.api}/v1.0/" + (f"users/{quote(self.account.user)}" if own else "me")

    def _post(self, content: bytes, handing_over: HandingOver) -> Answer:
        if len(content) > ONE_REQUEST:
            return self._by_draft(_parsed(content), handing_over)
        return self._ask(
            "POST",
            f"{self._own_page}/sendMail",
            body=base64.b64encode(content),
            headers={"Content-Type": "text/plain"},
            final_wait=self.final_wait,
            handing_over=handing_over,
        )

    # -- a draft -----------------------------------------------------------------------------------------

    def _by_draft(self, message: EmailMessage, handing_over: HandingOver) -> Answer:
        made = self._ask_json("POST", f"{self._own_page}/messages", _draft(message)).values.get("id")
        if not made:
            raise TransportError("Graph made a draft and did not say which", where=self.account.where)
        draft = f"{self._own_page}/messages/{made}"
        try:
            for file in _files(message):
                self._attach(draft, file)
            handing_over()
            return self._ask("POST", f"{draft}/send", final_wait=self.final_wait)
        except Exception:
            with contextlib.suppress(TransportError):  # it lies among the drafts then, and is never sent
                self._ask("DELETE", draft)
            raise

    def _attach(self, draft: str, file: EmailMessage) -> None:
        content: Any = file.get_payload(decode=True) or b""
        told = _attachment(file)
        if len(content) < ONE_REQUEST:
            values = told | {
                "@odata.type": "#microsoft.graph.fileAttachment",
                "contentBytes": base64.b64encode(content).decode(),
            }
            self._ask_json("POST", f"{draft}/attachments", values)
            return
        item = {"AttachmentItem": told | {"attachmentType": "file", "size": len(content)}}
        session = self._ask_json("POST", f"{draft}/attachments/createUploadSession", item)
        self._upload(str(session.values.get("uploadUrl", "")), content)

    def _upload(self, url: str, content: bytes) -> None:
        """All of it, piece by piece; the address itself is the permission, so no token goes there."""
        self._is_private(url)
        start = 0
        while start < len(content):
            piece = content[start : start + CHUNK]
            end = start + len(piece)
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Range": f"bytes {start}-{end - 1}/{len(content)}",
            }
            answer = self._taken(self.web.ask("PUT", url, body=piece, headers=headers))
            start = self._next(answer, start, end)

    def _is_private(self, url: str) -> None:
        self.web.hidden |= {url} - {""}
        try:
            secure(url.partition("?")[0], where=self.account.where)
        except SettingsError as error:
            raise TransportError("Graph named no safe address for the upload", where=error.where) from None

    def _next(self, answer: Answer, start: int, end: int) -> int:
        """Where the next piece begins: where Graph wants it, else after the last."""
        ranges = answer.values.get("nextExpectedRanges") or [str(end)]
        wanted = str(ranges[0]).partition("-")[0]
        following = int(wanted) if wanted.isdecimal() else end
        if not start < following <= end:
            raise TransportError(
                f"Graph wants the upload to go on at {following:,} after {start:,} to {end:,}",
                where=self.account.where,
                hint="it is tried again from the start",
            )
        return following


# -- a message as Graph's JSON -----------------------------------------------------------------------


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=default)


def _draft(message: EmailMessage) -> dict[str, Any]:
    html, plain = message.get_body(("html",)), message.get_body(("plain",))
    body = html or plain
    values = {
        "subject": str(message.get("Subject", "")),
        "body": {"contentType": "html" if html else "text", "content": body.get_content() if body else ""},
        "internetMessageId": str(message.get("Message-ID", "")),
        "internetMessageHeaders": [
            {"name": name, "value": str(value)} for name, value in message.items() if name.lower().startswith("x-")
        ],
        **{key: _people(message, name) for key, name in _PEOPLE.items()},
    }
    author = _people(message, "From")
    return {key: value for key, value in (values | {"from": author[0] if author else None}).items() if value}


def _people(message: EmailMessage, name: str) -> list[Mapping[str, Any]]:
    pairs = getaddresses([str(value) for value in message.get_all(name, ())])
    return [{"emailAddress": {"name": said or spec, "address": spec}} for said, spec in pairs if spec]


def _files(message: EmailMessage) -> Iterator[EmailMessage]:
    """Every part that is not one of the two bodies."""
    bodies = {id(part) for part in (message.get_body(("html",)), message.get_body(("plain",)))}
    for part in message.walk():
        if not part.is_multipart() and id(part) not in bodies:
            yield part


def _attachment(part: EmailMessage) -> dict[str, Any]:
    cid = str(part.get("Content-ID", "")).strip("<> ")
    told = {
        "name": part.get_filename() or "file",
        "contentType": part.get_content_type(),
        "isInline": part.get_content_disposition() == "inline",
    }
    return told | ({"contentId": cid} if cid else {})
