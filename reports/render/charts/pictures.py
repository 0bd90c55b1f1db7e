"""A matplotlib Figure as a picture for a mail: opaque, and without a trace of when or by what."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg

from reports.errors import RenderError
from reports.model import Artifact, Picture
from reports.render.charts.paper import WIDTH
from reports.render.charts.pen import DENSITY, png

_INCH = 96  # CSS pixels
_TALLEST = 1600


def draw_figure(picture: Picture, *, number: int, keep: bool = False) -> Artifact:
    """The figure as a PNG, `picture-<number>`, at most 550 CSS pixels wide; equal figures give equal bytes.

    A larger one is scaled down as a whole. pyplot forgets it, unless its maker wants to `keep` it, and no setting of
    matplotlib is changed. Raises a RenderError where the figure cannot be drawn.
    """
    wide = _width(picture)
    try:
        content = _drawn(picture.figure, wide)
    except Exception as error:  # artists of a job's own hooks may raise anything
        raise RenderError(
            f"the figure cannot be drawn: {type(error).__name__}: {error}",
            where=f"picture '{picture.title or picture.alt[:60]}'",
            hint="mend what draws it; figure.savefig shows the same error",
        ) from error
    finally:
        if not keep:
            _forgotten(picture.figure)
    return Artifact(
        name=f"picture-{number}.png",
        media_type="image/png",
        content=content,
        cid=f"picture-{number}",
        alt=picture.alt,
        width=wide,
    )


def _width(picture: Picture) -> int:
    """What was asked for, else as it was made; less where the column or a sheet's length demands it."""
    width, height = picture.figure.get_size_inches()
    wide = min(picture.width or width * _INCH, WIDTH)
    return max(1, int(min(wide, _TALLEST * width / height)))


def _drawn(figure: Any, wide: int) -> bytes:
    agg: Any = FigureCanvasAgg  # matplotlib leaves it without types
    density, before, canvas = figure.dpi, figure.canvas, agg(figure)
    try:
        figure.dpi = (wide * DENSITY + 1e-6) / figure.get_size_inches()[0]
        canvas.draw()
        return png(np.asarray(canvas.buffer_rgba()))
    finally:
        figure.dpi = density
        figure.set_canvas(before)


def _forgotten(figure: Any) -> None:
    """For pyplot keeps what it made until the end of the process."""
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close(figure)
