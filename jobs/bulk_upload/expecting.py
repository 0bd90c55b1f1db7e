"""Which files should come on a day, why, and what became of each: those of expected.csv, and what history tells."""

import csv
import re
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from reports.errors import JobError

LIST = Path(__file__).with_name("expected.csv")
COLUMNS = ["file", "target", "state", "due", "came", "last_seen", "why"]
BEST_FIRST = ["succeeded", "running", "partial", "interrupted", "failed"]
WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAY = pd.Timedelta(days=1)


def expected(log, day, days, *, now, works):
    """A row for each file that should come on the day, what is missing first; `works` tells business days."""
    entries = read(LIST)
    names = log["file"].unique()
    listed = {name for name in names if any(fits(entry, name) for entry in entries)}
    due = [(entry, its_own(entry, log, names)) for entry in entries if is_due(entry, day, works)]
    due += by_history(log[~log["file"].isin(listed)], log["day"].min(), day, days)
    rows = [what_became(entry, own, day, now) for entry, own in due]
    frame = pd.DataFrame(rows, columns=COLUMNS).astype({"last_seen": "datetime64[us]", "state": "str", "came": "str"})
    order = frame["state"].map({"not seen": 0, "to come": 1}).fillna(2)
    return frame.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)


def what_became(entry, own, day, now):
    """An expected file beside its uploads: what came of it on the day, and when it came before."""
    came = own.loc[own["day"] == day, "started"].min()
    states = set(own.loc[own["day"] == day, "state"])
    until = day + (DAY if entry["at"] is None else entry["at"])
    state = next((state for state in BEST_FIRST if state in states), "not seen" if now >= until else "to come")
    late = entry["promised"] and pd.notna(came) and came > until
    return {
        "file": entry["file"],
        "target": entry["target"],
        "state": f"{state}, late" if late else state,
        "due": "" if entry["at"] is None else f"{day + entry['at']:%H:%M}",
        "came": "" if pd.isna(came) else f"{came:%H:%M}",
        "last_seen": own.loc[own["day"] < day, "started"].max(),
        "why": entry["why"],
    }


# -- by history -----------------------------------------------------------------------------------


def by_history(log, first, day, days):
    """Files that came on most of the same weekdays of the last days, and at least twice, by the latest hour so far."""
    same = [one for one in (day - 7 * weeks * DAY for weeks in range(1, days // 7 + 1)) if one >= first]
    by_file = log[log["pattern"].isin(log.loc[log["day"].isin(same), "pattern"])].groupby(["pattern", "target"])
    found = []
    for (name, target), own in by_file:
        arrivals = own[own["day"].isin(same)].groupby("day")["started"].min()
        if len(arrivals) >= 2 and len(arrivals) * 2 > len(same):
            at = min((arrivals - arrivals.index).max().ceil("30min"), DAY - pd.Timedelta(minutes=1))
            why = f"It came on {len(arrivals)} of the last {len(same)} {day:%A}s, by {day + at:%H:%M}."
            found.append(({"file": name, "target": target, "at": at, "why": why, "promised": False}, own))
    return found


# -- by the list ----------------------------------------------------------------------------------


def read(path):
    """The lines of expected.csv; a JobError names the one that cannot be understood."""
    lines = path.read_text("utf-8-sig").splitlines() if path.exists() else []
    kept = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    records = csv.DictReader([line for _, line in kept])
    return [entry(record, f"{path}:{number}") for (number, _), record in zip(kept[1:], records, strict=True)]


def entry(record, where):
    """One line: which file into which table, on which days, by when, and why."""
    file, target, days, by, note = ((record.get(key) or "").strip() for key in ("file", "target", "days", "by", "note"))
    if not file:
        raise JobError("a line of expected files names none", where=where, hint="write a name such as loans_*.csv")
    why = f"On the list: {days}{f', by {by}' if by else ''}{f'; {note}' if note else ''}."
    return {
        "file": file, "target": target, "at": hour(by, where), "why": why, "promised": True,
        "weekdays": weekdays(days, where),
    }  # fmt: skip


def weekdays(days, where):
    """The weekdays that are named, 0 for Monday; None for business days."""
    words = days.lower().replace(",", " ").split()
    if words in (["business", "days"], ["daily"]):
        return None if words[0] == "business" else set(range(7))
    found = set()
    for word in words:
        first, _, last = word.partition("-")
        if not {first[:3], (last or first)[:3]} <= set(WEEKDAYS):
            break
        start, end = WEEKDAYS.index(first[:3]), WEEKDAYS.index((last or first)[:3])
        found |= {one % 7 for one in range(start, end + 1 + 7 * (end < start))}
    else:
        if words:
            return found
    hint = "write daily, business days, or weekdays as in mon-fri or mon wed fri"
    raise JobError(f"'{days}' does not say which days", where=where, hint=hint)


def hour(by, where):
    """The time since midnight, or None for the whole day."""
    if found := re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", by):
        return pd.Timedelta(hours=int(found[1]), minutes=int(found[2]))
    if by:
        raise JobError(f"'{by}' is no time of the day", where=where, hint="write one like 07:30")
    return None


def is_due(entry, day, works):
    return works(day.date()) if entry["weekdays"] is None else day.weekday() in entry["weekdays"]


def fits(entry, name):
    return fnmatchcase(re.split(r"[\\/]", name)[-1].casefold(), entry["file"].casefold())


def its_own(entry, log, names):
    """The uploads of the files that an entry means."""
    own = log[log["file"].isin([name for name in names if fits(entry, name)])]
    return own[own["target"].str.casefold() == entry["target"].casefold()] if entry["target"] else own
