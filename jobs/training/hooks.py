"""From a log of training to what the report shows: how the run goes, its curves, and the runs before it."""

import runpy
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from reports.errors import JobError, choices

FOLDER = Path(__file__).parent
# The other parts of this job, which lie beside this one.
reading = runpy.run_path(str(FOLDER / "reading.py"))
judging = runpy.run_path(str(FOLDER / "judging.py"))
state, usual, elapsed, best = (judging[name] for name in ("state", "usual", "elapsed", "best"))

DAY = pd.Timedelta(days=1)
CURVES = ["epoch", "time", "train_loss", "val_loss", "gap", "train_accuracy", "val_accuracy", "lr", "took"]
RUNS = ["run", "state", "best_loss", "at_epoch", "accuracy", "gain", "epochs", "duration", "hours", "begun", "ended"]


def datasets(frames, params):
    zone = params["timezone"]
    now, end = until(params, zone)
    log = reading["the_log"](
        frames["metrics"], zone=zone, log_zone=params["log_zone"], end=min(now, end), epochs=params["epochs"]
    )
    own = chosen(log, params["run"])
    name, last = (own["run"].iloc[-1], int(own["epoch"].iloc[-1])) if len(own) else ("", 0)
    runs = compared(log, name, now=now)
    predictions = reading["the_predictions"](frames.get("predictions"), name, last)
    said = advice(own, runs, predictions, now=now)
    return {
        "status": status(own, runs, said),
        "advice": said,
        "headline": headline(own, runs),
        "curves": curves(own),
        "every_run": log.assign(train=log["train_loss"], validation=log["val_loss"]),
        "runs": runs,
        "confusion": judging["confusion"](predictions),
        "classes": judging["by_class"](predictions),
        "calibration": judging["calibration"](predictions),
        "samples": predictions.head(params["samples"]),
        "all_predictions": predictions,
    }


def until(params, zone):
    """The moment the report is about, and the end of its day: of a day that is over, both are its end."""
    day = pd.Timestamp(params["as_of"])
    now = pd.Timestamp(params["now"] or params["started"].astimezone(ZoneInfo(zone)).replace(tzinfo=None))
    return (now if now.normalize() == day else day + DAY), day + DAY


def chosen(log, run):
    """The epochs of the run that is asked for, or of the one that began last."""
    names = list(log["run"].unique())
    if run and names and run not in names:
        hint = choices(run, names, what="runs in the log by then")
        raise JobError(f"the log has no run '{run}'", where=str(FOLDER / "job.toml"), hint=hint)
    return log[log["run"] == (run or (names[-1] if names else ""))].reset_index(drop=True)


def curves(own):
    return own.assign(gap=own["val_loss"] - own["train_loss"])[CURVES]


def status(own, runs, said):
    """What is at the head of the mail: the state of the run, and whether there is something to be done."""
    if own.empty:
        return pd.DataFrame({"status": ["No epochs yet"], "tone": ["info"]})
    run = runs.loc[runs["run"] == own["run"].iloc[-1], "state"].iloc[0]
    urgent = next((tone for tone in ("bad", "warning") if tone in set(said["tone"])), "")
    return pd.DataFrame({"status": [run.capitalize()], "tone": [urgent or ("good" if run == "finished" else "info")]})


# -- the run ----------------------------------------------------------------------------------------


def headline(own, runs):
    """How far the run is, how good, and how long it takes."""
    rows = [*progress(own, runs), *quality(own)] if len(own) else []
    return pd.DataFrame(rows, columns=["label", "value", "format", "note", "good"])


def progress(own, runs):
    last, run = own.iloc[-1], runs[runs["run"] == own["run"].iloc[-1]].iloc[0]
    of = f" of {last['epochs']}" if last["epochs"] else ""
    left = (last["epochs"] - last["epoch"]) * usual(own)
    going = run["state"] == "training" and last["epochs"] > 0 and pd.notna(left)
    begun = f"since {moment(run['begun'])}" if pd.notna(run["begun"]) else ""
    yield "Epoch", f"{last['epoch']}{of}", "text", f"run {run['run']}, {run['state']}", ""
    yield "Elapsed", duration(elapsed(own)), "text", begun, ""
    ready = last["time"] + left
    until = f"until {moment(ready)}, " if pd.notna(ready) else ""
    note = f"{until}{duration(usual(own))} an epoch" if going else run["state"]
    yield "Expected left", duration(left) if going else "none", "text", note, ""


def quality(own):
    top, accuracy = best(own), own["val_accuracy"]
    which = "validation" if own["val_loss"].notna().any() else "training"
    if top is not None:
        loss = top["val_loss" if which == "validation" else "train_loss"]
        yield f"Best {which} loss", loss, "number.4", f"epoch {top['epoch']}", "down"
    if accuracy.notna().any():
        found = own.loc[accuracy.idxmax()]
        yield "Best accuracy", found["val_accuracy"], "percent.1", f"of validation, epoch {found['epoch']}", "up"
    gap = curves(own).dropna(subset="gap")
    if len(gap):
        last = gap.iloc[-1]
        yield "Gap", last["gap"], "number.4", f"validation over training loss, epoch {last['epoch']}", "down"


# -- the run against those before it ----------------------------------------------------------------


def compared(log, name, *, now):
    """A row for each run, the newest first; the gain is how much lower the best loss of the run reported is."""
    every = list(log["run"].unique())
    rows = [summed_up(log[log["run"] == run], over=run != every[-1], now=now) for run in reversed(every)]
    frame = pd.DataFrame(rows, columns=RUNS)
    losses = frame["best_loss"].astype("float64")
    mine = losses[frame["run"] == name]
    gain = 1 - (mine.iloc[0] if len(mine) else np.nan) / losses
    return frame.assign(best_loss=losses, gain=gain.where(frame["run"] != name))


def summed_up(own, *, over, now):
    top, took = best(own), elapsed(own)
    return {
        "run": own["run"].iloc[0],
        "state": state(own, now=now, over=over),
        "best_loss": np.nan if top is None else top["val_loss"] if pd.notna(top["val_loss"]) else top["train_loss"],
        "at_epoch": None if top is None else top["epoch"],
        "accuracy": own["val_accuracy"].max(),
        "epochs": own["epoch"].iloc[-1],
        "duration": duration(took),
        "hours": took / pd.Timedelta(hours=1),
        "begun": judging["begun"](own),
        "ended": own["time"].iloc[-1],
    }


# -- what to do, the worst first --------------------------------------------------------------------


def advice(own, runs, predictions, *, now):
    """Sentences on the run, each with its tone and what it is about."""
    if own.empty:
        said = [("info", "No epochs yet", "No epoch in the log had ended by then.")]
    else:
        run, classes = runs[runs["run"] == own["run"].iloc[-1]].iloc[0], judging["by_class"](predictions)
        said = [*trouble(own, run, now), *learning(own, run), *standing(run, runs), *weak(classes)]
    return pd.DataFrame(said, columns=["tone", "title", "text"])


def trouble(own, run, now):
    last = own.iloc[-1]
    if run["state"] == "diverged":
        what = "is no number" if last["broken"] else f"has risen to {last['train_loss']:.4f}"
        do = "Stop it, and begin again before that with a lower learning rate or with gradients clipped."
        yield "bad", "Diverged", f"The loss {what} in epoch {last['epoch']}. {do}"
    if run["state"] == "stalled":
        quiet, each = duration(now - last["time"]), duration(usual(own))
        do = "See whether the training still runs."
        yield "bad", "Stalled", f"No epoch has ended for {quiet}; one usually takes {each}. {do}"


def learning(own, run):
    """Whether it still learns, and learns what also holds for what it has not seen."""
    if (top := judging["overfits"](own)) is not None:
        last = own[own["val_loss"].notna()].iloc[-1]
        rise = f"Validation loss has risen from {top['val_loss']:.4f} to {last['val_loss']:.4f}"
        fall = f"that of training has fallen from {top['train_loss']:.4f} to {last['train_loss']:.4f}"
        do = f"Keep the weights of epoch {top['epoch']}; more examples, regularisation or an earlier end would help."
        yield "warning", f"Overfitting since epoch {top['epoch']}", f"{rise}, while {fall}. {do}"
    elif run["state"] == "training" and (gain := judging["stands_still"](own)) is not None:
        less = f"by {gain:.1%} only" if gain > 0 else "not at all"
        said = f"The best validation loss has improved {less} in {judging['WINDOW']} epochs."
        yield "warning", "A plateau", f"{said} A lower learning rate, or an end, is due."


def standing(run, runs):
    """What came of it, and how its best loss stands among those of the other runs."""
    if run["state"] == "finished" and pd.notna(run["at_epoch"]):
        said = f"{counted(run['epochs'], 'epoch')} in {run['duration']}".removesuffix(" in ")
        yield "good", "Finished", f"{said}; the best is epoch {run['at_epoch']:.0f}."
    others = runs[(runs["run"] != run["run"]) & runs["best_loss"].notna()]
    if others.empty or pd.isna(run["best_loss"]):
        return
    top = others.loc[others["best_loss"].idxmin()]
    by, beside = abs(run["best_loss"] / top["best_loss"] - 1), f"that of {top['run']}, {top['best_loss']:.4f}"
    if run["best_loss"] < top["best_loss"]:
        yield "good", "The best run so far", f"Its best loss is {by:.1%} below {beside}."
    else:
        yield "info", f"Behind {top['run']}", f"Its best loss is {by:.1%} above {beside}."


def weak(classes):
    """The class that is found least, where that is less than three times in four."""
    poor = classes[(classes["found"] < 0.75) & (classes["items"] >= 5)]
    for worst in poor.head(1).itertuples():
        items = f"{worst.found:.0%} of {counted(worst.items, 'item')}"
        yield "info", f"{worst[1]} is found least", f"In {items}; the others are mostly taken for {worst.mistaken}."


# -- words ------------------------------------------------------------------------------------------


def duration(took):
    if pd.isna(took):
        return ""
    seconds = took.total_seconds()
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    if hours:
        return f"{hours} h {minutes} min"
    if minutes >= 10:
        return f"{minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def moment(time):
    return f"{time.day} {time:%b} {time:%H:%M}"


def counted(count, noun):
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
