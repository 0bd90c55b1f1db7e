"""The sample mail in a real browser, as wide as a desktop and as narrow as an old phone."""

from __future__ import annotations

import base64
import html
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports.app import Wanted, open_app

PAGE = """<!doctype html><title>-</title><body><iframe id="mail" style="border:0;width:{width}px;height:4000px"
srcdoc="{body}"></iframe><script>
addEventListener("load", () => {{
  const page = document.getElementById("mail").contentDocument;
  const pictures = [...page.images].every(picture => picture.complete && picture.naturalWidth > 0);
  document.title = [page.documentElement.scrollWidth, pictures, page.images.length].join(" ");
}});
</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


@pytest.fixture(scope="module")
def body(root: Path) -> str:
    report = open_app(root).preview("cashflow", Wanted(as_of="2026-10-31")).report
    text = report.html
    for image in report.images:
        text = text.replace(f"cid:{image.cid}", f"data:image/png;base64,{base64.b64encode(image.content).decode()}")
    return text


@pytest.mark.browser
@pytest.mark.parametrize("width", [1024, 600, 375, 320])
def test_the_mail_fits_every_width_and_shows_its_pictures(chromium: str, body: str, width: int, tmp_path: Path) -> None:
    """Nobody scrolls sideways, and no picture is broken."""
    page = tmp_path / "page.html"
    page.write_text(PAGE.format(width=width, body=html.escape(body)), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--window-size=1200,900"]
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    shown = subprocess.run(
        [chromium, *options, profile, "--dump-dom", page.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=90,
    )
    title = re.search(r"<title>(.*?)</title>", shown.stdout)
    assert title is not None
    wide, pictures, count = title[1].split()
    assert (int(wide) <= width, pictures, count) == (True, "true", "2")
