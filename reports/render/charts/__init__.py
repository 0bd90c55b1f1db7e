"""A chart as a picture for a mail: opaque, twice as dense as it is shown, with its message as alt text.

`series` reads the frame, `scale` finds the ticks, `paper` lays out what surrounds the marks; `curves`, `bars`,
`sparklines`, `falls` and `heats` make the marks in the colours of `palette`, `labels` names them where they are;
`alt` says it all in words. `pen`, `fonts` and `pictures` (Figures of a job's hooks) are the home of matplotlib.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Collection, Mapping

from reports.model import Artifact, Chart, Theme
from reports.render.charts import bars, curves, falls, heats, sparklines
from reports.render.charts.alt import sentences
from reports.render.charts.fonts import MissingFont, Typeface
from reports.render.charts.paper import WIDTH, Picture, no_data
from reports.render.charts.pen import Pen
from reports.render.charts.pictures import draw_figure
from reports.render.charts.series import plots
from reports.render.formats import written
from reports.render.locales import ENGLISH, Locale
from reports.render.palette import palette

__all__ = ["MissingFont", "draw", "draw_figure"]

_PLAIN = Theme()


def draw(
    chart: Chart,
    *,
    number: int,
    locale: Locale = ENGLISH,
    theme: Theme = _PLAIN,
    fonts: Collection[str] | None = None,
) -> Artifact:
    """The chart as a PNG, `chart-<number>`, shown 550 CSS pixels wide; equal data give equal bytes.

    The language decides the shapes of Chinese characters; `fonts` limits the families to choose from. Raises
    a RenderError for a missing column and for values that are no numbers; warns with MissingFont when no
    font has the characters of the chart.
    """
    parts, notes = plots(chart, locale)
    steps, more = falls.steps(chart, parts[0], locale) if chart.kind == "waterfall" else ([], [])
    notes += more
    typeface = Typeface(locale.language, fonts)
    picture = Picture(
        kind=chart.kind,
        plots=parts,
        notes=[*notes, *_origin(chart, locale)],
        ruler=Pen(typeface, palette(theme), WIDTH, 1),
        locale=locale,
        x_label=chart.x.label or chart.x.key,
        own_scales=chart.own_scales,
        unit=chart.unit,
        steps=steps,
    )
    pen = _drawn(picture)
    if complaint := typeface.complaint():
        warnings.warn(complaint, MissingFont, stacklevel=2)
    return Artifact(
        name=f"chart-{number}.png",
        media_type="image/png",
        content=pen.png(),
        cid=f"chart-{number}",
        alt=chart.alt or sentences(chart, parts, notes, steps, locale),
        width=WIDTH,
    )


def _drawn(picture: Picture) -> Pen:
    if all(plot.empty for plot in picture.plots) and not picture.steps:
        return no_data(picture)
    return _KINDS[picture.kind](picture)


def _origin(chart: Chart, locale: Locale) -> list[str]:
    """The line at the foot: the author's own, or where the numbers came from and of which day they are."""
    if chart.credit or not chart.source:
        return [chart.credit] if chart.credit else []
    if chart.as_of is None:
        return [locale.word("Source: {source}", source=chart.source)]
    day = written(chart.as_of, "date", locale)
    return [locale.word("Source: {source}, as of {date}", source=chart.source, date=day)]


_KINDS: Mapping[str, Callable[[Picture], Pen]] = {
    "line": curves.lines,
    "area": curves.lines,
    "bar": bars.bars,
    "small_multiples": curves.panels,
    "sparkline": sparklines.sparklines,
    "waterfall": falls.waterfall,
    "heatmap": heats.heatmap,
}
