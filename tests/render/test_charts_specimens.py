"""Pictures side by side, as a model's predictions are looked at."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from reports.errors import RenderError
from reports.render.charts.specimens import Specimen, is_image, sheet

RED, WHITE = (255, 0, 0), (255, 255, 255)


def drawn(*specimens: Specimen) -> np.ndarray[Any, Any]:
    with Image.open(io.BytesIO(sheet(specimens).content)) as picture:
        return np.asarray(picture.convert("RGB"))


def colour(image: Any) -> tuple[int, ...]:
    """Of a point in the middle of a picture that is alone on its sheet."""
    pixels = drawn(Specimen(image=image))
    return tuple(int(part) for part in pixels[200, 200])


@pytest.mark.parametrize(
    "image",
    [
        Image.new("RGB", (8, 8), RED),
        Image.new("RGBA", (8, 8), (*RED, 255)),
        np.full((8, 8, 3), RED, np.uint8),
        np.full((8, 8, 3), RED, np.int64),
        np.full((8, 8, 3), (1.0, 0.0, 0.0)),
        np.moveaxis(np.full((8, 8, 3), (1.0, 0.0, 0.0), np.float32), 2, 0),  # channels first
        np.full((8, 8, 4), (*RED, 255), np.uint8),
    ],
)
def test_each_form_of_a_picture_has_its_colours(image: Any) -> None:
    """PIL images and arrays, channels behind or before."""
    assert colour(image) == RED


@pytest.mark.parametrize(
    ("image", "grey"),
    [
        (np.full((8, 8), 0.5), 128),
        (np.full((8, 8, 1), 128, np.uint8), 128),
        (np.full((1, 8, 8), 128, np.int16), 128),
        (np.full((8, 8), fill_value=True), 255),
        (np.where(np.arange(64).reshape(8, 8) < 8, -2.0, 2.0), 255),  # from its least to its greatest
        (np.full((8, 8), np.nan), 0),
    ],
)
def test_grey_is_grey(image: Any, grey: int) -> None:
    """Shares of one, bytes, truths, and what is measured otherwise."""
    assert colour(image) == (grey,) * 3


def test_a_tensor_is_taken_from_where_it_lies() -> None:
    """It need not be an array already."""

    class Tensor:
        shape, dtype = (8, 8), "torch.bfloat16"

        def detach(self) -> Tensor:
            return self

        def cpu(self) -> Tensor:
            return self

        def float(self) -> np.ndarray[Any, Any]:
            return np.full((8, 8), 1.0)

    assert is_image(Tensor())
    assert colour(Tensor()) == WHITE


@pytest.mark.parametrize(("count", "height"), [(1, 280), (4, 170), (8, 320), (12, 400)])
def test_sheets_grow_by_rows(count: int, height: int) -> None:
    """All as wide as a mail's column; never higher than the pictures need."""
    pixels = drawn(*[Specimen(image=np.zeros((8, 8)), caption="7")] * count)
    assert pixels.shape[1] == 1100
    assert pixels.shape[0] / 2 < height


def test_no_more_than_twenty_are_shown() -> None:
    """The others are counted, in the picture and by the alt text's number."""
    made = sheet([Specimen(image=np.zeros((8, 8)), caption="7")] * 23)
    assert made.alt.startswith("23 samples: 7; 7;")
    assert len(made.alt) <= 399
    twenty = sheet([Specimen(image=np.zeros((8, 8)), caption="7")] * 20)
    assert len(made.content) != len(twenty.content)


def test_captions_are_kept_within_their_pictures() -> None:
    """Two lines at the most: the rest is cut, and the alt text has it."""
    long = Specimen(image=np.zeros((8, 8)), caption="a very long caption " * 12)
    made = sheet([long, long, long, long])
    with Image.open(io.BytesIO(made.content)) as picture:
        assert picture.height / 2 < 190
        assert all(Image.Image.getpixel(picture, (column, picture.height - 30)) == WHITE for column in (280, 550, 820))
    assert "a very long caption a very long caption" in made.alt


@pytest.mark.parametrize("wrong", [np.zeros((2, 3, 4, 5)), np.zeros(9), np.full((4, 4), "x")])
def test_what_is_no_picture_is_an_error(wrong: Any) -> None:
    """With what it is and what it should be."""
    with pytest.raises(RenderError, match="is no picture"):
        sheet([Specimen(image=wrong)])


def test_pictures_are_known_from_other_things() -> None:
    """Two dimensions, or three of which one counts colours."""
    assert all(is_image(np.zeros(shape)) for shape in [(28, 28), (28, 28, 3), (1, 28, 28)])
    assert not any(is_image(one) for one in [np.zeros(28), np.zeros((5, 28, 28)), np.zeros((0, 4)), "picture.png", 3])
