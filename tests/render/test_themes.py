"""The look that settings ask for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from pydantic import ValidationError

from reports.colours import contrast
from reports.errors import SettingsError
from reports.model import Theme
from reports.render.themes import resolve
from reports.settings import Settings


def settings(root: Path, **keys: object) -> Settings:
    return Settings.model_validate({"theme": keys}, context={"root": root})


def picture(folder: Path, name: str = "logo.png", *, width: int = 300, kind: str = "PNG") -> None:
    made = io.BytesIO()
    Image.new("RGB", (width, 60), "#1F5A92").save(made, kind)
    (folder / name).write_bytes(made.getvalue())


def test_a_project_without_a_theme_has_the_house_s(tmp_path: Path) -> None:
    """What the model says is what the settings say."""
    assert resolve(settings(tmp_path).theme) == Theme()


@pytest.mark.parametrize("accent", ["#FFD400", "#0B3D2E", "#808080", "#e6e6fa"])
def test_what_is_written_on_and_in_the_accent_can_be_read(tmp_path: Path, accent: str) -> None:
    """Whatever accent it is, and #RRGGBB in either case."""
    theme = resolve(settings(tmp_path, accent=accent).theme)
    assert theme.accent == accent.upper()
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.link, "#FFFFFF") >= 4.5


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"accent": "blue"}, "#RRGGBB"),
        ({"second": "#12345"}, "#RRGGBB"),
        ({"logo": "logo.png"}, "a logo needs a logo_alt"),
        ({"acent": "#123456"}, "unknown key 'acent'"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, keys: dict[str, str], said: str) -> None:
    """In the words of the settings."""
    with pytest.raises(ValidationError, match=said):
        settings(tmp_path, **keys)


@pytest.mark.parametrize(("asked", "shown"), [(None, 150), (90, 90)])
def test_a_logo_is_an_inline_image(tmp_path: Path, asked: int | None, shown: int) -> None:
    """Half as wide as it is, so that it is sharp, or as wide as is asked for."""
    picture(tmp_path)
    logo = resolve(settings(tmp_path, logo="logo.png", logo_alt="A bank", logo_width=asked).theme).logo
    assert logo
    assert (logo.cid, logo.name, logo.media_type, logo.alt) == ("logo", "logo.png", "image/png", "A bank")
    assert logo.width == shown


def test_a_logo_may_be_a_photograph(tmp_path: Path) -> None:
    """By its content, not by the ending of its name."""
    picture(tmp_path, "logo.png", kind="JPEG")
    logo = resolve(settings(tmp_path, logo="logo.png", logo_alt="A bank").theme).logo
    assert logo
    assert (logo.name, logo.media_type) == ("logo.jpg", "image/jpeg")


def test_a_logo_that_cannot_be_sent_is_told(tmp_path: Path) -> None:
    """Not there, outside, no picture, or too large to go with every mail."""
    inside = tmp_path / "project"
    inside.mkdir()
    picture(tmp_path, "outside.png")
    picture(inside, "animated.gif", kind="GIF")
    (inside / "text.png").write_text("no picture", "utf-8")
    picture(inside, "large.jpg", kind="JPEG")
    with (inside / "large.jpg").open("ab") as file:
        file.write(bytes(100_001))
    said = {
        "none.png": "cannot be read",
        "../outside.png": "not in the project",
        "animated.gif": "PNG or JPEG",
        "text.png": "PNG or JPEG",
        "large.jpg": "goes with every mail",
    }
    for name, words in said.items():
        with pytest.raises(SettingsError, match=words):
            resolve(settings(inside, logo=name, logo_alt="A bank").theme)
