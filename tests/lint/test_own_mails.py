"""What we send passes: the sample jobs' mails, and the page of the reviewed snapshots."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from render.pages import TEMPLATES, image, sample

from reports import jobs, lint
from reports.app import Wanted, open_app
from reports.model import Artifact, Report
from reports.render import html, text
from reports.transports import mime

NAMES = [path.parent.name for path in sorted((Path(__file__).parents[2] / "jobs").glob("*/job.toml"))]


@pytest.mark.parametrize("name", NAMES)
def test_the_sample_jobs_pass(root: Path, name: str) -> None:
    """With neither an error nor a warning, and there is something to look at."""
    app = open_app(root)
    verdicts = app.lint(name, Wanted(as_of="2026-10-31")).values()
    assert [one for verdict in verdicts for one in verdict.findings if one.severity != "note"] == []
    assert all(verdict.findings for verdict in verdicts)
    assert jobs.load(name, app.settings).template
    app.close()


@pytest.mark.parametrize("language", ["en", "ar", "zh"])
def test_one_of_everything_passes(language: str) -> None:
    """Every kind of block, with a notice, in both directions of writing."""
    page, pictures = sample(), [_picture(image())]
    page = replace(page, language=language)
    body = html.render(page, pictures, template="report.html.j2", folders=[TEMPLATES])
    plain = text.render(page, pictures, folders=[TEMPLATES])
    report = Report(
        job="loans", title=page.title, as_of=page.as_of, subject=page.subject, html=body, text=plain, images=pictures
    )
    message = mime.compose(
        report, sender="a@example.com", to=["b@example.com"], key="1", date=dt.datetime(2026, 10, 31, tzinfo=dt.UTC)
    )
    verdict = lint.check(message.content)
    assert [one for one in verdict.findings if one.severity != "note"] == []


def _picture(artifact: Artifact) -> Artifact:
    return replace(artifact, cid="chart1", content=b"PNG")
