"""Figures of a job's hooks as pictures: their size, their bytes, and nothing left behind."""

from __future__ import annotations

import io
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from reports.errors import RenderError
from reports.model import Picture
from reports.render.charts import draw_figure


def figure(width: float = 6.4, height: float = 4.8, **more: Any) -> Figure:
    made = Figure((width, height), **more)
    made.subplots().plot([1, 3, 2])
    return made


def size(content: bytes) -> tuple[int, int]:
    wide, tall = struct.unpack(">II", content[16:24])
    return wide, tall


@pytest.mark.parametrize(
    ("inches", "asked", "css"),
    [((6.4, 4.8), None, 550), ((3, 2), None, 288), ((20, 5), None, 550), ((3, 2), 400, 400), ((1, 100), None, 16)],
    ids=["usual", "small", "large", "asked for", "very tall"],
)
def test_a_figure_is_scaled_into_the_column(inches: tuple[float, float], asked: int | None, css: int) -> None:
    """Twice the pixels of its CSS width, in its own proportions, never wider than the mail nor endlessly tall."""
    artifact = draw_figure(Picture(figure=figure(*inches), alt="A line.", width=asked), number=2)
    wide, tall = size(artifact.content)
    assert (artifact.width, wide) == (css, 2 * css)
    assert tall == pytest.approx(wide * inches[1] / inches[0], abs=wide / 40)
    assert (artifact.name, artifact.cid, artifact.alt) == ("picture-2.png", "picture-2", "A line.")


def test_a_transparent_figure_is_laid_on_white_paper() -> None:
    """In dark mode nothing shines through."""
    content = draw_figure(Picture(figure=figure(facecolor="none"), alt="A line."), number=1).content
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.mode == "RGB"
        assert (np.asarray(picture)[[0, -1], [0, -1]] == 255).all()
        assert "Software" not in picture.info


def test_equal_figures_give_equal_bytes_and_are_left_as_they_were() -> None:
    """Drawing twice, or a figure made anew, gives the same picture; its own density stays."""
    one = figure(dpi=72)
    first, again, other = (draw_figure(Picture(figure=each, alt="x"), number=1) for each in (one, one, figure(dpi=72)))
    assert first.content == again.content == other.content
    assert one.dpi == 72
    changed = figure()
    changed.axes[0].plot([2, 2, 2])
    assert draw_figure(Picture(figure=changed, alt="x"), number=1).content != first.content


def test_pyplot_forgets_what_was_drawn_and_keeps_the_rest() -> None:
    """A service that draws for months does not gather figures; settings stay as they were."""
    code = (
        "import matplotlib; matplotlib.use('agg'); import matplotlib.pyplot as plt\n"
        "from reports.model import Picture; from reports.render.charts import draw_figure\n"
        "kept, drawn = plt.figure(), plt.figure(); before = dict(dict.items(matplotlib.rcParams))\n"
        "draw_figure(Picture(figure=drawn, alt='x'), number=1)\n"
        "assert plt.get_fignums() == [1]\n"
        "assert dict(dict.items(matplotlib.rcParams)) == before\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_figure_that_cannot_be_drawn_is_told() -> None:
    """A mistake that only drawing shows names the picture and what matplotlib said."""
    wrong = figure()
    wrong.axes[0].set_title("$\\frac{1$")
    with pytest.raises(RenderError, match="the figure cannot be drawn: ValueError") as caught:
        draw_figure(Picture(figure=wrong, alt="Shares of the year"), number=1)
    assert caught.value.where == "picture 'Shares of the year'"


def test_the_bytes_are_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    """Neither the order of hashes nor the process is in the picture."""
    code = (
        "from matplotlib.figure import Figure; from reports.model import Picture\n"
        "from reports.render.charts import draw_figure; figure = Figure(layout='constrained')\n"
        "axes = figure.subplots(); axes.bar(['a', 'b'], [1, 2], label='x'); axes.legend(); axes.set_xlabel('$x^2$')\n"
        "print(draw_figure(Picture(figure=figure, alt='x'), number=1).sha256)\n"
    )
    prints = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(prints) == 1
