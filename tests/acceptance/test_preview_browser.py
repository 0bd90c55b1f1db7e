"""The preview in a real browser, from a file, as a person opens it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from reports import preview
from reports.app import Wanted, open_app

# What the page is asked once it is loaded; it answers in its title.
PROBE = """<script>
addEventListener("load", () => setTimeout(async () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const said = {}, wait = () => new Promise(done => setTimeout(done, 400));
  const look = scheme => all(`[data-scheme=${scheme}] iframe`)[2].contentDocument;
  const behind = scheme => getComputedStyle(look(scheme).querySelector(".sheet")).backgroundColor;
  const press = (tab, key) => tab.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  said.widths = all("[data-scheme=dark] iframe").map(frame => frame.clientWidth);
  said.inside = all("[data-scheme=light] iframe").map(frame => frame.contentDocument.documentElement.scrollWidth);
  said.light = behind("light");
  said.dark = behind("dark");
  said.pictures = [...look("light").images].map(image => image.naturalWidth > 0);
  document.querySelector("[name=pictures][value=off]").click();
  for (const value of ["darkened", "turned"]) document.querySelector(`[name=scheme][value=${value}]`).click();
  await wait();
  said.blocked = [...look("light").images].map(image => image.naturalWidth > 0);
  said.alts = [...look("light").images].map(image => image.alt.length > 20 && image.offsetHeight >= 40);
  said.turned = ["darkened", "turned"].map(behind);
  document.querySelector("[name=height][value=whole]").click();
  await wait();
  said.whole = all("[data-scheme=light] iframe").every(frame => frame.clientHeight >= frame.contentDocument.body.scrollHeight);
  const open = () => all("[role=tabpanel]").filter(panel => !panel.hidden).map(panel => panel.id).join();
  const tabs = all("[role=tab]");
  tabs[1].click();
  said.clicked = open();
  press(tabs[1], "ArrowRight");
  said.pressed = [open(), document.activeElement.id];
  press(tabs[2], "End");
  said.end = open();
  press(tabs[4], "ArrowRight");
  said.around = open();
  document.title = "ANSWER" + JSON.stringify(said);
}, 600));
</script>"""


@pytest.fixture(scope="module")
def answer(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, object], str]:
    """What the page answered, and what the browser had to complain of."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    folder = tmp_path_factory.mktemp("preview")
    app = open_app(root)
    sent = app.dry_run("cashflow", Wanted(as_of="2026-10-31"))
    (path,) = preview.write(sent, app.verdicts(sent), folder)
    app.close()
    path.write_text(path.read_text("utf-8").replace("</body>", PROBE + "</body>"), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000", "--window-size=1500,1000"]
    told = ["--enable-logging=stderr", "--log-level=0", f"--user-data-dir={folder / 'profile'}"]
    ran = subprocess.run(
        [chromium, *options, *told, "--dump-dom", path.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    found = re.search(r"<title>ANSWER(.*?)</title>", ran.stdout)
    assert found is not None, ran.stderr[-2000:]
    return json.loads(found[1]), ran.stderr


@pytest.mark.browser
def test_it_opens_from_a_file_without_a_complaint(answer: tuple[dict[str, object], str]) -> None:
    """Nothing is refused, and nothing is missing."""
    _, complaints = answer
    assert [line for line in complaints.splitlines() if "CONSOLE" in line] == []


@pytest.mark.browser
def test_the_mail_stands_in_frames_of_four_widths(answer: tuple[dict[str, object], str]) -> None:
    """And in none of them does it scroll sideways."""
    said, _ = answer
    assert said["widths"] == list(preview.WIDTHS)
    assert all(inside <= width for inside, width in zip(said["inside"], preview.WIDTHS, strict=True))  # type: ignore[call-overload]


@pytest.mark.browser
def test_dark_is_another_mail_than_light(answer: tuple[dict[str, object], str]) -> None:
    """By the mail's own rules, and as clients turn it that know none."""
    said, _ = answer
    assert said["light"] == "rgb(255, 255, 255)"
    assert said["dark"] not in {said["light"], "rgba(0, 0, 0, 0)"}
    assert said["turned"] == ["rgb(31, 31, 31)"] * 2


@pytest.mark.browser
def test_pictures_are_shown_or_what_they_say(answer: tuple[dict[str, object], str]) -> None:
    """Off, each leaves its alt text and room for it."""
    said, _ = answer
    assert isinstance(said["pictures"], list)
    many = len(said["pictures"])
    assert many >= 2
    assert said["pictures"] == said["alts"] == [True] * many
    assert said["blocked"] == [False] * many


@pytest.mark.browser
def test_tabs_work_by_mouse_and_by_keyboard(answer: tuple[dict[str, object], str]) -> None:
    """One panel at a time; arrows go around; frames can be as high as the mail."""
    said, _ = answer
    assert (said["clicked"], said["pressed"]) == ("text", ["message", "tab-message"])
    assert (said["end"], said["around"]) == ("checks", "mail")
    assert said["whole"] is True
