"""A log of training, whoever wrote it, as the report reads it: known columns, times on the job's clock."""

from pathlib import Path

import numpy as np
import pandas as pd

from reports.errors import JobError, choices

FOLDER = Path(__file__).parent
REQUIRED = ["epoch", "train_loss"]
NUMBERS = ["train_loss", "val_loss", "train_accuracy", "val_accuracy", "lr", "seconds"]
OPTIONAL = ["run", "epochs", "time", *NUMBERS[1:], "broken"]
PREDICTIONS = ["run", "epoch", "item", "content", "truth", "predicted", "confidence"]


def the_log(metrics, *, zone, log_zone, end, epochs):
    """The epochs that had ended before `end`, each with how long it took; runs in the order in which they began."""
    require("metrics", metrics, REQUIRED)
    log = metrics.reindex(columns=REQUIRED + OPTIONAL)
    for name in NUMBERS:
        log[name] = pd.to_numeric(log[name]).astype("float64")
    log["epoch"] = pd.to_numeric(log["epoch"]).astype("int64")
    log["epochs"] = pd.to_numeric(log["epochs"]).fillna(epochs).astype("int64")  # 0 where nobody says
    log["run"] = log["run"].astype("str").fillna("").replace("", "the run")
    log["broken"] = log["broken"].astype("boolean").fillna(value=False).astype(bool)
    log["time"] = on_the_clock(log["time"], zone, log_zone)
    log = log[~(log["time"] >= end)].sort_values(["run", "epoch"], kind="stable")
    log["took"] = log["seconds"].fillna(log.groupby("run")["time"].diff().dt.total_seconds())
    begun = log.groupby("run")["time"].min().sort_values(kind="stable", na_position="first").index
    order = log["run"].map({name: place for place, name in enumerate(begun)})
    return log.iloc[np.lexsort((log["epoch"], order))].reset_index(drop=True)


def require(name, frame, columns):
    if missing := [column for column in columns if column not in frame]:
        hint = choices(missing[0], frame.columns, what="columns there")
        raise JobError(f"{name}.sql gives no column '{missing[0]}'", where=str(FOLDER / f"{name}.sql"), hint=hint)


def on_the_clock(column, zone, log_zone):
    """Times on the clock of `zone`; those that name no zone are in `log_zone`."""
    if column.isna().all():
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    times = column if column.dtype.kind == "M" else pd.to_datetime(column, format="ISO8601")
    if times.dt.tz is None:
        first = np.ones(len(times), dtype=bool)  # of the two in the hour that autumn has twice
        times = times.dt.tz_localize(log_zone, ambiguous=first, nonexistent="shift_forward")
    return times.dt.tz_convert(zone).dt.tz_localize(None)


def the_predictions(predictions, run, last):
    """Those of the run's newest epoch that has some, up to `last`; the wrong ones first, the surest of them first."""
    predictions = pd.DataFrame(columns=PREDICTIONS, dtype=object) if predictions is None else predictions
    require("predictions", predictions, ["truth", "predicted"])
    kept = predictions.reindex(columns=PREDICTIONS)
    if kept["run"].notna().any():
        kept = kept[kept["run"].astype("str") == run]
    epochs = pd.to_numeric(kept["epoch"]).fillna(last)
    kept = kept.assign(epoch=epochs.astype("int64"), confidence=pd.to_numeric(kept["confidence"]).astype("float64"))
    kept = kept[kept["epoch"] == kept.loc[kept["epoch"] <= last, "epoch"].max()]
    for name in ("item", "content", "truth", "predicted"):
        kept[name] = kept[name].astype("str").fillna("")
    kept["right"] = kept["truth"] == kept["predicted"]
    return kept.sort_values(["right", "confidence"], ascending=[True, False], kind="stable", ignore_index=True)
