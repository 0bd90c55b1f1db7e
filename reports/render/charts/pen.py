"""A sheet of white paper and a pen: the only place that draws with matplotlib.

It uses the Agg renderer by itself, without figure, axes and pyplot: half the import time, none of the
global state, and a picture in milliseconds. Lengths are CSS pixels, from the top left.
"""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D
from numpy.typing import NDArray
from PIL import Image

from reports.colours import Colour
from reports.render.charts.fonts import Typeface
from reports.render.palette import INK, WHITE, Palette

DENSITY = 2  # pixels of the picture for one CSS pixel

Floats = NDArray[np.floating[Any]]
Points = Floats | Sequence[float]


class Pen:
    """Draws on `width` x `height` CSS pixels and hands the sheet over as a PNG."""

    def __init__(self, typeface: Typeface, palette: Palette, width: int, height: int) -> None:
        self.typeface, self.palette, self.width, self.height = typeface, palette, width, height
        agg: Any = RendererAgg  # matplotlib leaves it without types
        self._renderer = agg(width * DENSITY, height * DENSITY, 72 * DENSITY)
        self._pixels = np.asarray(self._renderer.buffer_rgba())
        self._place = Affine2D().scale(DENSITY, -DENSITY).translate(0, height * DENSITY)
        self.fill((0, width, width, 0), (0, 0, height, height), WHITE)

    def sheet(self, height: int) -> Pen:
        """A new sheet of the same width, to draw on what was measured with this one."""
        return Pen(self.typeface, self.palette, self.width, height)

    def line(self, xs: Points, ys: Points, ink: Colour, width: float = 1) -> None:
        """A line through the points, interrupted where a value is NaN."""
        context = _context(ink, width)
        self._renderer.draw_path(context, Path(np.column_stack((xs, ys))), self._place)

    def fill(self, xs: Points, ys: Points, ink: Colour) -> None:
        """The area inside the points."""
        self._renderer.draw_path(_context(ink, 0), Path(np.column_stack((xs, ys))), self._place, ink)

    def box(self, left: float, top: float, width: float, height: float, ink: Colour) -> None:
        """A rectangle, its edges on whole pixels: sharp, and neighbours without a seam."""
        edges = (top, top + height, left, left + width)
        upper, lower, start, end = (max(0, round(edge * DENSITY)) for edge in edges)
        self._pixels[upper:lower, start:end, :3] = [round(part * 255) for part in ink]

    def boxes(self, left: Floats, top: Floats, width: Floats, height: Floats, *, ink: Colour) -> None:
        """Many rectangles of one colour."""
        for box in zip(left.tolist(), top.tolist(), width.tolist(), height.tolist(), strict=True):
            self.box(*box, ink)

    def image(self, left: float, top: float, pixels: NDArray[np.uint8]) -> None:
        """A picture of red, green and blue pixels, one of the sheet for each of its own."""
        row, column = round(top * DENSITY), round(left * DENSITY)
        place = self._pixels[row : row + pixels.shape[0], column : column + pixels.shape[1], :3]
        place[:] = pixels[: place.shape[0], : place.shape[1]]

    def dot(self, x: float, y: float, radius: float, ink: Colour) -> None:
        circle = Path.unit_circle().transformed(Affine2D().scale(radius).translate(x, y))
        self._renderer.draw_path(_context(ink, 0), circle, self._place, ink)

    def arrow(self, x: float, y: float, *, up: bool, ink: Colour) -> None:
        """A small triangle around a point, its tip up or down."""
        tip = -3.5 if up else 3.5
        self.fill((x - 4, x + 4, x), (y - tip, y - tip, y + tip), ink)

    def text(  # noqa: PLR0913  a text is its words, its place and its looks
        self,
        x: float,
        baseline: float,
        text: str,
        *,
        size: float = 12,
        ink: Colour = INK,
        bold: bool = False,
        align: Literal["left", "center", "right"] = "left",
    ) -> None:
        text = self.typeface.clean(text)
        if not text:
            return
        x -= {"left": 0.0, "center": 0.5, "right": 1.0}[align] * self.measure(text, size=size, bold=bold)
        self._renderer.draw_text(
            _context(ink, 0),
            round(x * DENSITY),
            round(baseline * DENSITY),
            text,
            self.typeface.properties(text, size, bold=bold),
            0,
        )

    def measure(self, text: str, *, size: float = 12, bold: bool = False) -> float:
        """The width of a text."""
        text = self.typeface.clean(text)
        if (text, size, bold) not in (known := self.typeface.widths):
            properties = self.typeface.properties(text, size, bold=bold)
            width, _, _ = self._renderer.get_text_width_height_descent(text, properties, ismath=False)
            known[text, size, bold] = float(width) / DENSITY if text else 0.0
        return known[text, size, bold]

    def shortened(self, text: str, room: float, *, size: float = 12, bold: bool = False) -> str:
        """As much of a text as there is room for, with an ellipsis where some is left out."""
        text = self.typeface.clean(text)[:200]
        if self.measure(text, size=size, bold=bold) <= room:
            return text

        def wide(length: int) -> float:
            return self.measure(text[:length] + "…", size=size, bold=bold)

        return text[: max(0, bisect_right(range(len(text)), room, key=wide) - 1)].rstrip() + "…"

    def png(self) -> bytes:
        """The sheet as an opaque PNG without a date or a maker: the same drawing, the same bytes."""
        return png(self._pixels)


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Pixels with red, green, blue and cover, laid on white paper, as the bytes of a PNG."""
    picture = Image.fromarray(pixels)
    if pixels[..., 3].min() < 255:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    file = io.BytesIO()
    picture.convert("RGB").save(file, "PNG", dpi=(96 * DENSITY, 96 * DENSITY))
    return file.getvalue()


def _context(ink: Colour, width: float) -> GraphicsContextBase:
    context = GraphicsContextBase()
    context.set_foreground((*ink, 1.0), isRGBA=True)
    context.set_linewidth(width)  # the renderer scales it by its own density
    context.set_joinstyle("round")
    context.set_capstyle("round" if width > 1 else "butt")
    return context
