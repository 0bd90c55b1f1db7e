"""Runs and deliveries as the records that `--json` prints, and a finished run as files to look at or keep."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from reports.app import History, Sent
from reports.execution import Letter, named
from reports.model import Artifact, Attempt, Dataset, Delivery, Run, Trouble
from reports.routes import MAIL
from reports.saving import save
from reports.transports.notes import unpack
from reports.verifying import Verification


def write(sent: Sent, folder: Path) -> list[Path]:
    """message.eml, body.html, body.txt, every picture and attachment under its own name, and run.json.

    Those of an audience have its language in their names: message-de.eml. What is said on another channel is in
    channel-NAME.json.
    """
    record_text = json.dumps(record(sent), indent=2, ensure_ascii=False) + "\n"
    files: dict[str, bytes] = {}
    for letter in sent.letters or sent.posts[:1]:
        files |= _files(letter, taken=files)
    for post in sent.posts:
        files[f"channel-{post.name}.json"] = _channel(post)
    files["run.json"] = record_text.encode()
    return [save(folder / name, content) for name, content in files.items()]


def _files(letter: Letter, *, taken: Mapping[str, bytes]) -> dict[str, bytes]:
    report = letter.produced.report
    artifacts = (*report.images, *report.attachments)
    same = {one.name for one in artifacts if taken.get(one.name, one.content) == one.content}
    names = {one.name: one.name if one.name in same else named(one.name, letter.name) for one in artifacts}
    body = report.html
    for image in report.images:
        body = body.replace(f"cid:{image.cid}", names[image.name])
    name = "" if letter.channel else letter.name
    mail = {} if letter.channel else {named("message.eml", name): letter.message.content}
    return {
        **mail,
        named("body.html", name): body.encode(),
        named("body.txt", name): report.text.encode(),
        **{names[one.name]: one.content for one in artifacts},
    }


def _channel(post: Letter) -> bytes:
    """What is said on a channel, to be looked at: its files by name and size, for they are beside it."""
    note = unpack(post.message.content)
    said = {
        "channel": post.channel,
        "recipients": list(post.message.recipients),
        "title": note.title,
        "text": note.text,
        "blocks": list(note.blocks),
        "files": [_artifact(one) for one in note.files],
        "links": dict(note.links),
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def record(sent: Sent) -> dict[str, Any]:
    """The run in plain values: what it was about, what it was made of, what came of it."""
    return {
        "run": sent.run.id,
        "job": sent.run.job,
        "as_of": sent.run.as_of.isoformat(),
        "started": sent.run.started.isoformat(),
        "params": {name: str(value) for name, value in sent.run.params.items()},
        "datasets": [_dataset(dataset) for dataset in sent.produced.datasets],
        **_message(sent.every[0]),
        "audiences": [{"name": letter.name} | _message(letter) for letter in sent.letters if letter.name],
        "channels": [_posted(one) for one in sent.posts],
        "deliveries": [delivery_row(delivery) for delivery in sent.deliveries],
    }


def _message(letter: Letter) -> dict[str, Any]:
    report, page = letter.produced.report, letter.produced.page
    return {
        "subject": report.subject,
        "language": page.language,
        "currency": page.currency,
        "message_id": letter.message.message_id,
        "recipients": list(letter.message.recipients),
        "message_bytes": len(letter.message.content),
        "html_bytes": len(report.html.encode()),
        "notices": list(page.notices),
        "images": [_artifact(image) for image in report.images],
        "attachments": [_artifact(artifact) for artifact in report.attachments],
    }


def _posted(post: Letter) -> dict[str, Any]:
    return {
        "name": post.channel,
        "message_id": post.message.message_id,
        "recipients": list(post.message.recipients),
        "message_bytes": len(post.message.content),
    }


def _dataset(dataset: Dataset) -> dict[str, Any]:
    query = dataset.query
    return {
        "name": dataset.name,
        "source": query.source if query else None,
        "query_hash": query.hash if query else None,
        "rows": dataset.rows,
        "rejected": {table: len(rows) for table, rows in dataset.rejected.items()},
    }


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "media_type": artifact.media_type,
        "bytes": len(artifact.content),
        "sha256": artifact.sha256,
    }


def delivery_row(delivery: Delivery) -> dict[str, Any]:
    """One message to one recipient, and how it stands."""
    return {
        "message_id": delivery.message_id,
        "run": delivery.run,
        "job": delivery.job,
        "channel": delivery.channel or MAIL,
        "recipient": delivery.recipient,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "last_reply": delivery.last_reply,
        "next_attempt": _instant(delivery.next_attempt),
    }


def run_row(run: Run) -> dict[str, Any]:
    """One run and how it ended."""
    return {
        "id": run.id,
        "job": run.job,
        "occurrence": _instant(run.occurrence),
        "as_of": run.as_of.isoformat(),
        "trigger": run.trigger,
        "state": run.state,
        "attempt": run.attempt,
        "error": run.error or None,
        "started": _instant(run.started),
        "finished": _instant(run.finished),
    }


def verification_record(verification: Verification) -> dict[str, Any]:
    """What came of making a run again; `same` is None where that was not possible."""
    run = verification.run
    return {
        "run": run.id,
        "job": run.job,
        "as_of": run.as_of.isoformat(),
        "same": None if verification.error else verification.same,
        "error": verification.error or None,
        "compared": [
            {"name": one.name, "same": one.same, "differences": list(one.differences)} for one in verification.compared
        ],
        "changed": list(verification.changed),
    }


def history_record(history: History) -> dict[str, Any]:
    """One run with all that is kept of it."""
    run = history.run
    return run_row(run) | {
        "params": {name: str(value) for name, value in run.params.items()},
        "definition": run.definition,
        "notice": run.notice,
        "acknowledgements": [
            {"at": one.at.isoformat(), "who": one.who, "note": one.note} for one in history.acknowledgements
        ],
        "log": run.log.splitlines(),
        "artifacts": [
            {"name": one.name, "media_type": one.media_type, "bytes": one.size, "sha256": one.sha256}
            for one in history.artifacts
        ],
        "deliveries": [_delivery_history(delivery, history) for delivery in history.deliveries],
    }


def acknowledgement_record(
    troubles: Sequence[Trouble], cancelled: Sequence[Delivery], *, who: str, note: str
) -> dict[str, Any]:
    """What somebody has taken note of, and what is not told any more because of it."""
    return {
        "who": who,
        "note": note,
        "troubles": [
            {"job": one.job, "about": one.about or None, "since": one.since.isoformat(), "run": one.run}
            for one in troubles
        ],
        "cancelled": [delivery_row(one) for one in cancelled],
    }


def _delivery_history(delivery: Delivery, history: History) -> dict[str, Any]:
    more = {"kind": delivery.kind, "subject": delivery.subject, "hint": delivery.hint}
    attempts = [_attempt(attempt) for attempt in history.attempts.get(delivery.id, ())]
    return delivery_row(delivery) | more | {"history": attempts}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "started": _instant(attempt.started),
        "finished": _instant(attempt.finished),
        "state": attempt.state,
        "code": attempt.code,
        "reply": attempt.text,
    }


def _instant(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
