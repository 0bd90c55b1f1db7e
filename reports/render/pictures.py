"""The pictures of a page: drawn, and made to fit a mail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from reports.model import Artifact, Block, Chart, Picture, Theme
from reports.render import charts, images
from reports.render.locales import Locale


def drawn(
    blocks: Sequence[Block], locale: Locale, theme: Theme, tell: Callable[[str], None]
) -> tuple[list[Block], list[Artifact]]:
    """The blocks, those told so whose picture is too heavy for a mail, and the pictures of all others in order."""
    to_draw = [block for block in blocks if isinstance(block, Chart | Picture)]
    made = [_drawn(block, number, locale, theme) for number, block in enumerate(to_draw, start=1)]
    fitted = images.fit(made, tell)
    left = iter(fitted)
    marked = [
        replace(block, drawn=next(left) is not None) if isinstance(block, Chart | Picture) else block
        for block in blocks
    ]
    return marked, [picture for picture in fitted if picture]


def _drawn(block: Chart | Picture, number: int, locale: Locale, theme: Theme) -> Artifact:
    if isinstance(block, Picture):
        return charts.draw_figure(block, number=number)
    return charts.draw(block, number=number, locale=locale, theme=theme)
