"""Makes the pictures of the page on charts from the examples on it: `python docs/chart_pictures.py`."""

import datetime as dt
import io
import re
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from reports import blocks
from reports.definition import Job
from reports.model import Chart, Query
from reports.render import charts

DOCS = Path(__file__).parent
SOURCES = {"flows": "loans", "products": "loans", "states": "loans", "bridge": "ledger"}
LARGEST = 40_000


def frames() -> dict[str, pd.DataFrame]:
    """A loan portfolio as it might be, the same each time."""
    chance = np.random.default_rng(11)
    months, states = pd.period_range("2025-11", periods=12, freq="M"), ("California", "New York", "Texas", "Florida")
    left = 0.93 ** np.arange(12)
    flows = {
        "interest": 4.1e5 * left,
        "scheduled": 6.2e5 * left**0.5,
        "prepaid": 5.4e5 * left**2 + chance.normal(0, 3e4, 12),
        "recovered": 4e4 + chance.normal(0, 6e3, 12).cumsum().clip(-3e4),
    }
    names = np.repeat([*states, "Washington", "Oregon"], 12)
    late = 0.03 + np.repeat(chance.uniform(0, 0.04, 6), 12) + chance.normal(0, 0.004, (6, 12)).cumsum(axis=1).ravel()
    steps = {
        "Opening": 48.2e6,
        "Bought": 6.4e6,
        "Interest": 2.3e6,
        "Scheduled": -5.1e6,
        "Prepaid": -3.9e6,
        "Losses": -0.6e6,
    }
    kinds = {"Fixed rate, 30 years": 21.4, "Fixed rate, 15 years": 12.9, "Adjustable rate": 8.3, "Interest only": 4.6}
    return {
        "flows": pd.DataFrame({"month": months} | flows),
        "products": pd.DataFrame({"product": list(kinds), "balance": list(kinds.values())}),
        "states": pd.DataFrame({"month": np.tile(months, 6), "state": names, "late": late.clip(0.004)}),
        "bridge": pd.DataFrame({"step": [*steps, "Closing"], "amount": [*steps.values(), sum(steps.values())]}),
    }


def drawn() -> dict[str, bytes]:
    """The picture of each example, under the name of its kind."""
    examples = re.findall(r"```toml\n(.*?)```", (DOCS / "charts.md").read_text("utf-8"), re.DOTALL)
    shows = [show for text in examples for show in tomllib.loads(text)["show"] if "chart" in show]
    queries = [Query(name=name, sql="", source=source) for name, source in SOURCES.items()]
    job = Job.model_validate({"title": "Loans", "name": "loans", "show": shows, "queries": queries})
    built = blocks.build(job, frames(), as_of=dt.date(2026, 10, 31))
    return {one.kind: charts.draw(one, number=1).content for one in built if isinstance(one, Chart)}


def main() -> None:
    for kind, content in drawn().items():
        with Image.open(io.BytesIO(content)) as picture:
            few = picture.quantize(64, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        path = DOCS / "charts" / f"{kind}.png"
        few.save(path, optimize=True)
        assert path.stat().st_size <= LARGEST, f"{path} is too large for the documentation"  # noqa: S101


if __name__ == "__main__":
    main()
