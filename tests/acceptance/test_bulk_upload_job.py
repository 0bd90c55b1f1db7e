"""The report over the log of uploads: right against the log, whoever wrote it, on good days, bad ones and empty ones."""

from __future__ import annotations

import collections
import datetime as dt
import email
import email.policy
import io
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import postgres
import pytest
from storing import opened
from upload_log import CAUSES, DAY, Log, month

from reports.app import App, Sent, Wanted, open_app
from reports.errors import ReportsError
from reports.model import Chart, Figure, Figures, Status, Table

FRIDAY = dt.date(2026, 11, 27)
EVENING = "2026-11-27 18:00"
SETTINGS = """\
timezone = "{timezone}"
{calendar}
[sources.uploads]
{source}

[mail]
provider = "folder"
from = "Reports <reports@example.com>"
to = "finance@example.com"
"""


def laid_out(
    folder: Path, root: Path, log: Log | None = None, *, source: str = "store = true", timezone: str = "UTC",
    calendar: str = "", expected: str = "", queries: Path | None = None, url: str = "",
) -> App:  # fmt: skip
    """A project with the job alone; another log is another source and another folder of queries, and nothing else."""
    job = folder / "jobs" / "bulk_upload"
    shutil.copytree(root / "jobs" / "bulk_upload", job, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(root / "templates", folder / "templates")
    store = f'[store]\nurl = "{url}"\n' if url else ""
    calendar = f'calendar = "{calendar}"' if calendar else ""
    settings = SETTINGS.format(timezone=timezone, calendar=calendar, source=source) + store
    (folder / "settings.toml").write_text(settings, "utf-8")
    if expected:
        with (job / "expected.csv").open("a", encoding="utf-8") as file:
            file.write(expected)
    if queries:
        for query in job.glob("*.sql"):
            query.unlink()
        shutil.copytree(queries, job, dirs_exist_ok=True)
    if log:
        kept = opened(folder, **({"url": url} if url else {}))
        log.keep(kept)
        kept.close()
    return open_app(folder)


def report(app: App, day: dt.date = FRIDAY, now: str = EVENING, **params: str) -> Sent:
    with closing(app):
        return app.dry_run("bulk_upload", Wanted(as_of=day.isoformat(), params={"now": now, **params}))


def table(sent: Sent, title: str) -> list[dict[str, Any]]:
    """The rows of a table of the mail."""
    (block,) = [one for one in sent.produced.page.blocks if isinstance(one, Table) and one.title == title]
    return block.frame[[column.key for column in block.columns]].to_dict("records")  # type: ignore[return-value]


def figures(sent: Sent) -> dict[str, Figure]:
    (block,) = [one for one in sent.produced.page.blocks if isinstance(one, Figures)]
    return {figure.label: figure for figure in block.items}


def in_short(sent: Sent) -> list[tuple[str, str]]:
    return [tuple(row.values()) for row in table(sent, "In short")]  # type: ignore[misc]


def chart(sent: Sent, title: str) -> pd.DataFrame:
    (block,) = [one for one in sent.produced.page.blocks if isinstance(one, Chart) and one.title == title]
    return block.frame


def workbook(sent: Sent) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(sent.produced.report.attachments[0].content), data_only=True)


def rows(sheet: Any) -> list[tuple[Any, ...]]:
    """What is under the headings of a sheet."""
    return list(sheet.iter_rows(min_row=2, values_only=True))


@pytest.fixture(scope="module")
def log() -> Log:
    return month(FRIDAY)


@pytest.fixture(scope="module")
def sent(root: Path, log: Log, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    return report(laid_out(tmp_path_factory.mktemp("bad_day"), root, log))


@pytest.fixture(scope="module")
def message(sent: Sent) -> EmailMessage:
    return email.message_from_bytes(sent.message.content, policy=email.policy.default)  # type: ignore[return-value]


# -- a bad day ------------------------------------------------------------------------------------


def test_the_headline_agrees_with_the_log(sent: Sent, log: Log) -> None:
    """Uploads, rows and what failed are those of the log, counted here by hand, and so is the speed."""
    day, shown = log.on(FRIDAY), figures(sent)
    assert shown["Uploads"].value == len(day) == 11
    assert shown["Failed or partial"].value == sum(one["state"] in {"failed", "partial"} for one in day) == 4
    assert shown["Rows read"].value == sum(one["rows_read"] for one in day)
    assert shown["Rows loaded"].value == sum(one["inserted"] + one["updated"] for one in day)
    assert shown["Rows rejected"].value == sum(one["rejected"] for one in day) == 38
    went_in = [one for one in day if one["inserted"]]
    seconds = sum((one["ended"] - one["started"]).total_seconds() for one in went_in)
    assert shown["Rows a second"].value == pytest.approx(sum(one["inserted"] for one in went_in) / seconds)


def test_each_figure_is_told_against_the_working_days_before(sent: Sent, log: Log) -> None:
    """The mean of the days of the same kind in the last 30, in the note, with the change."""
    days = [FRIDAY - number * DAY for number in range(1, 31)]
    loaded = [sum(one["inserted"] for one in log.on(day)) for day in days if day.weekday() < 5]
    assert len(loaded) == 22
    mean, shown = sum(loaded) / 22, figures(sent)
    change = f"{shown['Rows loaded'].value / mean - 1:+.0%}".replace("-", "−")
    assert shown["Rows loaded"].note == f"{change} on the 30-day mean of {mean:,.0f}"
    counts = sum(len(log.on(day)) for day in days if day.weekday() < 5) / 22
    assert shown["Uploads"].note == f"{11 - counts:+.1f} on the 30-day mean of {counts:.1f}"


def test_the_day_in_short_begins_with_what_failed(sent: Sent) -> None:
    """Before any number: what is not in, what did not come, what was rejected, and only then what went well."""
    said = in_short(sent)
    assert [outcome for outcome, _ in said] == ["Failed", "Partial", "Not seen", "Rejected", "Retried", "Went in whole"]
    assert said[0][1] == "2 uploads: balances_20261127.csv; 1 went in whole later."
    assert said[1][1] == "2 uploads: loans_20261127.csv, 客户_20261127.csv."
    assert said[2][1] == "1 of 11 expected files: prices_*.csv."
    assert said[3][1].startswith("38 of ")
    assert said[3][1].endswith(" rows (0.005%) in 2 uploads, most often: wrong type (15).")
    assert said[4][1] == "5 times in 2 uploads."
    assert said[5][1].startswith("7 of 11 uploads; ")
    first = next(iter(table(sent, "In short")[0]))
    assert list(table(sent, "In short")[0]) == [first, "Friday 27 November 2026"]
    titles = [getattr(block, "title", "") for block in sent.produced.page.blocks]
    assert (
        titles.index("Failed and partial uploads")
        < titles.index("Errors by cause")
        < titles.index("Uploads of the day")
    )


def test_what_stayed_wrong_is_at_the_head(sent: Sent, root: Path, tmp_path: Path) -> None:
    """Without the upload that went in whole later; of a good day that all went in."""
    assert sent.produced.page.status == Status(text="1 failed, 2 partial, 1 not seen", tone="bad")
    good = report(laid_out(tmp_path, root, came(("a.csv", "dbo.t", "2026-11-27 06:00"))))
    assert good.produced.page.status == Status(text="All went in", tone="good")


def test_failed_uploads_come_first_with_the_error_and_what_to_do(sent: Sent) -> None:
    """File, table, error and what to do; what went in later stands last and needs nothing."""
    shown = table(sent, "Failed and partial uploads")
    assert [row["what"] for row in shown] == [
        "balances_20261127.csv into dbo.balances",
        "loans_20261127.csv into dbo.loans",
        "客户_20261127.csv into dbo.customers",
        "ledger_20261127.csv into gl.entries",
    ]
    assert "'utf-8' codec can't decode byte 0xc9 in position 759: invalid continuation byte." in shown[0]["happened"]
    assert shown[0]["do"] == "Ask for the file in UTF-8, or name its encoding."
    assert shown[1]["happened"].endswith("rows rejected (15 wrong type, 14 duplicate key, 8 missing value).")
    assert shown[3]["do"].startswith("Nothing: it went in whole at 08:")


def test_errors_are_counted_by_cause_with_a_sample_of_each(sent: Sent, log: Log) -> None:
    """As many as the log has, and the sample says file, line, column, value and reason."""
    shown = {row["cause"]: row for row in table(sent, "Errors by cause")}
    day = {one["id"] for one in log.on(FRIDAY)}
    counts = collections.Counter(one["cause"] for one in log.rejects if one["upload"] in day)
    assert {cause: row["rows"] for cause, row in shown.items() if "upload failed" not in cause} == counts
    assert shown["duplicate key"]["sample"] == (
        "loans_20261127.csv, line 37, loan_id = '0000137': Violation of PRIMARY KEY constraint 'PK_loans'"
    )
    assert shown["encoding (upload failed)"]["uploads"] == shown["connection (upload failed)"]["uploads"] == 1


def test_a_file_that_did_not_come_is_missed(sent: Sent) -> None:
    """Because it came on the Fridays before, and with when it came last."""
    (row,) = table(sent, "Expected but not seen")
    assert row["what"] == "prices_*.csv into risk.prices"
    assert row["why"] == "It came on 4 of the last 4 Fridays, by 07:00."
    assert f"{row['last_seen']:%Y-%m-%d}" == "2026-11-26"


def test_the_slowest_are_held_against_what_they_usually_take(sent: Sent, log: Log) -> None:
    """The file with another date in its name is the same file; the median of its durations is what is usual."""
    first = table(sent, "Slowest uploads")[0]
    before = [one for one in log.uploads if one["target"] == "risk.positions" and one["started"].date() < FRIDAY]
    took = pd.Series([(one["ended"] - one["started"]).total_seconds() for one in before])
    assert (first["file"], first["took"]) == ("positions.2026.11.27.parquet", "3 min 33 s")
    assert first["usual"] == f"{took.median():.0f} s"


def test_the_charts_have_every_day_with_its_rows(sent: Sent, log: Log) -> None:
    """The day and the 30 before it, days without uploads among them."""
    trend = chart(sent, "Rows loaded by day")
    assert [one.date() for one in trend["day"]] == [FRIDAY - number * DAY for number in range(30, -1, -1)]
    for name, keys in (("loaded", ("inserted", "updated")), ("rejected", ("rejected",))):
        by_hand = [sum(one[key] for one in log.on(day.date()) for key in keys) for day in trend["day"]]
        assert trend[name].tolist() == by_hand
    assert chart(sent, "Rows rejected by day")["rejected"].sum() == sum(one["rejected"] for one in log.uploads)


def test_the_workbook_has_every_rejected_row_of_the_day(sent: Sent, log: Log) -> None:
    """Each as the log has it: file, line, column, value, reason, cause and content."""
    day = {one["id"] for one in log.on(FRIDAY)}
    names = ("file", "line", "column", "value", "reason", "cause", "content")
    kept = [tuple(one[name] or None for name in names) for one in log.rejects if one["upload"] in day]
    assert [row[:7] for row in rows(workbook(sent)["Rejected"])] == sorted(kept)
    assert len(kept) == 38


def test_the_sheets_are_those_of_the_job_with_a_native_chart(sent: Sent, log: Log) -> None:
    """Summary, Uploads of the day, Rejected, Trend with its chart, Expected; totals are those of the mail."""
    book = openpyxl.load_workbook(io.BytesIO(sent.produced.report.attachments[0].content))
    assert book.sheetnames == ["Summary", "Uploads of the day", "Rejected", "Trend", "Expected", "About this report"]
    assert len(book["Trend"]._charts) == 1
    values = workbook(sent)
    uploads = rows(values["Uploads of the day"])
    assert len(uploads) == len(log.on(FRIDAY)) + 1
    assert uploads[-1][7:9] == (figures(sent)["Rows loaded"].value, figures(sent)["Rows rejected"].value)
    assert {row[2] for row in uploads[:-1]} == {"failed", "partial", "succeeded"}
    assert len(rows(values["Trend"])) == 32
    expected = {row[0]: row[2] for row in rows(values["Expected"])}
    assert expected["prices_*.csv"] == "not seen"
    assert expected["ledger_*.csv"] == "succeeded"
    assert expected["balances_*.csv"] == "failed"
    assert "limits_*.csv" not in expected, "which comes on Mondays"


def test_the_mail_has_its_charts_and_its_workbook(message: EmailMessage, sent: Sent) -> None:
    """Two pictures, one attachment, no more HTML than mail clients show, and the failures in the plain text too."""
    types = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    assert types == ["text/plain", "text/html", "image/png", "image/png", xlsx]
    assert len(sent.produced.report.html.encode()) < 90_000
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert [
        word for word in ("balances_20261127.csv", "Failed, 05:", "prices_*.csv", "Uploads") if word not in text
    ] == []


def test_a_run_made_again_is_the_same(sent: Sent, root: Path, log: Log, tmp_path: Path) -> None:
    """Of the same log and moment, byte for byte."""
    assert report(laid_out(tmp_path, root, log)).produced.report == sent.produced.report


def test_a_year_of_fifty_uploads_a_day_takes_under_two_seconds(root: Path, tmp_path: Path) -> None:
    """Of the processor's time, so that a busy machine does not fail it."""
    year = Log()
    for number in range(400):
        midnight = dt.datetime.combine(FRIDAY - number * DAY, dt.time(), dt.UTC)
        for file in range(50):
            name = f"{chr(97 + file % 26)}{file}_{midnight:%Y%m%d}.csv"
            rejects = [(line, CAUSES[line % 6]) for line in range(2, 12)] if (number + file) % 12 == 0 else ()
            state = "partial" if rejects else "succeeded"
            year.add(name, "dbo.t", midnight + file * dt.timedelta(minutes=9), state=state, rows=9_000, rejects=rejects)
    app = laid_out(tmp_path, root, year)
    report(app)
    begun = time.process_time()
    assert figures(report(app))["Uploads"].value == 50
    assert time.process_time() - begun < 2


# -- other days -----------------------------------------------------------------------------------


def test_a_day_without_uploads_says_so(root: Path, tmp_path: Path) -> None:
    """First of all, with the last upload before it and every file that was expected; nothing is made up."""
    sent = report(laid_out(tmp_path, root, month(FRIDAY - 7 * DAY)))
    said = in_short(sent)
    assert said[0][0] == "Nothing"
    assert (
        said[0][1]
        == "No uploads on Friday 27 November 2026. The last one was 客户_20261120.csv, on Friday 20 November 2026."
    )
    assert said[1][0] == "Not seen"
    assert said[1][1].startswith("11 of 11 expected files: ")
    assert {label: figure.value for label, figure in figures(sent).items() if label != "Rows a second"} == {
        "Uploads": 0, "Failed or partial": 0, "Rows rejected": 0, "Rows read": 0, "Rows loaded": 0,
    }  # fmt: skip
    assert pd.isna(figures(sent)["Rows a second"].value)
    assert figures(sent)["Rows loaded"].note.startswith("−100% on the 30-day mean of ")
    assert [
        table(sent, title) for title in ("Failed and partial uploads", "Errors by cause", "Uploads of the day")
    ] == [[], [], []]
    assert rows(workbook(sent)["Rejected"]) == [(None,) * 9]


def test_a_log_without_any_upload_is_a_report_too(root: Path, tmp_path: Path) -> None:
    """As in a project that is new, whose store is not there yet."""
    sent = report(laid_out(tmp_path, root))
    assert in_short(sent) == [("Nothing", "No uploads on Friday 27 November 2026. The log has none before it either.")]
    assert figures(sent)["Uploads"].note == "nothing to compare with yet"
    assert chart(sent, "Rows loaded by day")["loaded"].isna().all(), "which is drawn as No data"
    assert [row[1] for row in rows(workbook(sent)["Trend"])] == [0] * 32


def test_check_finds_nothing_wrong(root: Path, log: Log, tmp_path: Path) -> None:
    """In a project that is new and in one whose store has a log, with the source asked for its columns."""
    for app in (laid_out(tmp_path / "new", root), laid_out(tmp_path / "used", root, log)):
        findings = list(app.check("bulk_upload", connect=True))
        assert [one for one in findings if one.error] == []
        assert "job bulk_upload" in [one.about for one in findings]


def test_a_copy_of_the_job_reports_another_log(root: Path, tmp_path: Path) -> None:
    """Beside the shipped one, under its own name and title, over its own source."""
    laid_out(tmp_path, root, month(FRIDAY))
    (tmp_path / "log.csv").write_text("file,started,rows\na.csv,2026-11-27 06:00:00,10\n", "utf-8")
    settings = (tmp_path / "settings.toml").read_text("utf-8") + '\n[sources.etl]\nfiles = "log.csv"\n'
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    copy = shutil.copytree(tmp_path / "jobs" / "bulk_upload", tmp_path / "jobs" / "etl")
    (copy / "rejected.sql").unlink()
    (copy / "uploads.sql").write_text(
        "SELECT file, started, 'succeeded' AS state, rows AS rows_read, rows AS loaded FROM etl", "utf-8"
    )
    job = (copy / "job.toml").read_text("utf-8").replace('source  = "uploads"', 'source  = "etl"')
    (copy / "job.toml").write_text(job, "utf-8")
    with closing(open_app(tmp_path)) as app:
        sent = app.dry_run("etl", Wanted(as_of="2026-11-27", params={"now": EVENING}))
    assert figures(sent)["Rows loaded"].value == 10
    assert figures(report(app))["Uploads"].value == 11


def test_a_good_day_is_told_in_one_line(root: Path, tmp_path: Path) -> None:
    """Nothing failed, nothing is missing: no heading pretends otherwise."""
    log = Log()
    for number in range(29):
        log.add("a.csv", "dbo.a", dt.datetime(2026, 11, 27, 6, tzinfo=dt.UTC) - number * DAY, rows=1_000)
    sent = report(laid_out(tmp_path, root, log))
    assert in_short(sent) == [("Went in whole", "1 of 1 upload; 1,000 rows loaded on this day.")]
    assert figures(sent)["Rows loaded"].note == "+0.0% on the 30-day mean of 1,000"


@pytest.mark.parametrize(
    ("timezone", "days"),
    [("UTC", [27, 27, 28]), ("Asia/Shanghai", [27, 28, 28]), ("America/New_York", [26, 27, 27])],
)
def test_the_day_is_that_of_the_project(root: Path, tmp_path: Path, timezone: str, days: list[int]) -> None:
    """An upload at half past eleven in Greenwich is of the next day in Shanghai, of the same in New York."""
    log = Log()
    for name, hours in (("early", 2), ("late", 23.5), ("next", 26)):
        start = dt.datetime(2026, 11, 27, tzinfo=dt.UTC) + dt.timedelta(hours=hours)
        log.add(f"{name}.csv", "dbo.t", start, state="partial", rows=10, rejects=[(3, CAUSES[0])])
    app = laid_out(tmp_path, root, log, timezone=timezone)
    for day in (26, 27, 28):
        sent = report(app, dt.date(2026, 11, day), "2026-11-29 12:00")
        files = [
            name for name, its_day in zip(("early.csv", "late.csv", "next.csv"), days, strict=True) if its_day == day
        ]
        assert [row["what"] for row in table(sent, "Uploads of the day")] == [f"{file} into dbo.t" for file in files]
        assert [row[0] for row in rows(workbook(sent)["Rejected"]) if row[0]] == sorted(
            f"incoming/{one}" for one in files
        )


def test_an_upload_whose_process_died_is_interrupted(root: Path, tmp_path: Path) -> None:
    """Once its lease has run out; one whose lease lasts is running, and not wrong."""
    log, noon = Log(), dt.datetime(2026, 11, 27, 12, tzinfo=dt.UTC)
    log.add("dead.csv", "dbo.t", noon, state="running", seconds=None, until=noon + dt.timedelta(minutes=5))
    log.add("alive.csv", "dbo.t", noon, state="running", seconds=None, until=noon + dt.timedelta(hours=8))
    sent = report(laid_out(tmp_path, root, log))
    assert in_short(sent)[:2] == [
        ("Interrupted", "1 upload: dead.csv."), ("Running", "1 upload: alive.csv since 12:00."),
    ]  # fmt: skip
    (row,) = table(sent, "Failed and partial uploads")
    assert row["do"] == "Resume it: nobody is at work on it any more."


def test_a_failed_upload_says_what_is_in_already(root: Path, tmp_path: Path) -> None:
    """Whoever loads it again has to know that a part of it is there."""
    log = Log()
    log.add(
        "a.csv", "dbo.t", dt.datetime(2026, 11, 27, 6, tzinfo=dt.UTC), state="failed", rows=9_000, error="disk full"
    )
    log.uploads[0]["inserted"] = 8_000
    (row,) = table(report(laid_out(tmp_path, root, log)), "Failed and partial uploads")
    assert row["happened"] == "Failed, 06:00: disk full; 8,000 rows are in."
    assert row["do"] == "Make room on the server, then run it again."


def test_what_the_error_itself_says_to_do_is_what_to_do(root: Path, tmp_path: Path) -> None:
    """Errors of this program end in a line that says it; it need not be guessed from their words."""
    log = Log()
    said = "the column 'amout' is not in dbo.t\n  where: a.csv\n  do:    rename it to 'amount', then upload it again"
    log.add("a.csv", "dbo.t", dt.datetime(2026, 11, 27, 6, tzinfo=dt.UTC), state="failed", error=said)
    sent = report(laid_out(tmp_path, root, log))
    (row,) = table(sent, "Failed and partial uploads")
    assert row["happened"] == "Failed, 06:00: the column 'amout' is not in dbo.t."
    assert row["do"] == "rename it to 'amount', then upload it again"
    assert rows(workbook(sent)["Uploads of the day"])[0][11] == " ".join(said.split()), (
        "all of it, on one line of the sheet"
    )


# -- files that should come -----------------------------------------------------------------------

LISTED = """\
rates_*.csv,dbo.rates,business days,07:00,the desk marks its books by it
fees.csv,,daily,,
tax_*.csv,,mon-wed,,
late_*.csv,,fri,06:00,
early.csv,,thu-sat,06:30,
evening.csv,,daily,20:00,
"""


def came(*files: tuple[str, str, str]) -> Log:
    log = Log()
    for name, target, at in files:
        log.add(name, target, dt.datetime.fromisoformat(f"{at}+00:00"), rows=10)
    return log


def states(sent: Sent) -> dict[str, str]:
    return {row[0]: row[2] for row in rows(workbook(sent)["Expected"]) if row[0]}


def test_listed_files_are_expected_on_their_days_by_their_hours(root: Path, tmp_path: Path) -> None:
    """Not before their hour is a file missing, and one that came after it is late; on other days none is expected."""
    log = came(
        ("rates_20261126.csv", "dbo.rates", "2026-11-26 06:10"),
        ("rates_20261127.csv", "dbo.other", "2026-11-27 06:10"),
        ("in/LATE_1127.csv", "dbo.t", "2026-11-27 06:01"),
        ("early.csv", "dbo.t", "2026-11-27 06:29"),
    )
    sent = report(laid_out(tmp_path, root, log, expected=LISTED))
    assert states(sent) == {
        "rates_*.csv": "not seen", "fees.csv": "to come", "evening.csv": "to come", "late_*.csv": "succeeded, late",
        "early.csv": "succeeded",
    }  # fmt: skip
    (missing,) = table(sent, "Expected but not seen")
    assert missing["why"] == "On the list: business days, by 07:00; the desk marks its books by it."
    assert f"{missing['last_seen']:%Y-%m-%d %H:%M}" == "2026-11-26 06:10"
    assert in_short(sent)[:3] == [
        ("Not seen", "1 of 5 expected files: rates_*.csv."),
        ("To come", "2 of 5 expected files: fees.csv, evening.csv."),
        ("Late", "1 file: late_*.csv at 06:01, not by 06:00."),
    ]


def test_the_day_over_whatever_did_not_come_is_missing(root: Path, tmp_path: Path) -> None:
    """Looked at on the next day, nothing is still to come."""
    sent = report(laid_out(tmp_path, root, came(), expected=LISTED), now="2026-11-28 00:00")
    assert set(states(sent).values()) == {"not seen"}


@pytest.mark.parametrize(("day", "expected"), [(dt.date(2026, 12, 25), False), (dt.date(2026, 12, 24), True)])
def test_business_days_are_those_of_the_calendar(root: Path, tmp_path: Path, day: dt.date, *, expected: bool) -> None:
    """No file is missed on Christmas."""
    app = laid_out(tmp_path, root, came(), calendar="DE", expected="a.csv,,business days,,\n")
    assert ("a.csv" in states(report(app, day, "2026-12-31 12:00"))) is expected


@pytest.mark.parametrize(
    ("line", "said"),
    [("a.csv,,someday,,", "'someday' does not say which days"), ("a.csv,,daily,7 am,", "'7 am' is no time of the day"),
     (",,daily,,", "names none"), ("a.csv,,,,", "does not say which days")],
)  # fmt: skip
def test_a_line_that_cannot_be_understood_is_named(root: Path, tmp_path: Path, line: str, said: str) -> None:
    """With the file and its number, comments counted."""
    app = laid_out(tmp_path, root, came(), expected=line + "\n")
    number = len((root / "jobs" / "bulk_upload" / "expected.csv").read_text("utf-8").splitlines()) + 1
    with pytest.raises(ReportsError, match=said) as caught:
        report(app)
    assert caught.value.where.endswith(f"expected.csv:{number}")


def test_history_takes_most_of_the_same_weekdays(root: Path, tmp_path: Path) -> None:
    """Three of four Fridays are a habit, two of four are none, and neither is a single one in a young log."""
    fridays = [FRIDAY - 7 * number * DAY for number in range(1, 5)]
    log = came(("first.csv", "dbo.t", "2026-10-30 06:00"))
    for name, count in (("habit", 3), ("chance", 2)):
        for day in fridays[:count]:
            log.add(f"{name}_{day:%d%b%Y}.csv", "dbo.t", dt.datetime.combine(day, dt.time(6), dt.UTC), rows=10)
    sent = report(laid_out(tmp_path / "old", root, log))
    assert states(sent) == {"habit_*.csv": "not seen"}
    assert table(sent, "Expected but not seen")[0]["why"] == "It came on 3 of the last 4 Fridays, by 06:00."
    young = report(laid_out(tmp_path / "young", root, came(("a.csv", "dbo.t", "2026-11-20 06:00"))))
    assert states(young) == {}


def test_a_listed_file_is_not_expected_by_history_as_well(root: Path, tmp_path: Path) -> None:
    """The list says when it comes; that it came on other days too is no promise."""
    log = came(*[("a.csv", "dbo.t", f"{FRIDAY - 7 * number * DAY} 06:00") for number in range(1, 5)])
    assert states(report(laid_out(tmp_path, root, log, expected="a.csv,,mon,,\n"))) == {}


# -- other logs, other databases ------------------------------------------------------------------


def foreign(root: Path, folder: Path, kind: str, file: Path) -> App:
    """The job over a file of another program's log, by the queries in tests/logs and the source in the documentation."""
    page = (root / "docs" / "bulk_upload.md").read_text("utf-8")
    recipe = re.search(rf'\[sources\.uploads\]\nfiles +=( "logs/{kind}\.\w+"\n[^`]*)```', page)
    assert recipe is not None
    source = re.sub(r"logs/\w+\.\w+", file.as_posix(), f"files ={recipe[1]}", count=1)
    return laid_out(folder, root, source=source, queries=root / "tests" / "logs" / kind)


def test_the_log_of_a_pipeline(root: Path, tmp_path: Path, shared_data: Path) -> None:
    """Two runs: one failed on a byte that is no UTF-8 and gave nothing, one loaded 63,100 rows in 114.16 seconds."""
    file = shared_data / "logs" / "etl_log_azyyzme01_with_error.csv"
    sent = report(foreign(root, tmp_path, "pipeline", file), dt.date(2025, 7, 24))
    shown = {label: figure.value for label, figure in figures(sent).items()}
    assert shown == pytest.approx({
        "Uploads": 2, "Failed or partial": 1, "Rows rejected": 0, "Rows read": 63_100, "Rows loaded": 63_100,
        "Rows a second": 63_100 / 114.16,
    })  # fmt: skip
    (failed,) = table(sent, "Failed and partial uploads")
    error = "'utf-8' codec can't decode byte 0xc9 in position 759: invalid continuation byte"
    assert failed["happened"] == f"Failed, 03:10: {error}."
    assert failed["do"] == "Nothing: it went in whole at 03:12."
    assert table(sent, "Errors by cause") == [
        {"cause": "encoding (upload failed)", "rows": None, "uploads": 1, "sample": f"pipeline: {error}"}
    ]
    errors = [row[11] for row in rows(workbook(sent)["Uploads of the day"])[:-1]]
    assert errors == [error, "25 of 27 checks passed, 0 failed"]


def test_the_log_of_steps(root: Path, tmp_path: Path, shared_data: Path) -> None:
    """Four tables of 1,351, 9,050 and twice 11,503 rows; the text None is no error."""
    file = shared_data / "logs" / "etl_log_eliranelizarov.csv"
    sent = report(foreign(root, tmp_path, "steps", file), dt.date(2026, 3, 30))
    assert figures(sent)["Uploads"].value == 4
    assert figures(sent)["Rows read"].value == figures(sent)["Rows loaded"].value == 33_407
    assert in_short(sent) == [("Went in whole", "4 of 4 uploads; 33,407 rows loaded on this day.")]
    assert {row["at"] for row in table(sent, "Uploads of the day")} == {"13:11"}
    assert [row[11] for row in rows(workbook(sent)["Uploads of the day"])[:-1]] == [None] * 4


@pytest.mark.parametrize("timezone", ["UTC", "America/New_York"])
def test_the_log_of_files(root: Path, tmp_path: Path, shared_data: Path, timezone: str) -> None:
    """Four files of 344,483 rows in all, and no times: they are of the as-of date, wherever that is."""
    file = shared_data / "logs" / "etl_log_pulmivihansa.csv"
    app = foreign(root, tmp_path, "files", file)
    settings = (tmp_path / "settings.toml").read_text("utf-8").replace('"UTC"', f'"{timezone}"', 1)
    (tmp_path / "settings.toml").write_text(settings, "utf-8")
    app = open_app(tmp_path)
    sent = report(app)
    shown = {label: figure.value for label, figure in figures(sent).items() if label != "Rows a second"}
    assert shown == {
        "Uploads": 4, "Failed or partial": 0, "Rows rejected": 0, "Rows read": 344_483, "Rows loaded": 344_483,
    }  # fmt: skip
    assert [row["what"] for row in table(sent, "Uploads of the day")] == [
        "olist_customers_dataset.csv", "olist_orders_dataset.csv", "olist_order_items_dataset.csv",
        "olist_products_dataset.csv",
    ]  # fmt: skip
    assert table(sent, "Slowest uploads") == []


def test_the_session_of_bcp(root: Path, tmp_path: Path, shared_data: Path) -> None:
    """999 of 1,000 rows in 640 ms: one partial upload, one rejected row with the driver's reason."""
    file = shared_data / "logs" / "bcp_session_invalid_cast.txt"
    sent = report(foreign(root, tmp_path, "bcp", file))
    shown = {label: figure.value for label, figure in figures(sent).items()}
    assert shown == pytest.approx({
        "Uploads": 1, "Failed or partial": 1, "Rows rejected": 1, "Rows read": 1_000, "Rows loaded": 999,
        "Rows a second": 1_560.94,
    }, rel=1e-5)  # fmt: skip
    reason = "Invalid character value for cast specification"
    assert table(sent, "Failed and partial uploads") == [{
        "what": "bcp session", "happened": "Partial: 1 of 1,000 rows rejected (1 wrong type).",
        "do": "Mend the values, or the type of the column.",
    }]  # fmt: skip
    assert table(sent, "Errors by cause") == [
        {"cause": "wrong type", "rows": 1, "uploads": 1, "sample": f"bcp session: {reason}"}
    ]
    assert [row[:7] for row in rows(workbook(sent)["Rejected"])] == [
        ("bcp session", None, None, None, reason, "wrong type", None)
    ]


def test_sessions_of_bcp_follow_each_other(root: Path, tmp_path: Path) -> None:
    """One that went well, one that lost two rows, and one that gave up."""
    (tmp_path / "bcp.txt").write_text(
        "Starting copy...\n\n20 rows copied.\nClock Time (ms.) Total     : 10     Average : (2000.00 rows per sec.)\n"
        "Starting copy...\nSQLState = 22001, NativeError = 0\nError = [Microsoft][ODBC Driver 17 for SQL Server]"
        "String data, right truncation\nSQLState = 23000, NativeError = 2627\nError = [Microsoft][ODBC Driver 17 for "
        "SQL Server][SQL Server]Violation of PRIMARY KEY constraint 'PK_t'. Cannot insert duplicate key.\n\n"
        "8 rows copied.\nClock Time (ms.) Total     : 5      Average : (1600.00 rows per sec.)\n"
        "Starting copy...\nSQLState = 08001, NativeError = 53\nError = [Microsoft][ODBC Driver 17 for SQL Server]"
        "Named Pipes Provider: Could not open a connection to SQL Server [53].\n\nBCP copy in failed\n",
        "utf-8",
    )
    sent = report(foreign(root, tmp_path / "p", "bcp", tmp_path / "bcp.txt"))
    uploads = rows(workbook(sent)["Uploads of the day"])[:-1]
    assert sorted((row[2], row[6], row[7], row[8]) for row in uploads) == [
        ("failed", 0, 0, 0), ("partial", 10, 8, 2), ("succeeded", 20, 20, 0),
    ]  # fmt: skip
    causes = {row["cause"]: row["rows"] for row in table(sent, "Errors by cause")}
    assert causes == {"connection (upload failed)": None, "too long": 1, "duplicate key": 1}


def test_failures_in_other_logs_are_failures(root: Path, tmp_path: Path) -> None:
    """A step that failed, a file that failed, and rows that are read and not loaded; the log names no rejected row."""
    (tmp_path / "steps.csv").write_text(
        "step,timestamp,status,row_count,error\nExtract MRR,2026-11-27 05:00:00,Failed,0,Login failed for user 'etl'\n"
        "Transform: dim,2026-11-27 06:00:00,Success,100,None\nLoad dim,2026-11-27 06:00:00,Success,97,None\n",
        "utf-8",
    )
    (tmp_path / "files.csv").write_text(
        "file_name,rows_read,rows_loaded,status\na.csv,50,50,SUCCESS\nb.csv,50,48,SUCCESS\nc.csv,50,0,FAILED\n", "utf-8"
    )
    steps = report(foreign(root, tmp_path / "s", "steps", tmp_path / "steps.csv"))
    assert [(row["what"], row["happened"]) for row in table(steps, "Failed and partial uploads")] == [
        ("Extract MRR", "Failed, 05:00: Login failed for user 'etl'."), ("dim", "Partial, 06:00: 3 of 100 rows rejected."),
    ]  # fmt: skip
    assert [(row["cause"], row["rows"]) for row in table(steps, "Errors by cause")] == [
        ("permission (upload failed)", None), ("not told by the log", 3),
    ]  # fmt: skip
    files = report(foreign(root, tmp_path / "f", "files", tmp_path / "files.csv"))
    assert [(row["what"], row["happened"]) for row in table(files, "Failed and partial uploads")] == [
        ("c.csv", "Failed."), ("b.csv", "Partial: 2 of 50 rows rejected."),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["pipeline/uploads", "steps/uploads", "files/uploads", "bcp/uploads", "bcp/rejected"])
def test_every_recipe_is_in_the_documentation(root: Path, name: str) -> None:
    """Word for word, so that what is copied from there is what was tried here."""
    query = (root / "tests" / "logs" / f"{name}.sql").read_text("utf-8")
    assert f"```sql\n{query}```" in (root / "docs" / "bulk_upload.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [("rows_read,", "", "uploads.sql gives no column 'rows_read'"), ("    state,", "    'done' AS state,", "'done' is no state")],
)  # fmt: skip
def test_a_mapping_that_is_not_enough_is_told(
    root: Path, tmp_path: Path, log: Log, before: str, after: str, said: str
) -> None:
    """Which column it lacks, or which state is none, and in which file."""
    app = laid_out(tmp_path, root, log)
    query = tmp_path / "jobs" / "bulk_upload" / "uploads.sql"
    query.write_text(query.read_text("utf-8").replace(before, after, 1), "utf-8")
    with pytest.raises(ReportsError, match=said) as caught:
        report(app)
    assert "uploads.sql" in caught.value.where


def test_an_upload_without_a_time_is_not_lost_in_silence(root: Path, tmp_path: Path) -> None:
    """It is of no day, and the report says that there is one."""
    (tmp_path / "log.csv").write_text("file,started,rows\na.csv,2026-11-27 06:00:00,10\nb.csv,,10\n", "utf-8")
    (tmp_path / "q").mkdir()
    query = "SELECT file, started, 'succeeded' AS state, rows AS rows_read, rows AS loaded FROM uploads"
    (tmp_path / "q" / "uploads.sql").write_text(query, "utf-8")
    source = f'files = "{tmp_path / "log.csv"}"\ntypes = {{ started = "datetime" }}'
    sent = report(laid_out(tmp_path / "p", root, source=source, queries=tmp_path / "q"))
    assert in_short(sent)[-1] == ("Without a date", "1 upload of the log; in none of these numbers.")
    assert figures(sent)["Uploads"].value == 1


def test_times_of_another_log_are_in_the_zone_that_is_named(root: Path, tmp_path: Path) -> None:
    """Half past eleven at night in New York is the next day in a project of Berlin."""
    (tmp_path / "log.csv").write_text("file,started,rows\na.csv,2026-11-26 23:30:00,10\n", "utf-8")
    (tmp_path / "q").mkdir()
    query = "SELECT file, started, 'succeeded' AS state, rows AS rows_read, rows AS loaded FROM uploads"
    (tmp_path / "q" / "uploads.sql").write_text(query, "utf-8")
    source = f'files = "{tmp_path / "log.csv"}"'
    app = laid_out(tmp_path / "p", root, source=source, timezone="Europe/Berlin", queries=tmp_path / "q")
    sent = report(app, log_zone="America/New_York")
    assert [row["at"] for row in table(sent, "Uploads of the day")] == ["05:30"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from postgres.server(tmp_path_factory.mktemp("server"))


def test_a_store_in_postgresql_gives_the_same_report(
    root: Path, tmp_path: Path, log: Log, sent: Sent, server: str
) -> None:
    """Its times come as instants and not as text, and nothing else differs."""
    there = report(laid_out(tmp_path, root, log, url=server))
    assert there.produced.report.text == sent.produced.report.text
    assert rows(workbook(there)["Rejected"]) == rows(workbook(sent)["Rejected"])
