"""A log of uploads, whoever wrote it, as the report reads it: known columns and states, times on the job's clock."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from reports.errors import JobError, choices

FOLDER = Path(__file__).parent
REQUIRED = ["file", "started", "state", "rows_read", "loaded"]
OPTIONAL = ["upload", "target", "ended", "rejected", "retries", "error", "until"]
REJECTED = ["upload", "file", "line", "column", "value", "reason", "cause", "content"]
STATES = ["failed", "interrupted", "partial", "running", "succeeded"]  # the most urgent first
_NAME = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
MONTHS = re.compile(rf"(?i)(?<![a-z])(?:{_NAME})[-_. ]?(?=\d)|(?<=\d)[-_. ]?(?:{_NAME})(?![a-z])")


def the_log(uploads, *, zone, log_zone, now):
    """The uploads with times on the job's clock, and how many have no start, so that they are of no day."""
    require("uploads", uploads, REQUIRED)
    log = uploads.reindex(columns=REQUIRED + OPTIONAL)
    times = {name: parsed(log[name]) for name in ("started", "ended", "until")}
    given = times["started"].dropna()
    bare = given.dt.tz is None and (given.dt.normalize() == given).all()
    # A log that has days only means those of the project.
    started, ended, until = (instants(one, zone if bare else log_zone) for one in times.values())
    for name in ("rows_read", "loaded", "rejected", "retries"):
        log[name] = pd.to_numeric(log[name]).fillna(0).astype("int64")
    for name in ("file", "target", "error"):
        log[name] = log[name].astype("str").fillna("").str.strip()
    log["upload"] = log["upload"].astype("str").fillna(log.index.to_series().astype("str"))
    log["state"] = known(log["state"].astype("str").str.strip().str.lower())
    log.loc[(log["state"] == "running") & (local(until, zone) < now), "state"] = "interrupted"
    seconds = (ended - started).dt.total_seconds()  # an interrupted one ends when that is noticed
    log["seconds"] = seconds.where((seconds >= 0) & (log["state"] != "interrupted"))
    log["started"], log["ended"] = local(started, zone), local(ended, zone)
    log["day"] = log["started"].dt.normalize()
    log["pattern"] = log["file"].map({name: pattern(name) for name in log["file"].unique()}).astype("str")
    return log.drop(columns="until").dropna(subset="started"), int(started.isna().sum())


def require(name, frame, columns):
    if missing := [column for column in columns if column not in frame]:
        hint = choices(missing[0], frame.columns, what="columns there")
        raise JobError(f"{name}.sql gives no column '{missing[0]}'", where=str(FOLDER / f"{name}.sql"), hint=hint)


def known(states):
    if len(strange := states[~states.isin(STATES)]):
        hint = choices(str(strange.iloc[0]), STATES, what="write one of")
        raise JobError(f"'{strange.iloc[0]}' is no state of an upload", where=str(FOLDER / "uploads.sql"), hint=hint)
    return states


def parsed(column):
    """Times, which SQLite gives as text."""
    if column.isna().all():
        return pd.Series(pd.NaT, index=column.index, dtype="datetime64[us]")
    return column if column.dtype.kind == "M" else pd.to_datetime(column, format="ISO8601")


def instants(times, zone):
    """Times as instants; those that name no zone are in `zone`."""
    if times.dt.tz is None:
        first = np.ones(len(times), dtype=bool)  # of the two in the hour that autumn has twice
        times = times.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward")
    return times.dt.tz_convert("UTC")


def local(times, zone):
    return times.dt.tz_convert(zone).dt.tz_localize(None)


def pattern(name):
    """The name of a file with its digits and dates as wildcards: loans_2026-11-27.csv is loans_*.csv."""
    return re.sub(r"\d+(?:[-_. ]\d+)*", "*", MONTHS.sub("0", base(name)))


def the_rejected(rejected, today):
    """The rejected rows of the day's uploads, in the order of files and lines."""
    rejected = pd.DataFrame(columns=REJECTED, dtype=object) if rejected is None else rejected
    require("rejected", rejected, REJECTED)
    rejected = rejected.assign(upload=rejected["upload"].astype("str"))
    rejected = rejected[rejected["upload"].isin(today["upload"])].copy()
    rejected["cause"] = rejected["cause"].astype("str").fillna("other")
    rejected["target"] = rejected["upload"].map(today.drop_duplicates("upload").set_index("upload")["target"])
    return rejected.sort_values(["file", "line"], kind="stable", ignore_index=True)


def base(file):
    """The file's name without its folders."""
    return re.split(r"[\\/]", str(file))[-1]
