"""What a chart costs: each kind after its first, against matplotlib.pyplot drawing the same at the same size.

python benchmarks/charts.py             # medians in milliseconds, and the ratio in one run
python benchmarks/charts.py --runs 25

pyplot's side is as short as a person would write it: no labels beside lines, no units, no source, no alt text.
Both sides make a PNG of 1100 pixels' width; the goal is 120 ms a chart.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterator

import matplotlib as mpl
import numpy as np
import pandas as pd

from reports.model import Chart, ChartKind, Column
from reports.render import charts

mpl.use("agg")
import matplotlib.pyplot as plt

GOAL = 120
SEED = 7
MONTHS = [f"{year}-{month:02}" for year in range(2022, 2027) for month in range(1, 13)]
STATES = ("CA", "NY", "TX", "FL", "WA", "OR")
SERIES = ("interest", "scheduled", "prepaid", "recovery")
STEPS = ("Opening", "Bought", "Accrued", "Repaid", "Prepaid", "Losses", "Closing")
INCHES = (5.5, 2.8)


def flows() -> pd.DataFrame:
    """Five years of four flows."""
    chance = np.random.default_rng(SEED)
    return pd.DataFrame({"x": MONTHS} | {name: 1e6 + chance.normal(0, 1e5, 60).cumsum() for name in SERIES})


def by_state() -> pd.DataFrame:
    chance = np.random.default_rng(SEED)
    return pd.DataFrame(
        {"x": np.tile(MONTHS[-12:], 6), "g": np.repeat(STATES, 12), "v": 0.05 + chance.normal(0, 0.01, 72)}
    )


def balances() -> pd.DataFrame:
    return pd.DataFrame({"x": STEPS, "v": [3.2e6, 8e5, 2e5, -9e5, -4e5, -1e5, 2.8e6]})


def chart(frame: pd.DataFrame, kind: ChartKind, *y: str, by: str = "", **more: object) -> Chart:
    columns = [Column(key=key, label=key.capitalize(), format="compact") for key in y]
    return Chart(frame=frame, kind=kind, x=Column(key="x", label="Month"), y=columns, by=by, source="loans", **more)  # type: ignore[arg-type]


def png(figure: plt.Figure) -> bytes:
    file = io.BytesIO()
    figure.savefig(file, dpi=200, facecolor="white", metadata={"Software": None})
    plt.close(figure)
    return file.getvalue()


def line(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(figsize=INCHES)
    axes.plot(pd.to_datetime(frame.x), frame[list(SERIES)], label=SERIES)
    axes.legend()
    return png(figure)


def area(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(figsize=INCHES)
    axes.stackplot(pd.to_datetime(frame.x), frame[list(SERIES)].T, labels=SERIES)
    axes.legend()
    return png(figure)


def bar(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(figsize=INCHES)
    bars = axes.bar(frame.x[-12:], frame.interest[-12:])
    axes.bar_label(bars, fmt=lambda value: f"{value / 1e6:.1f}m")
    return png(figure)


def panels(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(2, 3, figsize=INCHES, sharex=True, sharey=True)
    for panel, (name, part) in zip(axes.flat, frame.groupby("g", sort=False), strict=True):
        panel.plot(pd.to_datetime(part.x), part.v)
        panel.set_title(name)
    return png(figure)


def sparkline(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(6, 1, figsize=INCHES, sharex=True)
    for row, (name, part) in zip(axes.flat, frame.groupby("g", sort=False), strict=True):
        row.plot(pd.to_datetime(part.x), part.v)
        row.set_axis_off()
        row.text(0, 0.5, name, transform=row.transAxes)
        row.text(1, 0.5, f"{part.v.iloc[-1]:.1%}", transform=row.transAxes)
    return png(figure)


def waterfall(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(figsize=INCHES)
    total = frame.x.isin(["Opening", "Closing"])
    starts = frame.v.where(~total, 0).cumsum().shift(fill_value=0) + 3.2e6
    bars = axes.bar(frame.x, frame.v, bottom=starts.where(~total, 0))
    axes.bar_label(bars, labels=[f"{value / 1e6:+.1f}m" for value in frame.v])
    return png(figure)


def heatmap(frame: pd.DataFrame) -> bytes:
    figure, axes = plt.subplots(figsize=INCHES)
    cells = frame.pivot_table(index="g", columns="x", values="v", sort=False)
    drawn = axes.imshow(cells, aspect="auto", cmap="Blues")
    axes.set_xticks(range(12), cells.columns, rotation=45)
    axes.set_yticks(range(6), cells.index)
    for (row, column), value in np.ndenumerate(cells.to_numpy()):
        axes.text(column, row, f"{value:.1%}", ha="center", va="center")
    figure.colorbar(drawn)
    return png(figure)


def pairs() -> Iterator[tuple[Chart, Callable[[], bytes]]]:
    """Each kind of ours with pyplot's way to the same picture."""
    months, states, steps = flows(), by_state(), balances()
    yield chart(months, "line", *SERIES), lambda: line(months)
    yield chart(months, "area", *SERIES), lambda: area(months)
    yield chart(months.tail(12), "bar", "interest"), lambda: bar(months)
    yield chart(states, "small_multiples", "v", by="g"), lambda: panels(states)
    yield chart(states, "sparkline", "v", by="g"), lambda: sparkline(states)
    yield chart(steps, "waterfall", "v", totals=("Opening", "Closing")), lambda: waterfall(steps)
    yield chart(states, "heatmap", "v", by="g"), lambda: heatmap(states)


def milliseconds(draw: Callable[[], object], runs: int) -> float:
    """The median of so many times after a first one."""
    draw()
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        draw()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=11)
    runs = parser.parse_args().runs
    print(f"{'':<16}{'reports':>9}{'pyplot':>9}{'ratio':>8}")
    for one, theirs in pairs():
        ours = milliseconds(lambda one=one: charts.draw(one, number=1), runs)  # type: ignore[misc]
        other = milliseconds(theirs, runs)
        over = "" if ours <= GOAL else f"  over {GOAL} ms"
        print(f"{one.kind:<16}{ours:>6.0f} ms{other:>6.0f} ms{ours / other:>8.2f}{over}")


if __name__ == "__main__":
    main()
