"""Messages put into the outbox, inside the transaction of whatever they tell about."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, insert, select, update

from reports.model import Outgoing
from reports.store.schema import delivery, message

SUPERSEDED = "not sent: a newer message of its thread took its place"


def add(connection: Connection, run_id: str, outgoing: Outgoing, *, content: str, at: dt.datetime) -> None:
    """The message with one pending delivery a recipient, due `at` or later; its bytes are kept already, as `content`.

    What waits of its thread and told only of progress is cancelled.
    """
    sent, due = outgoing.message, max(at, outgoing.due or at)
    _supersede(connection, outgoing, at)
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
            channel=outgoing.channel,
            thread=outgoing.thread,
            follow=sent.follow,
        )
    )
    (number,) = result.inserted_primary_key or (None,)
    common = {
        "message": number,
        "state": "pending",
        "attempts": 0,
        "expires": outgoing.expires,
        "next_attempt": due,
        "last_reply": "",
        "hint": "",
    }
    rows = [{**common, "recipient": recipient} for recipient in dict.fromkeys(sent.recipients)]
    if rows:
        connection.execute(insert(delivery), rows)


def _supersede(connection: Connection, newer: Outgoing, at: dt.datetime) -> None:
    if not newer.thread:
        return
    older = select(message.c.id).where(
        message.c.thread == newer.thread, message.c.channel == newer.channel, message.c.kind == "progress"
    )
    connection.execute(
        update(delivery)
        .where(delivery.c.state == "pending", delivery.c.message.in_(older))
        .values(state="cancelled", settled=at, next_attempt=None, hint=SUPERSEDED)
    )
