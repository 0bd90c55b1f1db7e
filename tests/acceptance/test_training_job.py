"""The report over a model's training: right against the log, while it runs, when it is over, and when it goes wrong."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import shutil
import statistics
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from reports.app import App, Sent, Wanted, open_app
from reports.errors import ReportsError
from reports.model import Chart, Figure, Figures, Table, Text

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*extension is not supported"
)  # openpyxl's, of data bars that it does not read

THURSDAY = "2026-11-26"
JOB = ("jobs", "training")
SETTINGS = """\
timezone = "{timezone}"

[sources.training]
{source}

[mail]
provider = "folder"
from = "Reports <reports@example.com>"
to = "finance@example.com"
"""
HEADING = "run,epoch,epochs,split,time,loss,accuracy,lr,seconds\n"


def laid_out(
    folder: Path, root: Path, *, metrics: str | None = None, source: str = "", query: Path | None = None,
    timezone: str = "UTC",
) -> App:  # fmt: skip
    """A project with the job alone; `metrics` replaces its log, and another source comes with another query."""
    job = folder.joinpath(*JOB)
    shutil.copytree(root.joinpath(*JOB), job, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "templates", folder / "templates")
    if metrics is not None:
        (job / "metrics.csv").write_text(metrics, "utf-8")
    if query:
        shutil.copyfile(query, job / "metrics.sql")
        (job / "predictions.sql").unlink()
    shipped = re.search(r"\[sources\.training\]\n([^\[]*?)\n\n", (root / "settings.toml").read_text("utf-8"))
    assert shipped is not None
    settings = SETTINGS.format(timezone=timezone, source=source or shipped[1])
    (folder / "settings.toml").write_text(settings, "utf-8")
    return open_app(folder)


def report(app: App, day: str = THURSDAY, **params: str) -> Sent:
    with closing(app):
        return app.dry_run("training", Wanted(as_of=day, params=params))


def figures(sent: Sent) -> dict[str, Figure]:
    return {
        figure.label: figure for one in sent.produced.page.blocks if isinstance(one, Figures) for figure in one.items
    }


def table(sent: Sent, title: str) -> list[dict[str, Any]]:
    """The rows of a table of the mail."""
    (block,) = [one for one in sent.produced.page.blocks if isinstance(one, Table) and one.title == title]
    return block.frame[[column.key for column in block.columns]].to_dict("records")  # type: ignore[return-value]


def advice(sent: Sent) -> dict[str, str]:
    """What the report says in short: what it is about, and the sentences."""
    return {one.title: one.text for one in sent.produced.page.blocks if isinstance(one, Text)}


def status(sent: Sent) -> tuple[str, str]:
    """What is at the head of the mail."""
    said = sent.produced.page.status
    assert said is not None
    return said.text, said.tone


def chart(sent: Sent, title: str) -> Chart:
    (block,) = [one for one in sent.produced.page.blocks if isinstance(one, Chart) and one.title == title]
    return block


def runs(sent: Sent) -> dict[str, str]:
    return {row["run"]: row["state"] for row in table(sent, "Runs compared")}


def book(sent: Sent) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(sent.produced.report.attachments[0].content))


def epochs(*losses: tuple[float, float], run: str = "a", planned: int = 20, begun: str = "2026-11-26 08:00") -> str:
    """A log of one run: training and validation losses, an epoch an hour."""
    at, lines = dt.datetime.fromisoformat(begun), []
    for epoch, (train, validation) in enumerate(losses, start=1):
        at += dt.timedelta(hours=1)
        lines += [f"{run},{epoch},{planned},train,{at:%F %T},{train},0.5,0.001,3500\n",
                  f"{run},{epoch},{planned},validation,{at:%F %T},{validation},0.5,0.001,100\n"]  # fmt: skip
    return "".join(lines)


@pytest.fixture(scope="module")
def sent(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return report(laid_out(tmp_path_factory.mktemp("sample"), root))


@pytest.fixture(scope="module")
def log(root: Path) -> list[dict[str, str]]:
    """The lines of the sample log that were there at the end of the Thursday."""
    with root.joinpath(*JOB, "metrics.csv").open(encoding="utf-8") as file:
        return [line for line in csv.DictReader(file) if line["time"] < "2026-11-27"]


@pytest.fixture(scope="module")
def predictions(root: Path) -> list[dict[str, str]]:
    """Those of the thirtieth epoch, the newest by then."""
    with root.joinpath(*JOB, "predictions.csv").open(encoding="utf-8") as file:
        return [line for line in csv.DictReader(file) if line["epoch"] == "30"]


def of(log: list[dict[str, str]], run: str, split: str) -> list[dict[str, str]]:
    return [line for line in log if (line["run"], line["split"]) == (run, split)]


# -- in the middle of a run -----------------------------------------------------------------------


def test_the_headline_agrees_with_the_log(sent: Sent, log: list[dict[str, str]]) -> None:
    """Epochs, best loss, accuracy and gap are those of the file, computed here by hand."""
    trained, validated = of(log, "cosine", "train"), of(log, "cosine", "validation")
    losses = [float(line["loss"]) for line in validated]
    shown = figures(sent)
    assert shown["Epoch"].value == f"{len(validated)} of 40" == "30 of 40"
    assert shown["Epoch"].note == "run cosine, training"
    assert shown["Best validation loss"].value == min(losses)
    assert shown["Best validation loss"].note == f"epoch {1 + losses.index(min(losses))}"
    assert shown["Best accuracy"].value == max(float(line["accuracy"]) for line in validated)
    assert shown["Gap"].value == pytest.approx(losses[-1] - float(trained[-1]["loss"]))
    assert [shown[label].good for label in ("Best validation loss", "Best accuracy", "Gap")] == ["down", "up", "down"]


def test_times_are_those_of_the_log(sent: Sent, log: list[dict[str, str]]) -> None:
    """Since the begin of the first epoch, and as long for each one that is left as one usually takes."""
    ended = [dt.datetime.fromisoformat(line["time"]) for line in of(log, "cosine", "validation")]
    usual = statistics.median(after - before for before, after in pairwise(ended))  # type: ignore[type-var]
    first = sum(int(line["seconds"]) for line in log if (line["run"], line["epoch"]) == ("cosine", "1"))
    lasted, left = ended[-1] - ended[0] + dt.timedelta(seconds=first), 10 * usual
    shown = figures(sent)
    assert shown["Elapsed"].value == f"{lasted // dt.timedelta(hours=1)} h {lasted.seconds // 60 % 60} min"
    assert shown["Elapsed"].note == "since 25 Nov 17:50"
    assert shown["Expected left"].value == f"{left.seconds // 3600} h {left.seconds // 60 % 60} min"
    assert shown["Expected left"].note == f"until 27 Nov {ended[-1] + left:%H:%M}, {usual.seconds // 60} min an epoch"


def test_overfitting_is_said_with_the_epoch_to_keep(sent: Sent, log: list[dict[str, str]]) -> None:
    """Validation loss has risen since its best epoch, and that of training has fallen."""
    trained, validated = (
        [float(line["loss"]) for line in of(log, "cosine", split)] for split in ("train", "validation")
    )
    at = validated.index(min(validated))
    assert validated[-1] > validated[at]
    assert trained[-1] < trained[at]
    said = advice(sent)[f"Overfitting since epoch {at + 1}"]
    assert f"from {validated[at]:.4f} to {validated[-1]:.4f}" in said
    assert f"Keep the weights of epoch {at + 1}" in said


def test_runs_are_compared_the_newest_first(sent: Sent, log: list[dict[str, str]]) -> None:
    """With what became of each, and how much better the run reported is."""
    best = {
        run: min(float(line["loss"]) for line in of(log, run, "validation") if line["loss"] != "nan")
        for run in ("cosine", "hot", "wide", "base")
    }
    shown = table(sent, "Runs compared")
    assert runs(sent) == {"cosine": "training", "hot": "diverged", "wide": "stopped", "base": "finished"}
    assert {row["run"]: row["best_loss"] for row in shown} == pytest.approx(best)
    assert [row["epochs"] for row in shown] == [30, 5, 22, 30]
    gains = {row["run"]: row["gain"] for row in shown if row["run"] != "cosine"}
    assert gains == pytest.approx({run: 1 - best["cosine"] / loss for run, loss in best.items() if run != "cosine"})
    assert advice(sent)["The best run so far"] == (
        f"Its best loss is {1 - best['cosine'] / best['base']:.1%} below that of base, {best['base']:.4f}."
    )


def test_the_charts_have_every_epoch(sent: Sent, log: list[dict[str, str]]) -> None:
    """Training beside validation; and each run in a panel of its own."""
    curve = chart(sent, "Loss by epoch").frame
    assert list(curve["val_loss"]) == [float(line["loss"]) for line in of(log, "cosine", "validation")]
    panels = chart(sent, "Loss of each run").frame
    assert Counter(panels["run"]) == {"base": 30, "wide": 22, "hot": 5, "cosine": 30}


def test_classes_and_predictions_are_those_of_the_last_epoch_that_has_some(
    sent: Sent, predictions: list[dict[str, str]]
) -> None:
    """Counted by hand: how many of each class are found, and the mistake of which the model is surest."""
    right = Counter(line["truth"] for line in predictions if line["truth"] == line["predicted"])
    items = Counter(line["truth"] for line in predictions)
    shown = table(sent, "Found least")
    assert {row["class"]: row["found"] for row in shown} == pytest.approx(
        {name: right[name] / items[name] for name in items}
    )
    assert [row["found"] for row in shown] == sorted(row["found"] for row in shown)
    assert sum(right.values()) / 160 == pytest.approx(float(figures(sent)["Best accuracy"].value), abs=0.02)
    wrong = [line for line in predictions if line["truth"] != line["predicted"]]
    surest = max(wrong, key=lambda line: float(line["confidence"]))
    first = table(sent, "Predictions, the wrong ones first")[0]
    assert list(first.values()) == [surest["line"], surest["truth"], surest["predicted"], float(surest["confidence"])]


def test_the_workbook_has_every_epoch_and_every_prediction(sent: Sent) -> None:
    """With a native chart beside the epochs, and what the mail had no room for."""
    sheets = book(sent)
    for name in ("Summary", "Metrics", "Runs", "Classes", "Calibration", "Predictions"):
        assert name in sheets.sheetnames
    assert len(sheets["Metrics"]._charts) == 1
    assert [row[0] for row in sheets["Metrics"].iter_rows(min_row=2, max_row=31, values_only=True)] == list(
        range(1, 31)
    )
    items = [row[1] for row in sheets["Predictions"].iter_rows(min_row=2, values_only=True)]
    assert sorted(str(one) for one in items if one) == [f"{number:04d}" for number in range(1, 161)]


def test_confusion_and_calibration_are_counted(sent: Sent, predictions: list[dict[str, str]]) -> None:
    """Each class makes up a whole, and each band of confidence is held against how often it is right."""
    heat = chart(sent, "What each class is taken for")
    shares = {(row.truth, row.predicted): row.share for row in heat.frame.itertuples()}
    fees = [line["predicted"] for line in predictions if line["truth"] == "Fees"]
    assert (heat.kind, len(shares), sum(shares.values())) == ("heatmap", 64, pytest.approx(8))
    assert shares["Fees", "Cards"] == pytest.approx(fees.count("Cards") / len(fees))
    bands = book(sent)["Calibration"].iter_rows(min_row=2, values_only=True)
    shown = {row[0]: row[1:4] for row in bands if row[0]}
    sure = [line for line in predictions if 0.8 <= float(line["confidence"]) < 0.9]
    expected = [
        len(sure), statistics.mean(float(line["confidence"]) for line in sure),
        sum(line["truth"] == line["predicted"] for line in sure) / len(sure),
    ]  # fmt: skip
    assert shown["80% to 90%"] == pytest.approx(expected)
    assert sum(row[0] for row in shown.values()) == 160


# -- at other times -------------------------------------------------------------------------------


def test_the_next_day_it_has_finished(root: Path, tmp_path: Path) -> None:
    """The same log as of the Friday: forty epochs, and nothing is left."""
    sent = report(laid_out(tmp_path, root), "2026-11-27")
    shown = figures(sent)
    assert (shown["Epoch"].value, shown["Expected left"].value) == ("40 of 40", "none")
    assert runs(sent)["cosine"] == "finished"
    assert status(sent) == ("Finished", "warning")  # for what it has learnt by heart
    assert advice(sent)["Finished"].startswith("40 epochs in 39 h ")


def test_what_came_later_is_not_in_an_earlier_report(root: Path, tmp_path: Path) -> None:
    """As of the Sunday before, the newest run is the second one, which nobody has stopped yet by name: it is stalled."""
    sent = report(laid_out(tmp_path, root), "2026-11-22")
    assert runs(sent) == {"wide": "stalled", "base": "finished"}
    assert advice(sent)["Stalled"].startswith("No epoch has ended for 2 d 12 h; one usually takes 1 h 12 min")


def test_another_run_may_be_asked_for(root: Path, tmp_path: Path) -> None:
    """By its name; a name that is none is told with those there are."""
    sent = report(laid_out(tmp_path / "a", root), run="base")
    assert figures(sent)["Epoch"].note == "run base, finished"
    with pytest.raises(ReportsError, match="the log has no run 'bose'") as caught:
        report(laid_out(tmp_path / "b", root), run="bose")
    assert caught.value.hint.startswith("did you mean 'base'?")


@pytest.mark.parametrize("metrics", [HEADING, None])
def test_no_epochs_yet_is_a_sentence(root: Path, tmp_path: Path, metrics: str | None) -> None:
    """Of a log without rows, and of a day before the first of them; the mail goes out all the same."""
    sent = report(laid_out(tmp_path, root, metrics=metrics), THURSDAY if metrics else "2026-11-15")
    assert advice(sent)["No epochs yet"] == "No epoch in the log had ended by then."
    assert status(sent) == ("No epochs yet", "info")
    assert figures(sent) == {}
    assert sent.produced.report.attachments


def test_times_in_the_log_are_in_the_zone_that_is_named(root: Path, tmp_path: Path) -> None:
    """An epoch at half past nine in the evening in New York is one of the next day in Berlin."""
    log = HEADING + epochs((1.0, 1.0), begun="2026-11-26 20:30")
    there = report(laid_out(tmp_path / "a", root, metrics=log, timezone="Europe/Berlin"), log_zone="America/New_York")
    assert "No epochs yet" in advice(there)
    utc = report(laid_out(tmp_path / "b", root, metrics=log))
    assert figures(utc)["Epoch"].value == "1 of 20"


# -- what goes wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("losses", "said"),
    [
        ([(1.0, 1.1), (0.9, 1.0), ("nan", "nan")], "The loss is no number in epoch 3."),
        ([(1.0, 1.1), (0.5, 0.6), (0.6, 0.7), (0.7, 0.8), (0.8, 0.9)], "The loss has risen to 0.8000 in epoch 5."),
    ],
)
def test_a_run_that_diverges_is_told_first(root: Path, tmp_path: Path, losses: list[Any], said: str) -> None:
    """By a loss that is no number, or one that rises and rises, with what to do."""
    sent = report(laid_out(tmp_path, root, metrics=HEADING + epochs(*losses)), now="2026-11-26 13:10")
    assert next(iter(advice(sent).items()))[0] == "Diverged"
    assert advice(sent)["Diverged"].startswith(said)
    assert runs(sent) == {"a": "diverged"}
    assert status(sent) == ("Diverged", "bad")


@pytest.mark.parametrize(("now", "state"), [("12:59", "training"), ("13:01", "stalled")])
def test_three_epochs_without_one_are_a_stall(root: Path, tmp_path: Path, now: str, state: str) -> None:
    """Two epochs of an hour each, the last at ten: from one on something is wrong."""
    app = laid_out(tmp_path, root, metrics=HEADING + epochs((1.0, 1.0), (0.9, 0.9)))
    sent = report(app, now=f"{THURSDAY} {now}")
    assert runs(sent) == {"a": state}
    assert ("Stalled" in advice(sent)) is (state == "stalled")
    assert (figures(sent)["Expected left"].value == "18 h 0 min") is (state == "training")


def test_a_plateau_is_told(root: Path, tmp_path: Path) -> None:
    """Eight epochs that gain less than half a percent."""
    losses = [(1 - 0.1 * n, 1 - 0.1 * n) for n in range(4)] + [(0.7 - 0.001 * n, 0.6985) for n in range(8)]
    app = laid_out(tmp_path, root, metrics=HEADING + epochs(*losses))
    sent = report(app, now=f"{THURSDAY} 20:30")
    assert advice(sent)["A plateau"].startswith("The best validation loss has improved by 0.2% only in 8 epochs.")


def test_a_run_that_learns_well_is_not_warned_of(root: Path, tmp_path: Path) -> None:
    """No advice is better than a false one."""
    losses = [(1 / n, 1.1 / n) for n in range(1, 13)]
    app = laid_out(tmp_path, root, metrics=HEADING + epochs(*losses))
    (tmp_path.joinpath(*JOB) / "predictions.sql").unlink()
    sent = report(app, now=f"{THURSDAY} 20:30")
    assert (status(sent), advice(sent)) == (("Training", "info"), {})


# -- other logs -----------------------------------------------------------------------------------


def foreign(root: Path, folder: Path, kind: str, text: str) -> Sent:
    """The report by the recipe of the documentation: its source, and its query in tests/logs."""
    page = (root / "docs" / "training.md").read_text("utf-8")
    recipe = re.search(rf'\[sources\.training\]\n([^`]*"(logs/{kind}\.\w+)"[^`]*)```', page)
    assert recipe is not None
    file = folder / recipe[2]
    file.parent.mkdir(parents=True)
    file.write_text(text, "utf-8")
    source = recipe[1]
    return report(laid_out(folder, root, source=source, query=root / "tests" / "logs" / kind / "metrics.sql"))


def test_the_log_of_keras(root: Path, tmp_path: Path) -> None:
    """Epochs from 0, no times: counted from 1, nothing elapsed, and no predictions."""
    text = "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,1.5,0.55,1.4\n1,0.6,1.0,0.7,0.9\n2,0.8,0.6,0.65,1.2\n"
    sent = foreign(root, tmp_path / "k", "keras", text)
    shown = figures(sent)
    assert (shown["Epoch"].value, shown["Elapsed"].value) == ("3", "")
    assert (shown["Best validation loss"].value, shown["Best validation loss"].note) == (0.9, "epoch 2")
    assert shown["Best accuracy"].value == 0.7
    assert list(chart(sent, "Loss by epoch").frame["train_loss"]) == [1.5, 1.0, 0.6]
    assert table(sent, "Found least") == []
    broken = foreign(root, tmp_path / "b", "keras", text + "3,0.1,nan,0.1,nan\n")
    assert runs(broken) == {"the run": "diverged"}


def test_the_log_of_lightning(root: Path, tmp_path: Path) -> None:
    """Rows of steps and rows of validation become epochs; the one that is not validated yet has not ended."""
    text = "epoch,step,train_loss,val_acc,val_loss\n0,49,2.0,,\n0,99,1.0,,\n0,99,,0.5,1.25\n1,149,0.8,,\n1,199,0.6,,\n1,199,,0.75,0.9\n2,249,0.5,,\n"
    sent = foreign(root, tmp_path / "l", "lightning", text)
    assert list(chart(sent, "Loss by epoch").frame["train_loss"]) == pytest.approx([1.5, 0.7])
    assert (figures(sent)["Epoch"].value, figures(sent)["Best accuracy"].value) == ("2", 0.75)


def test_the_log_of_transformers(root: Path, tmp_path: Path) -> None:
    """The history in trainer_state.json, by steps and evaluations, of three epochs that are planned."""
    history = [
        {"epoch": 0.5, "learning_rate": 4e-05, "loss": 1.5, "step": 50},
        {"epoch": 1.0, "learning_rate": 3e-05, "loss": 1.1, "step": 100},
        {"epoch": 1.0, "eval_loss": 1.0, "eval_accuracy": 0.625, "eval_runtime": 2.5, "step": 100},
        {"epoch": 1.5, "grad_norm": float("nan"), "learning_rate": 2e-05, "loss": 0.9, "step": 150},
        {"epoch": 2.0, "eval_loss": 0.8, "eval_accuracy": 0.75, "step": 200},
    ]
    state = json.dumps({"best_metric": None, "epoch": 2.0, "log_history": history, "num_train_epochs": 3}, indent=2)
    sent = foreign(root, tmp_path / "t", "transformers", state)
    assert list(chart(sent, "Loss by epoch").frame["train_loss"]) == pytest.approx([1.3, 0.9])
    assert list(chart(sent, "Loss by epoch").frame["val_loss"]) == pytest.approx([1.0, 0.8])
    assert figures(sent)["Epoch"].value == "2 of 3"


def test_a_log_in_lines_of_json(root: Path, tmp_path: Path) -> None:
    """One object an epoch, of two runs; what a line lacks is no value."""
    lines = [
        {"run": "a", "epoch": 1, "time": "2026-11-25T09:00:00", "train_loss": 1.0, "val_loss": 1.1},
        {"run": "b", "epoch": 1, "time": "2026-11-26T09:00:00", "train_loss": 0.9},
        {"run": "b", "epoch": 2, "time": "2026-11-26T10:00:00", "train_loss": 0.7},
    ]
    sent = foreign(root, tmp_path / "j", "jsonl", "".join(json.dumps(line) + "\n" for line in lines))
    assert figures(sent)["Best training loss"].value == 0.7
    assert [row["run"] for row in table(sent, "Runs compared")] == ["b", "a"]


@pytest.mark.parametrize("kind", ["keras", "lightning", "transformers", "jsonl"])
def test_every_recipe_is_in_the_documentation(root: Path, kind: str) -> None:
    """Word for word, so that what is copied from there is what was tried here."""
    query = (root / "tests" / "logs" / kind / "metrics.sql").read_text("utf-8")
    assert f"```sql\n{query}```" in (root / "docs" / "training.md").read_text("utf-8")


def test_a_query_without_a_required_column_is_told(root: Path, tmp_path: Path) -> None:
    """Which column, and in which file."""
    app = laid_out(tmp_path, root)
    query = tmp_path.joinpath(*JOB, "metrics.sql")
    query.write_text(query.read_text("utf-8").replace("AS train_loss", "AS training_loss"), "utf-8")
    with pytest.raises(ReportsError, match=r"metrics\.sql gives no column 'train_loss'") as caught:
        report(app)
    assert caught.value.hint.startswith("did you mean 'training_loss'?")


def test_the_same_day_gives_the_same_report(sent: Sent, root: Path, tmp_path: Path) -> None:
    """Whenever it is run again, as a day that is over has one end."""
    again = report(laid_out(tmp_path, root))
    assert again.produced.report == sent.produced.report
