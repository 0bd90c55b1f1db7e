"""The finished mail as one file a browser shows, with nothing sent and nothing to fetch."""

from __future__ import annotations

import base64
import html
from pathlib import Path

from reports.errors import ReportsError
from reports.model import Artifact, size
from reports.pipeline import Produced

_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{subject}</title><style>
body{{margin:0;font:14px/1.5 system-ui,sans-serif;background:#e9edf2;color:#1f2933}}
header{{background:#fff;border-bottom:1px solid #d5dce4;padding:16px 24px}}h1{{font-size:18px;margin:0 0 4px}}
p{{margin:0}}main{{display:flex;flex-wrap:wrap;gap:24px;padding:24px;align-items:flex-start}}
iframe,pre{{border:1px solid #d5dce4;background:#fff;margin:0}}iframe{{height:80vh}}
pre{{padding:16px;overflow:auto;max-height:76vh}}h2{{font-size:13px;font-weight:600;margin:0 0 8px}}
</style></head><body><header><h1>{subject}</h1><p>{attachments}</p></header><main>
<section><h2>600 px</h2><iframe title="600 pixels" width="640" srcdoc="{body}"></iframe></section>
<section><h2>375 px</h2><iframe title="375 pixels" width="375" srcdoc="{body}"></iframe></section>
<section><h2>Plain text</h2><pre>{text}</pre></section></main></body></html>
"""


def write(produced: Produced, folder: Path) -> Path:
    """The page at `folder`/JOB.html: the mail at two widths, its plain text, its attachments' sizes."""
    report = produced.report
    body = report.html
    for image in report.images:
        body = body.replace(f"cid:{image.cid}", _data_url(image))
    sizes = (f"{one.name} ({size(len(one.content))})" for one in report.attachments)
    page = _PAGE.format(
        subject=html.escape(report.subject),
        attachments=html.escape("Attached: " + (", ".join(sizes) or "nothing")),
        body=html.escape(body),
        text=html.escape(report.text),
    )
    return _save(folder / f"{report.job}.html", page)


def _data_url(image: Artifact) -> str:
    return f"data:{image.media_type};base64,{base64.b64encode(image.content).decode()}"


def _save(path: Path, page: str) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(page, "utf-8")
    except OSError as error:
        raise ReportsError(f"{path} cannot be written: {error.strerror}", where=str(path)) from error
    return path
