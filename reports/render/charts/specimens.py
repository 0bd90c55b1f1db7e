"""Small pictures side by side with a line below each, as a model's predictions are looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from reports import colours
from reports.colours import Colour
from reports.errors import RenderError
from reports.model import Artifact, Theme, Tone
from reports.render.charts.alt import LONGEST
from reports.render.charts.fonts import Typeface, plain
from reports.render.charts.paper import MARGIN, WIDTH, foot, room_for
from reports.render.charts.pen import DENSITY, Pen
from reports.render.palette import INK, RULE, palette

MOST = 20
_GAP, _LINE, _SMALL, _HEAD = 10, 15, 11, 22
_TALLEST = 1.5  # times its width
_INKS = {"good": Colour.of(colours.GOOD), "bad": Colour.of(colours.BAD)}

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """A picture and what is said of it; a `tone` of good or bad colours the words.

    The picture is a PIL image or an array or tensor: height x width, with 1, 3 or 4 channels behind or before that.
    """

    image: Any = field(repr=False)
    caption: str = ""
    tone: Tone = ""


def sheet(specimens: Sequence[Specimen], *, title: str = "", name: str = "samples") -> Artifact:
    """The first twenty on one PNG below their title, shown 550 CSS pixels wide; a RenderError where one is no picture.

    Floats from 0 to 1 and whole numbers from 0 to 255 are taken as they are; any others from their least to their
    greatest. Pictures of few pixels are shown with sharp ones.
    """
    shown = [(_image(one.image), one) for one in specimens[:MOST]]
    columns = len(shown) if len(shown) <= 4 else 4 if len(shown) <= 8 else 5
    wide = (WIDTH - 2 * MARGIN - _GAP * (columns - 1)) / columns if columns > 2 else 240.0
    ruler = Pen(Typeface(), palette(Theme()), WIDTH, 1)
    captions = [list(_wrapped(ruler, one.caption, wide)) for one in specimens[:MOST]]
    tall = wide * min(_TALLEST, max(image.height / image.width for image, _ in shown))
    row = tall + _LINE * max(map(len, captions)) + _GAP
    left_out = len(specimens) - len(shown)
    notes = [f"{left_out} more are not shown."] if left_out else []
    head = _HEAD * bool(title)
    pen = ruler.sheet(int(head + MARGIN * 2 + row * math.ceil(len(shown) / columns) - _GAP + room_for(notes)))
    for number, ((image, one), lines) in enumerate(zip(shown, captions, strict=True)):
        left, top = MARGIN + (wide + _GAP) * (number % columns), head + MARGIN + row * (number // columns)
        _place(pen, image, left, top, (wide, tall))
        for line, text in enumerate(lines):
            pen.text(left, top + tall + _LINE * (line + 1) - 2, text, size=_SMALL, ink=_INKS.get(one.tone, INK))
    pen.text(MARGIN, MARGIN + 12, title, bold=True)
    foot(pen, notes)
    alt = (f"{title}: " if title else "") + _alt([one.caption for one in specimens])
    return Artifact(
        name=f"{name}.png", media_type="image/png", content=pen.png(), cid=name, alt=alt, width=WIDTH
    )  # fmt: skip


def _alt(captions: Sequence[str]) -> str:
    said = "; ".join(plain(one) for one in captions if one)
    count = "1 sample" if len(captions) == 1 else f"{len(captions)} samples"
    text = f"{count}: {said}." if said else f"{count}."
    return text if len(text) <= LONGEST else text[: LONGEST - 1].rstrip() + "…"


def _wrapped(pen: Pen, text: str, room: float) -> Iterator[str]:
    """At most two lines."""
    words, line = plain(text).split(" "), ""
    for number, word in enumerate(words):
        longer = f"{line} {word}".strip()
        if line and pen.measure(longer, size=_SMALL) > room:
            yield pen.shortened(line, room, size=_SMALL)
            yield pen.shortened(" ".join(words[number:]), room, size=_SMALL)
            return
        line = longer
    if line:
        yield pen.shortened(line, room, size=_SMALL)


def _place(pen: Pen, image: Image.Image, left: float, top: float, room: tuple[float, float]) -> None:
    scale = min(room[0] * DENSITY / image.width, room[1] * DENSITY / image.height)
    how = Image.Resampling.NEAREST if scale >= 2 else Image.Resampling.LANCZOS
    size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
    pen.image(left, top, np.asarray(image.resize(size, how)))
    width, height = size[0] / DENSITY, size[1] / DENSITY
    pen.line((left, left + width, left + width, left, left), (top, top, top + height, top + height, top), RULE, 0.75)


# -- what is a picture ----------------------------------------------------------------------------


def is_image(value: object) -> bool:
    """Whether a specimen can be made of it: a PIL image, or an array or tensor with the shape of a picture."""
    return isinstance(value, Image.Image) or _shaped(getattr(value, "shape", ()))


def _shaped(shape: Sequence[int]) -> bool:
    try:
        sides = tuple(map(int, shape))
    except TypeError:
        return False
    colours_ = len(sides) == 3 and (sides[2] in {1, 3, 4} or sides[0] in {1, 3, 4})
    return (len(sides) == 2 or colours_) and min(sides) > 0


def _image(value: Any) -> Image.Image:
    if isinstance(value, Image.Image):
        return value.convert("RGB")
    array = _array(value)
    if not _shaped(array.shape) or array.dtype.kind not in "biuf":
        raise RenderError(
            f"an array of shape {array.shape} and type {array.dtype} is no picture",
            hint="give height x width, with 1, 3 or 4 channels behind or before, of numbers",
        )
    if array.ndim == 3 and array.shape[2] not in {1, 3, 4}:
        array = np.moveaxis(array, 0, 2)
    pixels = _bytes(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[..., 0]
    return Image.fromarray(pixels).convert("RGB")


def _array(value: Any) -> NDArray[Any]:
    """The array itself, or what is in a tensor, wherever that lies."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        value = value.float() if "bfloat16" in str(getattr(value, "dtype", "")) else value
    return np.asarray(value)


def _bytes(array: NDArray[Any]) -> Pixels:
    if array.dtype.kind == "b":
        return np.asarray(array * 255, np.uint8)
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    values = np.nan_to_num(array.astype(np.float64))
    low, high = float(values.min()), float(values.max())
    if array.dtype.kind in "iu" and low >= 0 and 1 < high <= 255:
        return values.astype(np.uint8)
    if low < 0 or high > 1:
        values = (values - low) / (high - low or 1.0)
    return np.round(values * 255).astype(np.uint8)
