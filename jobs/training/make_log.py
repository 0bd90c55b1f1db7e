"""The sample log, made from a seed: `python jobs/training/make_log.py` writes metrics.csv and predictions.csv here.

Four runs of a model that sorts the lines of bank statements into categories: a first one, a wider one that overfits
and was stopped, one whose learning rate was too high, and the newest, whose learning rate falls as a cosine does and
which is in the middle of its forty epochs at the end of 26 November 2026. No line of a statement is anybody's.
"""

import csv
import datetime as dt
import io
import math
import random
from dataclasses import dataclass
from pathlib import Path

METRICS = ["run", "epoch", "epochs", "split", "time", "loss", "accuracy", "lr", "seconds"]
PREDICTIONS = ["run", "epoch", "item", "line", "truth", "predicted", "confidence"]
ITEMS = 160  # lines of the validation set
EVERY = 10  # epochs from one set of predictions to the next


@dataclass(frozen=True)
class Trained:
    """How a run goes: its plan, how fast it learns, and from which epoch on it learns by heart."""

    name: str
    begun: str
    ended: int
    epochs: int
    minutes: float
    rate: float
    falling: bool
    speed: float
    floor: float
    heart: int
    steep: float
    broken: int = 0


RUNS = (
    Trained("base", "2026-11-16 08:00", 30, 30, 42, 3e-4, False, 7, 0.30, 28, 0.003),
    Trained("wide", "2026-11-19 09:00", 22, 40, 71, 3e-4, False, 4.5, 0.285, 12, 0.009),
    Trained("hot", "2026-11-23 16:00", 5, 40, 58, 2e-3, False, 5, 0.33, 40, 0.0, broken=4),
    Trained("cosine", "2026-11-25 17:50", 40, 40, 59, 6e-4, True, 6, 0.243, 23, 0.0045),
)

# category: how its lines begin, how often it comes, what it is mistaken for
CATEGORIES = {
    "Salary": (("SALARY NOV", "PAYROLL 11/26", "工资 11月"), 24, "Transfer"),
    "Rent": (("RENT FLAT 4B", "STANDING ORDER RENT", "房租"), 20, "Transfer"),
    "Groceries": (("MARKET HALL", "GREENGROCER & SONS", "CORNER SHOP 24/7"), 32, "Cards"),
    "Cards": (("CARD SETTLEMENT", "CREDIT CARD 11", "CARD *5521"), 22, "Groceries"),
    "Fees": (("ACCOUNT FEE Q4", "FX FEE 0.5%", "WIRE CHARGE"), 14, "Cards"),
    "Tax": (("TAX OFFICE VAT", "INCOME TAX 2025", "VAT 10/2026"), 12, "Fees"),
    "Transfer": (("TRANSFER TO SAVINGS", "OWN ACCOUNT", 'TRANSFER "HOLIDAY"'), 24, "Rent"),
    "Refund": (("REFUND, ORDER", "RETURNED GOODS", "CREDIT NOTE"), 12, "Groceries"),
}  # fmt: skip
# how hard the hardest line of a category is
HARD = {
    "Refund": 2.6, "Fees": 1.9, "Transfer": 1.5, "Tax": 1.2, "Cards": 1.15, "Groceries": 1.05, "Rent": 0.6,
    "Salary": 0.2,
}  # fmt: skip


def log(seed: int = 20261126) -> tuple[str, str]:
    """The metrics and the predictions as CSV text, the same for the same seed."""
    chance = random.Random(seed)
    metrics: list[list[object]] = []
    predictions: list[list[object]] = []
    for run in RUNS:
        lines = _lines(chance)
        at = dt.datetime.fromisoformat(run.begun)
        for epoch in range(1, run.ended + 1):
            losses = _losses(chance, run, epoch)
            wrong = _mistaken(lines, ITEMS - _right(losses[1]))
            at = _epoch(metrics, chance, run, epoch, at, losses, 1 - len(wrong) / ITEMS)
            if run is RUNS[-1] and epoch % EVERY == 0:
                predictions += [[run.name, epoch, *_prediction(chance, line, wrong)] for line in lines]
    return _text(METRICS, metrics), _text(PREDICTIONS, predictions)


# -- metrics --------------------------------------------------------------------------------------


def _losses(chance: random.Random, run: Trained, epoch: int) -> tuple[float, float]:
    """Of training and of validation: both fall; from `heart` on the second rises while the first still falls."""
    if run.broken and epoch >= run.broken:
        return (math.nan, math.nan) if epoch > run.broken else (2.9, 3.4)
    left = (2.08 - run.floor) * math.exp(-epoch / run.speed)
    train = run.floor * (0.97 - 0.011 * epoch) + left * 0.94
    by_heart = run.steep * max(epoch - run.heart, 0) ** 1.1
    return train + chance.uniform(-0.006, 0.006), run.floor + left + by_heart + chance.uniform(-0.008, 0.008)


def _right(loss: float) -> int:
    """Lines of the validation set that come out right at a loss."""
    return round(ITEMS * math.exp(-0.44 * loss)) if math.isfinite(loss) else ITEMS // 8


def _epoch(
    metrics: list[list[object]], chance: random.Random, run: Trained, epoch: int, at: dt.datetime,
    losses: tuple[float, float], accuracy: float,
) -> dt.datetime:  # fmt: skip
    """Two lines, of training and of validation; when the second was written."""
    rate = run.rate * (1 + math.cos(math.pi * (epoch - 1) / run.epochs)) / 2 if run.falling else run.rate
    seconds = (round(run.minutes * 60 * chance.uniform(0.93, 1.04)), round(run.minutes * chance.uniform(1.6, 2.0)))
    learnt = min(math.exp(-0.42 * losses[0]), 0.999) if math.isfinite(losses[0]) else 1 / 8
    for split, loss, share, took in zip(("train", "validation"), losses, (learnt, accuracy), seconds, strict=True):
        at += dt.timedelta(seconds=took)
        measured = [f"{at:%Y-%m-%d %H:%M:%S}", f"{loss:.4f}", f"{share:.4f}", f"{rate:.3e}", took]
        metrics.append([run.name, epoch, run.epochs, split, *measured])
    return at


# -- predictions ----------------------------------------------------------------------------------

Line = tuple[str, str, str, float]
"""A line of the validation set: its number, its text, its category and how hard it is."""


def _lines(chance: random.Random) -> list[Line]:
    found: list[Line] = []
    for category, (beginnings, count, _) in CATEGORIES.items():
        for _ in range(count):
            text = f"{chance.choice(beginnings)} {chance.randrange(1000, 10_000)}"
            found.append((f"{1 + len(found):04d}", text, category, HARD[category] * chance.random()))
    return found


def _mistaken(lines: list[Line], count: int) -> set[str]:
    """The hardest lines, as many as come out wrong."""
    return {line[0] for line in sorted(lines, key=lambda line: (-line[3], line[0]))[:count]}


def _prediction(chance: random.Random, line: Line, wrong: set[str]) -> list[object]:
    """What the line is taken for, and how surely."""
    number, text, category, _ = line
    if number not in wrong:
        return [number, text, category, category, f"{1 - 0.5 * chance.random() ** 2.4:.3f}"]
    others = [one for one in CATEGORIES if one != category]
    taken = CATEGORIES[category][2] if chance.random() < 0.7 else chance.choice(others)
    return [number, text, category, taken, f"{chance.uniform(0.38, 0.93):.3f}"]


def _text(heading: list[str], rows: list[list[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(heading)
    writer.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    for name, made in zip(("metrics.csv", "predictions.csv"), log(), strict=True):
        Path(__file__).with_name(name).write_text(made, "utf-8", newline="\n")
