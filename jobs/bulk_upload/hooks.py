"""From a log of uploads to what the report shows: what went wrong on the day, and the day against those before it."""

import re
import runpy
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from reports import project
from reports.schedules.calendars import Calendar

FOLDER = Path(__file__).parent
# The other parts of this job, which lie beside this one.
expected = runpy.run_path(str(FOLDER / "expecting.py"))["expected"]
reading = runpy.run_path(str(FOLDER / "reading.py"))
the_log, the_rejected, base, STATES = (reading[name] for name in ("the_log", "the_rejected", "base", "STATES"))

BAD, STOPPED = STATES[:3], STATES[:2]
DAY = pd.Timedelta(days=1)

ADVICE = {
    "broken row": "Have the rows cut like the others: delimiter, quotes, encoding.",
    "wrong type": "Mend the values, or the type of the column.",
    "too long": "Shorten the values, or widen the column.",
    "missing value": "Fill in the values that the table requires.",
    "duplicate key": "See whether the rows are in already; else mend their keys.",
    "unknown reference": "Load what they refer to first, then these rows again.",
    "refused by a check": "Mend the values: a rule of the table refuses them.",
    "encoding": "Ask for the file in UTF-8, or name its encoding.",
    "connection": "See whether the server can be reached, then run it again.",
    "permission": "Have the rights of the login looked at.",
    "not there": "See whether file, table and columns are there under these names.",
    "no room": "Make room on the server, then run it again.",
    "too many rejected rows": "Look at the rows first: is it the right file?",
    "interrupted": "Resume it: nobody is at work on it any more.",
    "other": "Read the reason in the workbook.",
}
# What an error is taken for by its words: the first cause that fits.
CAUSES = [
    ("too many rejected rows", r"too many|more than .* rejected|maximum error"),
    ("encoding", r"codec|decod|encod|utf-?\d|invalid byte"),
    ("connection", r"deadlock|connect|timed? ?out|lost|network|unavailable|not available|shut.?down|reset by"),
    ("permission", r"permission|denied|not allowed|login failed|authenticat|password"),
    ("duplicate key", r"duplicate|unique (key|constraint|index)|primary key"),
    ("unknown reference", r"foreign key|references"),
    ("refused by a check", r"check constraint"),
    ("no room", r"no space|disk|filegroup|quota|log .* full"),
    ("too long", r"truncat|too long|too large"),
    ("missing value", r"not null|null value|cannot insert .*null|allow nulls"),
    ("wrong type", r"\bcast\b|conver|invalid (input|character|value)|overflow|\btype\b"),
    ("not there", r"not found|no such|not exist|invalid object|there is no|missing|cannot open|unknown column"),
]


def datasets(frames, params):
    settings, _ = project.read_settings(FOLDER.parents[1])
    zone, calendar = params["timezone"], Calendar(settings.calendar)
    now = pd.Timestamp(params["now"] or params["started"].astimezone(ZoneInfo(zone)).replace(tzinfo=None))
    day, days = pd.Timestamp(params["as_of"]), params["days"]
    log, undated = the_log(frames["uploads"], zone=zone, log_zone=params["log_zone"], now=now)
    log = log[log["day"] <= day]
    rejected = the_rejected(frames.get("rejected"), log[log["day"] == day])
    today = judged(log[log["day"] == day], rejected)
    recent = log[(log["day"] >= day - days * DAY) & (log["day"] < day)]
    files = expected(log, day, days, now=now, works=calendar.works)
    trend = by_day(pd.concat([recent, today]), pd.date_range(day - days * DAY, day, name="day"))
    return {
        "status": status(today, files),
        "in_short": in_short(log, today, rejected, files, day=day, undated=undated),
        "headline": headline(trend, works=calendar.works),
        "attention": today[today["state"].isin(BAD)],
        "missing": files[files["state"] == "not seen"].assign(what=into),
        "causes": by_cause(today, rejected),
        "bars": trend if trend["uploads"].any() else trend.assign(loaded=np.nan, rejected=np.nan),
        "trend": trend,
        "slowest": slowest(today, recent, params["slowest"]),
        "uploads": today,
        "rejected": rejected,
        "expected": files,
    }


# -- the day ----------------------------------------------------------------------------------------


def judged(today, rejected):
    """The day's uploads, the most urgent first, each with what happened and what to do about it."""
    causes = {upload: group.value_counts() for upload, group in rejected.groupby("upload")["cause"]}
    at = today["started"].dt.strftime("%H:%M").astype("str").where(today["started"] != today["day"], "")
    speed = today["loaded"] / today["seconds"].where((today["seconds"] > 0) & (today["loaded"] > 0))
    # The first line of an error says what happened; the rest says where, and what to do.
    said = today["error"].map(lambda error: short(error.partition("\n")[0], 300))
    today = today.assign(at=at, speed=speed, what=into, said=said.astype("str"))
    today["mended"] = [mended(today, row) for row in today.itertuples()]
    today["happened"] = [happened(row, causes.get(row.upload, {})) for row in today.itertuples()]
    today["do"] = [what_to_do(row, causes.get(row.upload, {})) for row in today.itertuples()]
    today["error"] = today["error"].map(lambda error: " ".join(error.split())).astype("str")  # one line of a sheet
    urgency = today["state"].map(STATES.index).astype(float).where(today["mended"] == "", len(BAD) - 0.5)
    return today.iloc[np.lexsort((today["started"], urgency))].reset_index(drop=True)


def mended(today, row):
    """When the same file went in whole after it had not; empty if it did not."""
    if row.state not in BAD:
        return ""
    same = (today["file"] == row.file) & (today["target"] == row.target) & (today["state"] == "succeeded")
    later = today.loc[same & (today["started"] > row.started), "at"]
    return f"at {min(later)}" if len(later) else ""


def happened(row, causes):
    """What became of an upload that did not go in whole, when, and why."""
    if row.state not in BAD:
        return ""
    said = row.said
    if row.state == "partial" and row.rejected:
        why = ", ".join(f"{count:,} {cause}" for cause, count in causes.items()) or said
        said = f"{row.rejected:,} of {counted(row.rows_read, 'row')} rejected" + (f" ({why})" if why else "")
    elif row.loaded:
        said = f"{said}; {counted(row.loaded, 'row')} {'is' if row.loaded == 1 else 'are'} in".removeprefix("; ")
    return ": ".join(filter(None, [", ".join(filter(None, [row.state.capitalize(), row.at])), said])).rstrip(".") + "."


def what_to_do(row, causes):
    if row.state not in BAD:
        return ""
    if row.mended:
        return f"Nothing: it went in whole {row.mended}."
    if advice := re.search(r"(?m)^ *do: +(.+)", row.error):  # as errors of this program end
        return advice[1]
    cause = causes.index[0] if row.state == "partial" and len(causes) else cause_of(row)
    return ADVICE.get(cause, ADVICE["other"])


def cause_of(row):
    """What an error is taken for by its words."""
    if row.state == "interrupted":
        return "interrupted"
    return next((cause for cause, words in CAUSES if re.search(words, row.error, re.IGNORECASE)), "other")


def by_cause(today, rejected):
    """Uploads that failed, then rejected rows, by cause and with a sample each."""
    failed = today[today["state"].isin(STOPPED)]
    found = []
    for cause, group in by_size(failed, [cause_of(row) for row in failed.itertuples()]):
        found.append((f"{cause} (upload failed)", None, len(group), quoted(group.iloc[0])))
    for cause, group in by_size(rejected, rejected["cause"]):
        found.append((cause, len(group), group["upload"].nunique(), sample(group.iloc[0])))
    untold = today["rejected"] - today["upload"].map(rejected["upload"].value_counts()).fillna(0).astype("int64")
    if len(more := today[untold > 0]):
        found.append(("not told by the log", int(untold[untold > 0].sum()), len(more), quoted(more.iloc[0])))
    return pd.DataFrame(found, columns=["cause", "rows", "uploads", "sample"]).astype({"rows": "Int64"})


def by_size(frame, keys):
    """The rows in groups, the largest first."""
    return sorted(frame.groupby(np.array(keys, dtype=object)), key=lambda pair: -len(pair[1]))


def quoted(upload):
    return f"{base(upload['file'])}: {upload['said']}".removesuffix(": ")


def sample(row):
    """Where the row is, what stands there, and why it was not taken."""
    line = f", line {row['line']:,.0f}" if pd.notna(row["line"]) and row["line"] > 0 else ""
    value = f", {row['column']} = '{short(row['value'], 60)}'" if given(row["column"]) else ""
    return f"{base(row['file'])}{line}{value}: {short(row['reason'], 200)}"


def slowest(today, recent, count):
    """The uploads that took longest, with what the same file usually takes."""
    usual = recent.groupby(["pattern", "target"])["seconds"].median()
    chosen = today[today["seconds"] > 0].nlargest(count, "seconds")
    usually = [duration(usual.get((row.pattern, row.target), np.nan)) for row in chosen.itertuples()]
    return chosen.assign(took=[duration(seconds) for seconds in chosen["seconds"]], usual=usually)


# -- the day against those before it ----------------------------------------------------------------


def by_day(log, every):
    """A row for each day, whether anything was uploaded on it or not; the speed is that of what went in."""
    timed = (log["seconds"] > 0) & (log["loaded"] > 0)
    counts = {
        "uploads": 1,
        "failed": log["state"].isin(STOPPED).astype(int),
        "partial": (log["state"] == "partial").astype(int),
        **{name: log[name] for name in ("rows_read", "loaded", "rejected")},
        "timed": log["loaded"].where(timed, 0),
        "seconds": log["seconds"].where(timed, 0.0),
    }
    trend = pd.DataFrame(counts, index=log.index).groupby(log["day"]).sum().reindex(every, fill_value=0).reset_index()
    trend["share"] = trend["rejected"] / trend["rows_read"].where(trend["rows_read"] > 0)
    trend["speed"] = trend["timed"] / trend["seconds"].where(trend["seconds"] > 0)
    return trend.assign(bad=trend["failed"] + trend["partial"])


def headline(trend, *, works):
    """The day's figures against the mean of the days of its kind, working days or not, that had uploads before it."""
    day, before = trend.iloc[-1], trend.iloc[:-1]
    kinds = trend["day"].map(lambda one: works(one.date()))
    like = before[(before["uploads"] > 0) & (kinds.iloc[:-1] == kinds.iloc[-1])]
    share = f"{percent(day['share'])} of rows read; " if day["rejected"] else ""
    labels = {
        "uploads": ("Uploads", ""), "bad": ("Failed or partial", "down"), "rejected": ("Rows rejected", "down"),
        "rows_read": ("Rows read", ""), "loaded": ("Rows loaded", ""), "speed": ("Rows a second", "up"),
    }  # fmt: skip
    rows = [
        (
            label,
            day[name],
            "integer",
            (share if name == "rejected" else "") + change(day[name], like[name].mean(), len(before)),
            good,
        )
        for name, (label, good) in labels.items()
    ]
    return pd.DataFrame(rows, columns=["label", "value", "format", "note", "good"])


def change(value, mean, days):
    """`value` against the mean: as a difference where both are small, else in percent or in times."""
    if pd.isna(mean):
        return "nothing to compare with yet"
    against = f"{days}-day mean of {number(mean)}"
    if pd.isna(value):
        return against
    if mean < 20 and value < 100:
        return signed(f"{value - mean:+.1f} on the {against}")
    if value >= 5 * mean:
        return f"{value / mean:,.0f} times the {against}"
    return signed(f"{value / mean - 1:+.{int(abs(value / mean - 1) < 0.1)}%} on the {against}")


def status(today, files):
    """What is at the head of the mail: how many uploads went wrong and files are missing, or that all is well."""
    open_ones = today[today["mended"] == ""]
    counts = {state: int((open_ones["state"] == state).sum()) for state in BAD}
    counts["not seen"] = int((files["state"] == "not seen").sum())
    if wrong := [f"{count:,} {state}" for state, count in counts.items() if count]:
        tone = "bad" if any(counts[state] for state in STOPPED) else "warning"
        return pd.DataFrame({"status": [", ".join(wrong)], "tone": [tone]})
    if (today["state"] == "running").any():
        return pd.DataFrame({"status": ["Uploads are running"], "tone": ["info"]})
    said, tone = ("All went in", "good") if len(today) else ("No uploads", "info")
    return pd.DataFrame({"status": [said], "tone": [tone]})


# -- the day in a few sentences, the worst first ----------------------------------------------------


def in_short(log, today, rejected, files, *, day, undated):
    whole, missing = list(successes(log, today, day)), list(absences(files))
    said = [*failures(today), *missing, *rejections(today, rejected), *whole] if len(today) else [*whole, *missing]
    if undated:
        said.append(("Without a date", f"{counted(undated, 'upload')} of the log; in none of these numbers."))
    return pd.DataFrame(said, columns=["Outcome", spelt(day)])


def failures(today):
    for state in BAD:
        bad = today[today["state"] == state]
        files = listed(bad.loc[bad["mended"] == "", "file"].unique())
        again = int((bad["mended"] != "").sum())
        if len(bad):
            parts = [files, f"{again:,} went in whole later" if again else ""]
            yield state.capitalize(), f"{counted(len(bad), 'upload')}: {'; '.join(filter(None, parts))}."
    if len(running := today[today["state"] == "running"]):
        since = listed(f"{row.file} since {row.at}" for row in running.itertuples())
        yield "Running", f"{counted(len(running), 'upload')}: {since}."


def absences(files):
    for state in ("not seen", "to come"):
        if len(of_it := files[files["state"] == state]):
            named = f"{len(of_it):,} of {counted(len(files), 'expected file')}: {listed(of_it['file'])}."
            yield state.capitalize(), named
    if len(late := files[files["state"].str.endswith("late")]):
        times = listed(f"{row.file} at {row.came}, not by {row.due}" for row in late.itertuples())
        yield "Late", f"{counted(len(late), 'file')}: {times}."


def rejections(today, rejected):
    if count := int(today["rejected"].sum()):
        read, causes = int(today["rows_read"].sum()), rejected["cause"].value_counts()
        most = f", most often: {causes.index[0]} ({causes.iloc[0]:,})" if len(causes) else ""
        share = f"{count:,} of {counted(read, 'row')} ({percent(count / max(read, 1))})"
        yield "Rejected", f"{share} in {counted(int((today['rejected'] > 0).sum()), 'upload')}{most}."
    if retries := int(today["retries"].sum()):
        yield "Retried", f"{counted(retries, 'time')} in {counted(int((today['retries'] > 0).sum()), 'upload')}."


def successes(log, today, day):
    if len(today):
        whole, every = int((today["state"] == "succeeded").sum()), counted(len(today), "upload")
        rows = counted(int(today["loaded"].sum()), "row")
        yield "Went in whole", f"{whole:,} of {every}; {rows} loaded on this day."
        return
    last = log.nlargest(1, "started")
    before = "The log has none before it either."
    if len(last):
        before = f"The last one was {last.iloc[0]['file']}, on {spelt(last.iloc[0]['started'])}."
    yield "Nothing", f"No uploads on {spelt(day)}. {before}"


# -- words ------------------------------------------------------------------------------------------


def into(frame):
    """Files with their tables, as a phone has room for one column only."""
    return frame["file"].map(base) + (" into " + frame["target"]).where(frame["target"] != "", "")


def number(value):
    if value < 100:
        return f"{value:,.1f}".removesuffix(".0")
    return f"{value:,.0f}" if value < 10_000_000 else f"{value / 1e6:,.1f}m"


def signed(text):
    return text.replace("-", "\N{MINUS SIGN}", 1) if text.startswith("-") else text


def percent(share):
    return f"{share:.3%}" if share < 0.001 else f"{share:.2%}" if share < 0.1 else f"{share:.1%}"


def duration(seconds):
    if pd.isna(seconds):
        return ""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def spelt(day):
    return f"{day:%A} {day.day} {day:%B} {day.year}"


def counted(count, noun):
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed(names):
    names = [base(name) for name in names]
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def given(value):
    return pd.notna(value) and str(value) != ""


def short(text, most):
    text = " ".join(str(text).split()) if given(text) else ""
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
