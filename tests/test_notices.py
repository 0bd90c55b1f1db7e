"""What an owner is told: all that is needed to act, readable as plain text, and no secret."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import make_project

from reports import notices
from reports.errors import JobError, ReportsError, SourceError
from reports.model import Delivery, Report, Run
from reports.settings import Settings
from reports.transports import mime

WHEN = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
SINCE = dt.datetime(2026, 10, 30, 3, 0, tzinfo=dt.UTC)
LOST = SourceError(
    "the database did not answer", where="source 'warehouse', query monthly.sql", hint="see whether it is up"
)
LOG = "\n".join(f"07:00:{number:02d} fetched table_{number}" for number in range(40))


def run(**changes: Any) -> Run:
    given: dict[str, Any] = {
        "id": "3f2a9c41", "job": "cashflow", "as_of": dt.date(2026, 10, 31), "started": WHEN,
        "finished": WHEN + dt.timedelta(seconds=75), "trigger": "schedule", "state": "failed",
    }  # fmt: skip
    return Run(**given | changes)


def project(root: Path = Path("nowhere"), **given: Any) -> Settings:
    return Settings.model_validate({"timezone": "Europe/Berlin", **given}, context={"root": root})


def failed(error: ReportsError | str = LOST, *, log: str = LOG, about: Run | None = None, **options: Any) -> Report:
    given: dict[str, Any] = {"title": "Loan cash flows", "settings": project()}
    return notices.failure(about or run(), error=error, log=log, **given | options)


def delivery(recipient: str, state: str, reply: str = "", hint: str = "") -> Delivery:
    return Delivery(
        id=1, message_id="<1@x.example>", run="3f2a9c41", job="cashflow", kind="report", subject="S",
        recipient=recipient, state=state, last_reply=reply, hint=hint, expires=WHEN,  # type: ignore[arg-type]
    )  # fmt: skip


def undelivered(*deliveries: Delivery, **options: Any) -> Report:
    given: dict[str, Any] = {"title": "Loan cash flows", "settings": project()}
    return notices.undelivered(run(), deliveries=deliveries, **given | options)


def words(report: Report) -> str:
    """The HTML as it is read, in one line."""
    body = re.sub(r"(?s)<(head|style|!--).*?(</\1>|-->)|<wbr>", "", report.html)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\N{NO-BREAK SPACE}", " ").split())


def in_both(report: Report, *texts: str) -> None:
    for text in texts:
        assert text in words(report)
        assert text in " ".join(report.text.split())


# -- a run that failed ----------------------------------------------------------------------------------


def test_a_failure_says_what_where_and_what_to_do() -> None:
    """In the HTML and in the text, with the job, its date and when it ran."""
    report = failed()
    assert report.subject == "Failed: Loan cash flows, 2026-10-31"
    in_both(
        report,
        "The database did not answer",
        "source 'warehouse', query monthly.sql",
        "See whether it is up",
        "cashflow",
        "as scheduled",
        "07:00",
        "2026-11-02, Europe/Berlin",
        "1 min 15 s",
        "No further mail comes about this until it works again",
    )


def test_a_failure_reads_well_as_plain_text() -> None:
    """All of it, as somebody at night reads it on a phone or in a terminal."""
    assert (
        failed(log="07:00:41 fetched loans\n    SELECT 1\n").text
        == """\
Failed: Loan cash flows
=======================
✕ Failed · As of 2026-10-31

! Please note: The database did not answer

Job        cashflow  as scheduled
Started       07:00  2026-11-02, Europe/Berlin
Ran for  1 min 15 s

Where
-----
source 'warehouse', query monthly.sql

What to do
----------
See whether it is up

The end of the log
------------------
    07:00:41 fetched loans
        SELECT 1

Look at it, and run it again
----------------------------
    reports show 3f2a9c41
    reports run cashflow --as-of 2026-10-31

No further mail comes about this until it works again; then one that says so.

----
Made by reports
"""
    )


def test_the_end_of_the_log_is_there_and_no_more() -> None:
    """The last twenty lines, long ones cut, colours of a terminal taken out."""
    report = failed(log=LOG + "\n\n\x1b[31mred\x1b[0m " + "x" * 400 + "\n")
    in_both(report, "fetched table_21", "fetched table_39", "red xxx")
    assert "table_20" not in report.text
    assert max(map(len, report.text.splitlines())) <= 310
    assert "\x1b" not in report.html + report.text


def test_spaces_and_line_breaks_of_the_log_are_kept() -> None:
    """A log is lines, in a font in which they align."""
    report = failed(log="total   1\n  part  2\n")
    code = re.search(r"<code[^>]*monospace[^>]*>(.*?)</code>", report.html, re.DOTALL)
    assert code is not None
    shown = re.sub("&nbsp;", "\N{NO-BREAK SPACE}", code[1].strip()).replace("\N{NO-BREAK SPACE}", " ")
    assert shown == "total   1<br>  part  2"


def test_a_run_by_hand_is_repeated_with_its_params() -> None:
    """The command can be pasted as it stands."""
    params = {"price": 101.5, "day": dt.date(2026, 10, 30), "desk": 'New York "A"'}
    by_hand = failed(about=run(trigger="manual", params=params))
    command = r'reports run cashflow --as-of 2026-10-31 -p price=101.5 -p day=2026-10-30 -p "desk=New York \"A\""'
    in_both(by_hand, command, "by hand")
    assert "-p price" not in failed(about=run(params=params)).text


def test_many_mistakes_are_told_each_with_its_place() -> None:
    """As `reports check` would tell them."""
    error = JobError.join(
        [
            JobError("unknown key 'titel'", where="job.toml:1, key titel", hint="did you mean 'title'?"),
            JobError("there is no dataset 'montly'", where="job.toml:6"),
        ]
    )
    in_both(
        failed(error),
        "Unknown key 'titel' (job.toml:1, key titel). Did you mean 'title'?",
        "There is no dataset 'montly' (job.toml:6).",
    )


def test_words_alone_are_an_error_too() -> None:
    """Whatever ended the run, in whatever form, and without a log."""
    report = failed("Killed <b>by</b> signal 9", log="", about=run(finished=None))
    in_both(report, "Killed <b>by</b> signal 9", "reports show 3f2a9c41")
    assert not any(title in report.text for title in ("Where", "What to do", "log", "Ran for"))


def test_an_interrupted_run_has_a_word_of_its_own() -> None:
    """It did not fail by itself."""
    error = ReportsError("the process ended", hint="see whether the machine was restarted")
    report = notices.interrupted(run(attempt=2), title="Loan cash flows", error=error, log=LOG, settings=project())
    assert report.subject == "Interrupted: Loan cash flows, 2026-10-31"
    in_both(report, "The process ended", "See whether the machine was restarted", "attempt 2, as scheduled")


def test_a_notice_goes_out_where_the_templates_are_what_is_broken(tmp_path: Path) -> None:
    """It is made by the project's own, and by the shipped ones where those fail."""
    make_project(tmp_path, files={"templates/report.html.j2": "<p>Ours: {{ page.title }}</p>"})
    assert failed(settings=project(tmp_path)).html == "<p>Ours: Failed: Loan cash flows</p>"
    make_project(tmp_path, files={"templates/report.html.j2": "{% if %}"})
    in_both(failed(settings=project(tmp_path)), "The database did not answer")


def test_a_title_that_no_header_can_carry_still_gets_its_notice() -> None:
    """It may be the very reason of the failure."""
    report = failed(title="Two\nlines\x00")
    assert report.subject == "Failed: Two lines , 2026-10-31"
    assert mime.compose(report, sender="me@x.example", to=["ops@x.example"], key="1", date=WHEN).content


# -- who did not get it ---------------------------------------------------------------------------------


def test_who_did_not_get_it_is_told_by_answer() -> None:
    """With the server's words, what they mean, and the one command."""
    report = undelivered(
        delivery("ann@x.example", "refused", "550 5.1.1 User unknown", "correct the address"),
        delivery("bob@x.example", "expired", "451 4.7.1 Greylisted"),
        delivery("cat@x.example", "expired", "451 4.7.1 Greylisted"),
    )
    assert report.subject == "Not delivered: Loan cash flows, 2026-10-31"
    in_both(report, "3 recipients did not get this report", "Correct the address", "reports outbox retry 3f2a9c41")
    assert "bob@x.example, cat@x.example Given up: it was not taken in time. The server's words: 451" in words(report)
    assert "ann@x.example Refused, and not tried again. The server's words: 550 5.1.1 User unknown" in words(report)
    assert report.text.index("bob@") < report.text.index("ann@")
    assert "twice" not in report.text


def test_what_is_not_known_is_not_said_to_be_lost() -> None:
    """And sending it again is told to be a risk."""
    report = undelivered(delivery("ann@x.example", "unknown", "the connection was lost"))
    in_both(report, "1 recipient did not get", "It may have arrived", "may then have it twice")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pending", "Not taken yet; it is tried again by itself."),
        ("sending", "Being sent."),
        ("refused", "Refused, and not tried again."),
        ("unknown", "Not known: "),
        ("expired", "Given up: "),
        ("held", "Held until somebody decides."),
        ("cancelled", "Cancelled."),
        ("accepted", "Accepted."),
    ],
)
def test_every_state_has_its_words(state: str, said: str) -> None:
    """Also one that should not be there."""
    in_both(undelivered(delivery("ann@x.example", state)), said)


def test_hundreds_of_recipients_are_counted() -> None:
    """The first of each answer are named, and so are the first answers."""
    many = [delivery(f"r{number}@x.example", "expired", "451 Busy") for number in range(300)]
    odd = [delivery(f"odd{number}@x.example", "refused", f"550 No {number}") for number in range(20)]
    report = undelivered(*many, *odd)
    in_both(report, "320 recipients", "r9@x.example and 290 more", "11 other answers, for 11 recipients")
    assert "r10@x.example" not in report.text


# -- a run that was missed --------------------------------------------------------------------------------

OFF = "no service was running from 2026-10-29 17:02:11Z to 2026-11-02 08:03:00Z"
BROKEN = "the job is broken: schedule: the minute '61' cannot be"


def missed(*reasons: str, zone: str = "Europe/Berlin", **options: Any) -> Report:
    """The notice of as many days as there are reasons, each at seven in Berlin, the last on 2 November."""
    about: dict[str, Any] = {name: options.pop(name) for name in ("job",) if name in options}
    runs = [
        run(
            id=f"run-{number}", state="missed", error=reason, started=WHEN + dt.timedelta(hours=2, minutes=3),
            as_of=(day := WHEN - (len(reasons) - 1 - number) * dt.timedelta(days=1)).date(), occurrence=day, **about,
        )
        for number, reason in enumerate(reasons)
    ]  # fmt: skip
    given: dict[str, Any] = {"title": "Loan cash flows", "settings": project(), "zone": zone}
    return notices.missed(runs[-1], runs=runs, **given | options)


def test_a_missed_run_says_when_it_was_due_and_why_nothing_came() -> None:
    """With what to look at, and how the report is made all the same."""
    report = missed(f"{OFF}; it is older than catch_up_within")
    assert report.subject == "Missed: Loan cash flows, 2026-11-02"
    in_both(
        report,
        "This report was due on Monday, 2026-11-02, at 07:00 and was not made.",
        "2026-11-02, Europe/Berlin",
        "No service was running from 2026-10-29 18:02 to 2026-11-02 09:03; it is older than catch_up_within",
        "reports service status",
        "reports check cashflow",
        "reports runs cashflow",
        "reports run cashflow --as-of 2026-11-02",
        "No further mail comes about this until it works again",
    )


def test_all_times_of_a_missed_run_are_on_the_jobs_own_clock() -> None:
    """Those in the reason too, which are kept in UTC; nobody compares two clocks."""
    report = missed(OFF, zone="Asia/Tokyo")
    in_both(report, "Monday, 2026-11-02, at 15:00", "from 2026-10-30 02:02 to 2026-11-02 17:03", "Asia/Tokyo")
    assert not re.search(r"\d\dZ", report.text)


def test_missed_runs_with_one_reason_are_one_line() -> None:
    """A week off is read at a glance, whatever came before it."""
    report = missed(BROKEN, BROKEN, *[OFF] * 8)
    in_both(report, "This report was due 10 times and was not made.")
    in_both(
        report, "Sat 2026-10-24 08:00, Sun 2026-10-25 07:00", "The job is broken: schedule: the minute '61' cannot be"
    )
    in_both(report, "8 times from Mon 2026-10-26 07:00 to Mon 2026-11-02 07:00")
    assert report.text.count("No service was running") == 1


def test_missed_runs_with_very_many_reasons_are_counted() -> None:
    """The newest are told of, and the notice stays one that people read."""
    report = missed(*(f"reason {number}" for number in range(40)))
    in_both(report, "due 40 times", "Reason 39", "30 earlier times, for other reasons, are not shown here.")
    assert "Reason 29" not in report.text


# -- it works again -------------------------------------------------------------------------------------


def test_a_recovery_says_since_when_it_had_failed() -> None:
    """And that the silence afterwards is a good one."""
    report = notices.recovery(run(state="succeeded"), title="Loan cash flows", since=SINCE, settings=project())
    assert report.subject == "Works again: Loan cash flows, 2026-10-31"
    in_both(
        report, "The run of 2026-11-02 07:00 succeeded. The job had not worked since 2026-10-30 04:00, for 3 days 3 h."
    )
    assert "Please note" not in report.html + report.text


def test_a_recovery_of_recipients_names_them() -> None:
    """That the report is made was never in doubt."""
    about = [f"r{number}@x.example" for number in range(12)]
    report = notices.recovery(run(), title="Loans", since=SINCE, about=about, settings=project())
    in_both(report, "The report reaches these again: r0@x.example, ", "r9@x.example and 2 more. It had not since")


# -- all of them ----------------------------------------------------------------------------------------

EVERY: list[Callable[..., Report]] = [
    lambda said, settings: failed(
        SourceError(said, where=said, hint=said), log="x" * 280 + said, title=said, settings=settings, banner=said
    ),
    lambda said, settings: failed(
        JobError.join([JobError(said, where=said, hint=said)] * 2), settings=settings, about=run(params={"p": said})
    ),
    lambda said, settings: failed(said, settings=settings, about=run(trigger="manual", params={"p": said}, job=said)),
    lambda said, settings: undelivered(
        delivery(said, "refused", "x" * 590 + said, said), title=said, settings=settings
    ),
    lambda said, settings: notices.recovery(run(), title=said, since=SINCE, about=[said], settings=settings),
    lambda said, settings: missed("x" * 590 + said, said, title=said, settings=settings, banner=said, job=said),
]


@pytest.mark.parametrize("number", range(len(EVERY)))
def test_no_notice_tells_a_secret(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever it stands, even cut in the middle, and with the letters that HTML writes otherwise."""
    monkeypatch.setenv("MAIL_PASSWORD", 'p&ss<"word">42')
    settings = project(mail={"password": {"env": "MAIL_PASSWORD"}})
    report = EVERY[number](f'said p&ss<"word">42, {"x" * 9}', settings)
    everything = " ".join([report.subject, report.title, report.text, words(report), html.unescape(report.html)])
    assert "p&ss" not in everything
    assert "***" in everything


@pytest.mark.parametrize(
    "make",
    [
        failed,
        lambda **more: undelivered(delivery("a@x.example", "held"), **more),
        lambda **more: missed(OFF, **more),
    ],
)
def test_outside_production_a_notice_says_whom_it_was_for(make: Callable[..., Report]) -> None:
    """The banner stands before all else."""
    report = make(banner="This is not production.")
    assert "Please note This is not production." in words(report)
    assert report.text.index("This is not production.") < report.text.index("cashflow")
