"""The sample mails in a real browser, as wide as a desktop and as narrow as an old phone."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import looking
import pytest
import samples
from looking import Browser
from render import pages

from reports.model import Report
from reports.render import html

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    if (command := looking.chromium()) is None:
        pytest.skip("Chromium is not installed")
    return Browser(command, tmp_path_factory.mktemp("browser"))


@pytest.fixture(scope="module", params=samples.SAMPLES)
def report(request: pytest.FixtureRequest, root: Path, tmp_path_factory: pytest.TempPathFactory) -> Report:
    project = samples.laid_out(tmp_path_factory.mktemp("samples"), root)
    return samples.report(request.param, project).produced.report


@pytest.mark.parametrize("scheme", looking.SCHEMES)
def test_a_mail_fits_every_width_and_shows_its_pictures(browser: Browser, report: Report, scheme: str) -> None:
    """Nobody scrolls sideways, no picture is broken, and a mail whose images are blocked has none."""
    views = looking.views(scheme)
    for view, measured in zip(views, browser.measured(report, views), strict=True):
        assert measured.width <= view.width, view.name
        assert measured.pictures == len(report.images), view.name
        assert measured.seen == (measured.pictures if view.images else 0), view.name


@pytest.mark.parametrize("language", ["ar", "he", "zh"])
def test_a_mail_of_another_script_fits_as_well(browser: Browser, language: str) -> None:
    """Whichever way its lines run, and however its numbers are written."""
    page = replace(pages.sample(), language=language, currency="EUR")
    body = html.render(page, [pages.image()], template="report.html.j2", folders=[pages.TEMPLATES])
    assert f'dir="{"ltr" if language == "zh" else "rtl"}"' in body
    picture = replace(pages.image(), content=DOT)
    report = Report(
        job="x", title=page.title, as_of=page.as_of, subject=page.subject, html=body, text="", images=[picture]
    )
    views = looking.views("light")
    for view, measured in zip(views, browser.measured(report, views), strict=True):
        assert measured.width <= view.width, view.name
