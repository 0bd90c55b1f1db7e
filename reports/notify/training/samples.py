"""What a training shows of its predictions: pictures, texts and tables, as its own function gives them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from reports.model import is_figure
from reports.render.charts.specimens import Specimen, is_image, sheet

TITLE = "Sample predictions"
_PAIRS = {2: ["Input", "Predicted"], 3: ["Input", "Expected", "Predicted"]}


@dataclass
class Shown:
    """Predictions ready for a message; `images` are a picture each with its alt text."""

    images: list[tuple[object, str]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n\n".join(self.texts)

    @property
    def judged(self) -> pd.DataFrame | None:
        """The first table that has the truth beside what was predicted."""
        return next((one for one in self.tables.values() if {"truth", "predicted"} <= set(one.columns)), None)


def asked(predictions: Callable[..., object], *given: object) -> Shown:
    """Calls the function with as many of `given` as it takes, and sorts what comes of it.

    A text; a DataFrame; a picture (array, tensor, PIL image, matplotlib Figure, path, bytes); a pair of picture
    and caption, with True or False behind it where that is right or wrong; texts as (input, predicted) or (input,
    expected, predicted); a list or a dict of these, keys being captions or titles. Raises what the function raises.
    """
    return sorted_out(predictions(*given[: _taken(predictions, len(given))]))


def _taken(function: Callable[..., object], most: int) -> int:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return most
    if any(one.kind is one.VAR_POSITIONAL for one in parameters):
        return most
    places = [one for one in parameters if one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD}]
    needed = [one for one in places if one.default is one.empty]
    return min(len(needed), most)


def sorted_out(given: object) -> Shown:
    """Pictures on one sheet, rows of texts in one table, everything else as it came."""
    shown, specimens, rows = Shown(), list[Specimen](), list[tuple[str, ...]]()
    for title, one in _each(given):
        if isinstance(one, pd.DataFrame):
            shown.tables[title or _free(shown.tables)] = one
        elif isinstance(one, str):
            shown.texts.append(f"{title}: {one}" if title else one)
        elif specimen := _specimen(one, title):
            specimens.append(specimen)
        elif isinstance(one, tuple) and len(one) in _PAIRS and all(isinstance(part, str) for part in one):
            rows.append(one)
        else:
            shown.images.append(_whole(one, title))
    for columns in sorted({len(row) for row in rows}):
        own = [row for row in rows if len(row) == columns]
        shown.tables[_free(shown.tables)] = pd.DataFrame(own, columns=_PAIRS[columns])
    if specimens:
        drawn = sheet(specimens, title=TITLE)
        shown.images.insert(0, (drawn.content, drawn.alt))
    return shown


def _each(given: object) -> Iterable[tuple[str, object]]:
    if given is None:
        return
    if isinstance(given, Mapping):
        for title, one in given.items():
            yield str(title), one
    elif _one(given):
        yield "", given
    else:
        for one in given:  # type: ignore[attr-defined]  # what cannot be gone through is the function's mistake
            yield "", one


def _one(given: object) -> bool:
    """Whether it is one prediction, and not several."""
    single = isinstance(given, str | bytes | Path | pd.DataFrame) or is_image(given) or is_figure(given)
    return single or (isinstance(given, tuple) and len(given) in {2, 3} and isinstance(given[1], str))


def _specimen(one: Any, title: str) -> Specimen | None:
    image, caption, right = one, title, None
    if isinstance(one, tuple) and len(one) in {2, 3} and isinstance(one[1], str):
        image, caption, right = (*one, None)[:3]
    if isinstance(image, str | tuple) or not is_image(image):
        return None
    return Specimen(image=image, caption=caption, tone="" if right is None else "good" if right else "bad")


def _whole(one: Any, title: str) -> tuple[object, str]:
    """A figure or a file that is a picture by itself."""
    image, caption = (one[0], one[1]) if isinstance(one, tuple) and len(one) > 1 else (one, title)
    if not (isinstance(image, bytes | Path) or is_figure(image) or (isinstance(image, str) and isinstance(one, tuple))):
        raise TypeError(f"{type(one).__name__} is neither a picture nor a text nor a table")
    return image, f"{TITLE}: {caption}" if caption else TITLE


def _free(tables: Mapping[str, object]) -> str:
    """A title that no table has yet."""
    return TITLE if TITLE not in tables else f"{TITLE} {len(tables) + 1}"
