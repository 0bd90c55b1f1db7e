"""A chart as a picture for a mail: opaque, twice as dense as it is shown, with its message as alt text.

`series` reads the frame, `scale` finds the ticks, `paper` lays out what surrounds the marks, `curves` and
`bars` make the marks, `alt` says it all in words; `pen`, `fonts` and `pictures` (Figures of a job's hooks) are
the home of matplotlib.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection

from reports.model import Artifact, Chart
from reports.render.charts import bars, curves
from reports.render.charts.alt import sentences
from reports.render.charts.fonts import MissingFont, Typeface
from reports.render.charts.paper import WIDTH, Picture, no_data
from reports.render.charts.pen import Pen
from reports.render.charts.pictures import draw_figure
from reports.render.charts.series import plots
from reports.render.locales import ENGLISH, Locale

__all__ = ["MissingFont", "draw", "draw_figure"]


def draw(
    chart: Chart,
    *,
    number: int,
    locale: Locale = ENGLISH,
    fonts: Collection[str] | None = None,
) -> Artifact:
    """The chart as a PNG, `chart-<number>`, shown 550 CSS pixels wide; equal data give equal bytes.

    The language decides the shapes of Chinese characters; `fonts` limits the families to choose from. Raises
    a RenderError for a missing column and for values that are no numbers; warns with MissingFont when no
    font has the characters of the chart.
    """
    parts, notes = plots(chart)
    typeface = Typeface(locale.language, fonts)
    ruler = Pen(typeface, WIDTH, 1)
    label = chart.x.label or chart.x.key
    picture = Picture(
        kind=chart.kind,
        plots=parts,
        notes=notes,
        ruler=ruler,
        locale=locale,
        x_label=label,
        own_scales=chart.own_scales,
    )
    pen = _drawn(picture)
    if complaint := typeface.complaint():
        warnings.warn(complaint, MissingFont, stacklevel=2)
    return Artifact(
        name=f"chart-{number}.png",
        media_type="image/png",
        content=pen.png(),
        cid=f"chart-{number}",
        alt=chart.alt or sentences(chart, parts, notes, locale),
        width=WIDTH,
    )


def _drawn(picture: Picture) -> Pen:
    if all(plot.empty for plot in picture.plots):
        return no_data(picture)
    if picture.kind == "small_multiples":
        return curves.panels(picture)
    return bars.bars(picture) if picture.kind == "bar" else curves.lines(picture)
