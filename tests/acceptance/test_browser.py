"""The sample mails in a real browser, as wide as a desktop and as narrow as an old phone."""

from __future__ import annotations

from pathlib import Path

import looking
import pytest
import samples
from looking import Browser

from reports.model import Report

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
