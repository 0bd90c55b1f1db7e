"""The mails of the sample jobs look as they did when somebody last looked: at four widths, light and dark.

The pictures in looks/ were reviewed by eye. `pytest tests/acceptance/test_looks.py --renew-looks` takes them anew; look at
each before it is committed.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import looking
import pytest
import samples
from likeness import unlikeness
from looking import Browser, View, small
from PIL import Image

from reports.model import Report

pytestmark = pytest.mark.browser

LOOKS = Path(__file__).with_name("looks")
MOST = 1_500_000  # bytes of all pictures, which everybody who clones the project fetches
ALIKE = 1.0  # what another way to draw the same letters may cost; a table that is not there costs more
WIDE = View(600)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    if (command := looking.chromium()) is None:
        pytest.skip("Chromium is not installed")
    return Browser(command, tmp_path_factory.mktemp("browser"), same_font=True)


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.laid_out(tmp_path_factory.mktemp("samples"), root)


@pytest.fixture(scope="module")
def cashflow(project: Path) -> Report:
    return samples.report("cashflow", project).produced.report


def kept(name: str) -> Image.Image:
    return Image.open(LOOKS / f"{name}.png")


def shown(browser: Browser, report: Report, view: View = WIDE) -> Image.Image:
    """The mail as it looks now, as small and with as few colours as those that are kept."""
    return as_kept(browser.pictures(report, [view])[view.name])


def as_kept(picture: Image.Image) -> Image.Image:
    return Image.open(io.BytesIO(small(picture)))


def unlike(name: str, picture: Image.Image, width: int, folder: Path) -> str:
    """What is to be said of a picture that is not as it was; nothing if it is."""
    if (by := unlikeness(picture, kept(name), width)) < ALIKE:
        return ""
    picture.save(folder / f"{name}.png")
    return f"{name} differs by {by:.2f} from the one reviewed: look at {folder / name}.png"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("job", samples.SAMPLES)
def test_a_mail_looks_as_it_was_reviewed(
    browser: Browser, project: Path, job: str, scheme: str, tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    """At 320, 375, 600 and 1024 pixels, and with its images blocked."""
    report = samples.report(job, project).produced.report
    views = looking.views(scheme)
    pictures = {
        view: as_kept(picture) for view, picture in zip(views, browser.pictures(report, views).values(), strict=True)
    }
    if pytestconfig.getoption("--renew-looks"):
        for view, picture in pictures.items():
            picture.save(LOOKS / f"{job}-{view.name}.png", optimize=True)
        return
    said = [unlike(f"{job}-{view.name}", picture, view.width, tmp_path) for view, picture in pictures.items()]
    assert list(filter(None, said)) == []


BREAKAGES: dict[str, Callable[[str], str]] = {
    "a table is not there": lambda page: re.sub(r'(?s)<table class="data.*?</table>', "", page, count=1),
    "a picture is not there": lambda page: re.sub(r"<img[^>]*>", "", page, count=1),
    "another ground": lambda page: page.replace('bgcolor="#FFFFFF"', "").replace("#FFFFFF", "#FFE9B0"),
    "wider than the window": lambda page: page.replace("max-width:600px", "width:760px"),
    "numbers to the left": lambda page: page.replace('align="right"', "").replace("text-align:right", ""),
    "figures without values": lambda page: re.sub(r'(?s)<p class="value.*?</p>', "", page),
    "no style at all": lambda page: re.sub(r' style="[^"]*"', "", page),
}


@pytest.mark.parametrize("breakage", BREAKAGES)
def test_a_mail_that_is_broken_does_not_look_as_reviewed(browser: Browser, cashflow: Report, breakage: str) -> None:
    """What is told apart is what a reader would see."""
    broken = BREAKAGES[breakage](cashflow.html)
    assert broken != cashflow.html
    assert unlikeness(shown(browser, replace(cashflow, html=broken)), kept("cashflow-600-light"), 600) > 1.5 * ALIKE


def test_a_scheme_that_is_not_honoured_does_not_look_as_reviewed(browser: Browser, cashflow: Report) -> None:
    """Light where it should be dark."""
    assert unlikeness(shown(browser, cashflow), kept("cashflow-600-dark"), 600) > 10 * ALIKE


def test_another_way_to_draw_letters_looks_the_same(browser: Browser, cashflow: Report) -> None:
    """Machines differ in that, and it is no news."""
    other = replace(browser, options=["--disable-font-subpixel-positioning"])
    assert 0 < unlikeness(shown(other, cashflow), kept("cashflow-600-light"), 600) < ALIKE


def test_every_picture_is_one_of_these_and_they_are_small() -> None:
    """None is left over from a job or a width that is gone."""
    expected = {
        f"{job}-{view.name}.png"
        for job in samples.SAMPLES
        for scheme in looking.SCHEMES
        for view in looking.views(scheme)
    }
    assert {picture.name for picture in LOOKS.iterdir()} == expected
    assert sum(picture.stat().st_size for picture in LOOKS.iterdir()) < MOST
