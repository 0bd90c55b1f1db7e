"""A finished run as files to look at, compare or keep, and as the record that `--json` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from reports.app import Sent
from reports.errors import ReportsError
from reports.model import Artifact, Dataset, Receipt


def write(sent: Sent, folder: Path) -> list[Path]:
    """message.eml, body.html, body.txt, every picture and attachment under its own name, and run.json."""
    report = sent.produced.report
    body = report.html
    for image in report.images:
        body = body.replace(f"cid:{image.cid}", image.name)
    record_text = json.dumps(record(sent), indent=2, ensure_ascii=False) + "\n"
    files = {
        "message.eml": sent.message.content,
        "body.html": body.encode(),
        "body.txt": report.text.encode(),
        **{artifact.name: artifact.content for artifact in (*report.images, *report.attachments)},
        "run.json": record_text.encode(),
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return [_write(folder / name, content) for name, content in files.items()]
    except OSError as error:
        raise ReportsError(f"{folder} cannot be written: {error.strerror}", where=str(folder)) from error


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def record(sent: Sent) -> dict[str, Any]:
    """The run in plain values: what it was about, what it was made of, what came of it."""
    report = sent.produced.report
    return {
        "run": sent.run.id,
        "job": sent.run.job,
        "as_of": sent.run.as_of.isoformat(),
        "started": sent.run.started.isoformat(),
        "params": {name: str(value) for name, value in sent.run.params.items()},
        "subject": report.subject,
        "message_id": sent.message.message_id,
        "recipients": list(sent.message.recipients),
        "message_bytes": len(sent.message.content),
        "html_bytes": len(report.html.encode()),
        "datasets": [_dataset(dataset) for dataset in sent.produced.datasets],
        "notices": list(sent.produced.page.notices),
        "images": [_artifact(image) for image in report.images],
        "attachments": [_artifact(artifact) for artifact in report.attachments],
        "receipts": [_receipt(receipt) for receipt in sent.receipts],
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


def _receipt(receipt: Receipt) -> dict[str, Any]:
    names = ("recipient", "state", "code", "text", "hint")
    return {name: getattr(receipt, name) for name in names}
