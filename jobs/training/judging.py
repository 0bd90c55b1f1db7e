"""What is to be thought of a run: whether it goes on, has ended or went wrong, and what its curves say."""

import numpy as np
import pandas as pd

PATIENCE = 3  # epochs after the best one before anything is said of them
WINDOW = 8  # epochs in which a run that still learns gains something
WORTH = 0.005  # a gain of validation loss that is one, as a fraction
QUIET = 3  # times the usual epoch without a new one, until a run counts as stalled
SOON = pd.Timedelta(minutes=5)  # but no sooner: a pause between epochs of seconds is none


def state(own, *, now, over):
    """training, finished, stopped, stalled or diverged; `over` tells that a newer run has begun."""
    last = own.iloc[-1]
    if went_wrong(own):
        return "diverged"
    if last["epochs"] and last["epoch"] >= last["epochs"]:
        return "finished"
    if over:
        return "stopped"
    quiet = now - last["time"]
    return "stalled" if quiet > SOON and quiet > QUIET * usual(own) else "training"


def went_wrong(own):
    """A loss that is no number, or one of training that rises and rises."""
    losses = own["train_loss"].dropna()
    rising = len(losses) > 3 and (losses.diff().iloc[-3:] > 0).all() and losses.iloc[-1] > 1.5 * losses.min()
    return bool(own["broken"].iloc[-1] or rising)


def usual(own):
    """From one epoch to the next; where the log has no times, how long one took; NaT where it has neither."""
    between = own["time"].diff().median()
    return between if pd.notna(between) else pd.to_timedelta(own["took"].median(), unit="s")


def elapsed(own):
    """From the begin of the first epoch to the end of the last one, as a timedelta."""
    if own["time"].isna().all():
        return pd.to_timedelta(own["took"].sum(min_count=1), unit="s")
    return own["time"].iloc[-1] - begun(own)


def begun(own):
    """When its first epoch began, or ended where the log does not say how long it took."""
    return own["time"].iloc[0] - pd.to_timedelta(own["took"].fillna(0).iloc[0], unit="s")


def best(own):
    """The epoch of the lowest validation loss, or of training where nothing is validated; None if there is none."""
    losses = own["val_loss" if own["val_loss"].notna().any() else "train_loss"].where(~own["broken"])
    return own.loc[losses.idxmin()] if losses.notna().any() else None


def overfits(own):
    """The epoch since which validation loss rises while that of training falls; None if it does not."""
    if own["val_loss"].notna().sum() <= PATIENCE or (top := best(own)) is None:
        return None
    last = own[own["val_loss"].notna()].iloc[-1]
    worse = last["val_loss"] > (1 + WORTH) * top["val_loss"] and last["train_loss"] < top["train_loss"]
    return top if worse and last["epoch"] - top["epoch"] >= PATIENCE else None


def stands_still(own):
    """The gain of the best validation loss in the last epochs as a fraction, where it is none; else None."""
    losses = own["val_loss"].dropna()
    if len(losses) <= WINDOW:
        return None
    before = losses.iloc[:-WINDOW].min()
    gain = 1 - losses.iloc[-WINDOW:].min() / before
    return gain if gain < WORTH else None


# -- predictions ----------------------------------------------------------------------------------


def by_class(predictions):
    """A row for each class, the one that is found least first: how many, how many of them found, and taken for what."""
    rows = []
    for name, own in predictions.groupby("truth"):
        wrong = own.loc[~own["right"], "predicted"].value_counts()
        said = int((predictions["predicted"] == name).sum())
        rows.append({
            "class": name,
            "items": len(own),
            "found": own["right"].mean(),
            "precision": own["right"].sum() / said if said else np.nan,
            "mistaken": f"{wrong.index[0]} ({wrong.iloc[0]})" if len(wrong) else "",
        })  # fmt: skip
    frame = pd.DataFrame(rows, columns=["class", "items", "found", "precision", "mistaken"])
    return frame.sort_values(["found", "class"], ignore_index=True)


def confusion(predictions):
    """Truth against what was predicted: the part of each class that is taken for each."""
    names = sorted(set(predictions["truth"]) | set(predictions["predicted"]))
    counts = predictions.groupby(["truth", "predicted"]).size().reindex(
        pd.MultiIndex.from_product([names, names], names=["truth", "predicted"]), fill_value=0
    )  # fmt: skip
    frame = counts.rename("items").reset_index()
    of_class = frame.groupby("truth")["items"].transform("sum")
    return frame.assign(share=frame["items"] / of_class.where(of_class > 0))


def calibration(predictions):
    """How often the model is right among those of which it is about as sure, against how sure it is."""
    told = predictions[predictions["confidence"].notna()]
    tenths = (told["confidence"] * 10).astype(int).clip(4, 9)
    frame = told.groupby(tenths.rename("tenth")).agg(
        items=("right", "size"), sure=("confidence", "mean"), right=("right", "mean")
    )  # fmt: skip
    names = [f"{tenth * 10}% to {tenth * 10 + 10}%" if tenth > 4 else "under 50%" for tenth in frame.index]
    frame.insert(0, "confidence", pd.Series(names, index=frame.index, dtype="str"))
    return frame.assign(gap=frame["right"] - frame["sure"]).reset_index(drop=True)
