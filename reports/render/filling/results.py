"""What formulas and charts of a template remember of cells, for viewers that calculate nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pandas as pd
from lxml import etree

from reports.render.filling.package import CHART, Element
from reports.render.values import Look, Values

_POINTS = 5_000  # of a chart's memory; more are drawn from the cells alone
Filled = tuple["pd.Series[Any]", Values]
"""A column of a dataset, and its cells."""


def result(function: str, column: Filled | None) -> float | int | None:
    """What a totals row shows, of the cells that the table has now."""
    if column is None or not function:
        return None
    series, cells = column
    numbers = int(pd.to_numeric(series, errors="coerce").notna().sum())
    if function == "count":
        return int(series.notna().sum())
    if function == "countNums":
        return numbers
    if not numbers and function != "sum":
        return None
    if function in {"min", "max"}:
        return cells.ends[function == "max"] if cells.ends else None
    total = cells.total()
    return {"sum": total, "average": total / numbers if numbers else None}.get(function)


def refresh(reference: Element, series: pd.Series[Any], cells: Values) -> None:
    """The values of a chart's column anew; beyond some thousands a viewer has to ask the cells."""
    kind = "num" if reference.tag == f"{CHART}numRef" else "str"
    for old in reference.findall(f"{CHART}{kind}Cache"):
        reference.remove(old)
    if len(series) > _POINTS:
        return
    cache = etree.SubElement(reference, f"{CHART}{kind}Cache")
    if kind == "num":
        etree.SubElement(cache, f"{CHART}formatCode").text = "General"
    etree.SubElement(cache, f"{CHART}ptCount", val=str(len(series)))
    for number, text in enumerate(_points(series, cells, kind)):
        if text is not None:
            point = etree.SubElement(cache, f"{CHART}pt", idx=str(number))
            etree.SubElement(point, f"{CHART}v").text = text


def _points(series: pd.Series[Any], cells: Values, kind: str) -> Iterator[str | None]:
    if kind == "str":
        return (None if pd.isna(one) else str(one) for one in series.tolist())
    _, inside = cells.pieces(Look(value=0, text=0), 0, len(series))
    found = (re.search(r"<v>([^<]*)</v>", f"<v>{one!r}</v>" if not isinstance(one, str) else one) for one in inside)
    return (match[1] if match else None for match in found)
