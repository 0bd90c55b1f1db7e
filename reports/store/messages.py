"""Messages put into the outbox, inside the transaction of whatever they tell about."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, insert

from reports.model import Outgoing
from reports.store.schema import delivery, message


def add(connection: Connection, run_id: str, outgoing: Outgoing, *, content: str, at: dt.datetime) -> None:
    """The message with one pending delivery a recipient, due `at`; its bytes are kept already, as `content`."""
    sent = outgoing.message
    result = connection.execute(
        insert(message).values(
            message_id=sent.message_id,
            run=run_id,
            kind=outgoing.kind,
            date=sent.date,
            sender=sent.sender,
            subject=sent.subject,
            content=content,
            size=len(sent.content),
            on_unknown=outgoing.on_unknown,
        )
    )
    (number,) = result.inserted_primary_key or (None,)
    common = {
        "message": number,
        "state": "pending",
        "attempts": 0,
        "expires": outgoing.expires,
        "next_attempt": at,
        "last_reply": "",
        "hint": "",
    }
    rows = [{**common, "recipient": recipient} for recipient in dict.fromkeys(sent.recipients)]
    if rows:
        connection.execute(insert(delivery), rows)
