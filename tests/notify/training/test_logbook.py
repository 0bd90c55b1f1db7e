"""The log of trainings: whole lines, one header, and the run that they belong to."""

from __future__ import annotations

import csv
import math
import threading
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest

from reports.notify.training.logbook import METRICS, Logbook, append

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
HEADING = "run,epoch,epochs,split,time,loss,accuracy,lr,seconds\n"


def write(log: Logbook, number: float, *, total: float | None = 40, at: datetime = NOON, **metrics: float) -> None:
    log.write(number, metrics, total=total, took=61.5, at=at)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_an_epoch_is_a_line_for_each_part_of_the_data(tmp_path: Path) -> None:
    """In the columns of the job, the time in UTC, how long it took once."""
    path = tmp_path / "new" / "metrics.csv"
    west = datetime(2026, 11, 28, 7, tzinfo=timezone(timedelta(hours=-5)))
    write(Logbook(path, name="resnet"), 1, at=west, loss=0.5, acc=0.8, val_loss=0.6, val_acc=0.7, lr=3e-4, val_f1=0.9)
    assert path.read_text("utf-8") == (
        HEADING
        + "resnet,1,40,train,2026-11-28 12:00:00.000,0.5,0.8,0.0003,61.500\n"
        + "resnet,1,40,validation,2026-11-28 12:00:00.000,0.6,0.7,0.0003,\n"
    )


def test_the_sample_log_has_the_same_columns(root: Path) -> None:
    """What the job reads is what is written."""
    with (root / "jobs" / "training" / "metrics.csv").open(encoding="utf-8") as file:
        assert file.readline() == HEADING == ",".join(METRICS) + "\n"


def test_a_loss_may_be_no_number_and_other_values_are_then_missing(tmp_path: Path) -> None:
    """As the job's source reads them: a loss as text, the others as numbers."""
    path = tmp_path / "metrics.csv"
    write(Logbook(path, name="a"), 1, total=None, loss=math.nan, accuracy=math.nan, val_loss=math.inf)
    assert [(one["loss"], one["accuracy"], one["epochs"]) for one in rows(path)] == [("nan", "", ""), ("inf", "", "")]


def test_a_name_stays_one_value_on_one_line(tmp_path: Path) -> None:
    """Whatever is in it."""
    path = tmp_path / "metrics.csv"
    write(Logbook(path, name='wide, "deep"\nand long'), 1, loss=0.5)
    assert rows(path)[0]["run"] == 'wide, "deep" and long'
    assert len(path.read_text("utf-8").splitlines()) == 2


def test_each_training_is_a_run_of_its_own(tmp_path: Path) -> None:
    """The second and third of a name are told apart; one that is asked for is taken."""
    path = tmp_path / "metrics.csv"
    for log in (
        Logbook(path, name="a"),
        Logbook(path, name="a"),
        Logbook(path, name="a"),
        Logbook(path, name="a", run="b"),
    ):
        write(log, 1, loss=0.5)
        write(log, 2, loss=0.4)
    assert [one["run"] for one in rows(path)] == ["a", "a", "a 2", "a 2", "a 3", "a 3", "b", "b"]


def test_a_training_that_goes_on_is_the_newest_of_its_name(tmp_path: Path) -> None:
    """And what the log has of it from before is known again."""
    path = tmp_path / "metrics.csv"
    for log in (Logbook(path, name="a"), Logbook(path, name="a")):
        for number in (1, 2, 3):
            write(log, number, loss=1 / number, val_accuracy=0.1 * number, lr=0.01)
    again = Logbook(path, name="a")
    earlier = again.earlier(3)
    assert [
        (number, {(one.metric, one.split): value for one, value in known.items()}) for number, known in earlier
    ] == [
        (1, {("loss", "training"): 1.0, ("lr", ""): 0.01, ("accuracy", "validation"): 0.1}),
        (2, {("loss", "training"): 0.5, ("lr", ""): 0.01, ("accuracy", "validation"): 0.2}),
    ]
    write(again, 3, loss=0.3)
    assert rows(path)[-1]["run"] == "a 2"


def test_only_whole_numbers_are_logged(tmp_path: Path) -> None:
    """The job counts epochs."""
    path = tmp_path / "metrics.csv"
    write(Logbook(path, name="a"), 0.5, loss=0.5)
    assert not path.exists()


def test_a_log_of_ones_own_keeps_its_columns(tmp_path: Path) -> None:
    """Its order stays, what it has a column for is filled, and what it has none for is left out."""
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,split,f1,loss,comment\n7,train,0.1,0.9,by hand\n", "utf-8")
    write(Logbook(path, name="a"), 8, loss=0.5, f1=0.25, accuracy=0.7)
    assert path.read_text("utf-8").splitlines()[2] == "8,train,0.25,0.5,"


def test_a_line_left_unfinished_is_never_continued(tmp_path: Path) -> None:
    """As after a disk that was full."""
    path = tmp_path / "metrics.csv"
    path.write_text(HEADING + "a,1,40,tra", "utf-8")
    write(Logbook(path, name="b"), 1, loss=0.5)
    assert path.read_text("utf-8").splitlines()[1:] == [
        "a,1,40,tra",
        "b,1,40,train,2026-11-28 12:00:00.000,0.5,,,61.500",
    ]


def test_an_empty_file_gets_its_header(tmp_path: Path) -> None:
    """As one that was made by hand."""
    path = tmp_path / "metrics.csv"
    path.touch()
    write(Logbook(path, name="a"), 1, loss=0.5)
    assert path.read_text("utf-8").splitlines()[0] == HEADING.strip()
    assert rows(path)[0]["loss"] == "0.5"


def test_many_who_write_at_once_write_whole_lines_below_one_header(tmp_path: Path) -> None:
    """Also those who all begin the file."""
    path, begin = tmp_path / "log" / "metrics.csv", threading.Barrier(6)

    def train(name: str) -> None:
        log = Logbook(path, name=name, run=name)
        begin.wait()
        for number in range(1, 41):
            write(log, number, loss=0.5, val_loss=0.6)

    threads = [threading.Thread(target=train, args=(f"run {one}",)) for one in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    lines = path.read_text("utf-8").splitlines(keepends=True)
    assert lines.count(HEADING) == 1
    assert lines[0] == HEADING
    assert len(lines) == 1 + 6 * 40 * 2
    assert all(len(line.split(",")) == len(METRICS) for line in lines)
    assert [one.name for one in path.parent.iterdir()] == ["metrics.csv"]


def test_what_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    """Which the training tells, and survives."""
    (tmp_path / "taken").write_text("", "utf-8")
    with pytest.raises(OSError, match="taken"):
        append(tmp_path / "taken" / "metrics.csv", METRICS, [{}])


def test_predictions_lie_beside_the_metrics(tmp_path: Path) -> None:
    """In the columns of the job, whatever the item is called; numbered where it has no number."""
    log = Logbook(tmp_path / "metrics.csv", name="a", run="a")
    frame = pd.DataFrame({"text": ["RENT\n4B", "WAGE"], "truth": ["Rent", "Salary"], "predicted": ["Rent", "Fees"]})
    log.predictions(frame, 5)
    log.predictions(frame.assign(item=["r1", "w1"], confidence=[0.9, 0.4]), 10)
    assert (tmp_path / "predictions.csv").read_text("utf-8") == (
        "run,epoch,item,line,truth,predicted,confidence\n"
        "a,5,1,RENT 4B,Rent,Rent,\n"
        "a,5,2,WAGE,Salary,Fees,\n"
        "a,10,r1,RENT 4B,Rent,Rent,0.9\n"
        "a,10,w1,WAGE,Salary,Fees,0.4\n"
    )
