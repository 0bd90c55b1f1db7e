"""How unlike two pictures of a page are, whatever fonts the machines have that they were taken on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLUMNS = 16  # a page is looked at in as many columns
MAIL = 600
ROW = 10  # and in rows of so many pixels of a window
GAP = 10.0  # what a row costs that the other page does not have; colours are from 0 to 255


def unlikeness(shown: Image.Image, kept: Image.Image, width: int) -> float:
    """From 0, nothing, upwards: rows of blurred colour in order, some of which only one of the pages has.

    A line that is broken elsewhere, as in another font, costs little; a part that is missing, another ground, or marks
    in other places cost much. `width` is that of the window, to which both are brought.
    """
    ours, theirs = _rows(shown, width), _rows(kept, width)
    costs = np.abs(ours[:, None, :] - theirs[None, :, :]).mean(axis=2)
    # The mail is at most 600 pixels wide: in a wider window there is less of it in each row.
    return _aligned(costs) / max(costs.shape) * max(width / MAIL, 1)


def _rows(picture: Image.Image, width: int) -> NDArray[np.float64]:
    """The colours of the page, coarse and blurred: a line for each row of it."""
    count = max(round(picture.height * width / picture.width / ROW), 1)
    coarse = picture.convert("RGB").resize((COLUMNS, count), Image.Resampling.BOX)
    return np.asarray(coarse, dtype=np.float64).reshape(count, COLUMNS * 3)


def _aligned(costs: NDArray[np.float64]) -> float:
    """The least cost of bringing the rows of both together in order, where either may have rows of its own."""
    rows, columns = costs.shape
    steps = np.arange(columns + 1) * GAP
    best = steps.copy()
    for row in range(rows):
        either = np.minimum(best[:-1] + costs[row], best[1:] + GAP)
        reached = np.concatenate([[best[0] + GAP], either])
        # Rows that only the other page has: the least of all that lie before, with the way from there.
        best = np.minimum.accumulate(reached - steps) + steps
    return float(best[-1])
