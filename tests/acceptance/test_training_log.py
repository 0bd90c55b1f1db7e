"""A training writes the log, and the job reports it: by the command, as a schedule would run it."""

from __future__ import annotations

import csv
import json
import math
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from commands import reports
from keeping import Keeping

from reports.notify.training import Training

LOG = Path("jobs", "training", "metrics.csv")


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Path:
    """The sample project with the job alone, and no log yet but its headers."""
    shutil.copytree(root / "jobs" / "training", tmp_path / "jobs" / "training", ignore=shutil.ignore_patterns("__pyc*"))
    shutil.copytree(root / "templates", tmp_path / "templates")
    settings = (root / "settings.toml").read_text("utf-8")
    kept = re.search(r"(?ms)^\[sources\.training\].*?^types[^\n]*\n", settings)
    assert kept is not None
    mail = '[mail]\nprovider = "folder"\nfrom = "me@example.com"\nto = "me@example.com"\n'
    (tmp_path / "settings.toml").write_text(f'timezone = "UTC"\n\n{kept[0]}\n{mail}', "utf-8")
    for name in ("metrics.csv", "predictions.csv"):
        path = tmp_path / "jobs" / "training" / name
        path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    return tmp_path


def judged() -> pd.DataFrame:
    return pd.DataFrame({
        "line": ["RENT FLAT 4B", "PAYROLL 11", "FX FEE 0.5%"],
        "truth": ["Rent", "Salary", "Fees"],
        "predicted": ["Rent", "Salary", "Cards"],
        "confidence": [0.91, 0.99, 0.58],
    })  # fmt: skip


def train(project: Path, *losses: float, name: str = "small", first: int = 1) -> None:
    with Training(name, watch=Keeping(every=1), total=10, log=project / LOG, predictions=judged) as training:
        for number, loss in enumerate(losses, start=first):
            training.update(number, loss=loss, val_loss=loss + 0.1, accuracy=0.8, val_accuracy=0.75, lr=1e-3)


def reported(project: Path) -> str:
    """The report as plain text."""
    ran = reports(project, "run", "training", "--dry-run", "--out", "out", "--json")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)
    return (project / "out" / "body.txt").read_text("utf-8")


def test_the_report_says_what_the_training_said(project: Path) -> None:
    """Epochs, the best loss, the run, and the predictions with what is taken for what."""
    train(project, 0.9, 0.5, 0.6)
    text = reported(project)
    assert re.search(r"Epoch\W+3 of 10", text)
    assert re.search(r"Best validation loss\W+0\.6000", text)
    assert re.search(r"run small, training", text)
    assert re.search(r"Cards \(1\)", text)
    assert "FX FEE 0.5%" in text


def test_runs_are_compared(project: Path) -> None:
    """The second of a name is another run; one that has ended is finished."""
    train(project, *[1 / number for number in range(1, 11)])
    train(project, 0.9, 0.8)
    text = reported(project)
    assert "run small 2, training" in text
    assert re.search(r"small\s+finished\s+0\.2000", text)


def test_a_training_that_went_on_is_one_run(project: Path) -> None:
    """Epochs that were trained again count as they were the second time."""
    train(project, 0.9, 0.5, 0.1, 0.2)
    train(project, 0.4, 0.3, 0.35, first=3)
    with (project / LOG).open(encoding="utf-8", newline="") as file:
        assert {row["run"] for row in csv.DictReader(file)} == {"small"}
    text = reported(project)
    assert re.search(r"Epoch\W+5 of 10", text)
    assert re.search(r"Best validation loss\W+0\.4000", text)


def test_a_loss_that_is_no_number_is_reported(project: Path) -> None:
    """As a training that diverged."""
    train(project, 0.9, 0.5, math.nan)
    text = reported(project)
    assert "Diverged" in text
    assert "The loss is no number in epoch 3." in text
