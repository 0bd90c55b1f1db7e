"""Pictures that would make a mail too heavy."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from reports.model import Artifact
from reports.render.images import fit


def picture(number: int, points: int = 200) -> Artifact:
    """Noise, which no format makes small."""
    noise = np.random.default_rng(number).integers(0, 256, (points, points, 3), dtype=np.uint8)
    made = io.BytesIO()
    Image.fromarray(noise).save(made, "PNG")
    return Artifact(name=f"chart-{number}.png", media_type="image/png", content=made.getvalue(), cid=f"chart-{number}")


def test_pictures_within_the_limits_stay_as_they_were_drawn() -> None:
    """To the byte, and nothing is told."""
    told: list[str] = []
    drawn = [picture(1), picture(2)]
    assert fit(drawn, told.append) == drawn
    assert told == []


def test_a_heavy_picture_is_made_lighter_step_by_step() -> None:
    """No further than needed, always the same bytes, under the same name; and it is told."""
    told: list[str] = []
    drawn = picture(1)
    weight = len(drawn.content)
    (fewer,) = fit([drawn], told.append, each=weight - 1)
    (smaller,) = fit([drawn], told.append, each=weight // 4)
    assert fewer
    assert smaller
    assert fewer == fit([drawn], told.append, each=weight - 1)[0]
    assert (fewer.name, fewer.cid, fewer.width) == (drawn.name, drawn.cid, drawn.width)
    assert Image.open(io.BytesIO(fewer.content)).size == (200, 200)
    assert Image.open(io.BytesIO(smaller.content)).size < (200, 200)
    assert len(smaller.content) <= weight // 4
    assert "chart-1.png is 120 kB, too heavy for a mail: made" in told[0]


def test_of_many_pictures_the_heaviest_gives_way_first() -> None:
    """A light one beside them stays as it was drawn."""
    light, heavy = picture(1, 50), picture(2, 200)
    both = fit([light, heavy], lambda _: None, every=len(light.content) + len(heavy.content) - 1)
    assert both[0] is light
    assert both[1] is not heavy


def test_a_picture_that_no_step_makes_light_enough_is_left_out() -> None:
    """And that is told."""
    told: list[str] = []
    assert fit([picture(1)], told.append, each=100) == [None]
    assert told == ["chart-1.png is 120 kB, too heavy for a mail: left out"]
