"""The installed command as people type it, in projects as people have them, also in trouble."""

from __future__ import annotations

import email
import email.policy
import io
import json
from pathlib import Path

import openpyxl
import pytest
from commands import reports
from projects import JOB, QUERY, SETTINGS, make_project


def test_run_saves_the_finished_mail_and_says_where(tmp_path: Path) -> None:
    """With no account the product still does its work."""
    ran = reports(make_project(tmp_path), "run", "daily", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stderr
    (saved,) = (tmp_path / "var" / "mail").glob("*.eml")
    assert str(saved) in ran.stdout
    message = email.message_from_bytes(saved.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "Daily sales, 2026-10-31"
    assert message["To"] == "finance@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    text = message.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "North" in text
    assert "2,000.50" in text


def test_the_as_of_date_decides_what_a_relative_date_means(tmp_path: Path) -> None:
    """`yesterday` is the day before the as-of date, not before the clock's."""
    make_project(tmp_path)
    told = [
        json.loads(reports(tmp_path, "run", "daily", "--dry-run", "--json", "--as-of", day).stdout)
        for day in ("2026-10-30", "2026-10-31", "2026-11-01")
    ]
    assert [run["datasets"][0]["rows"] for run in told] == [0, 2, 2]
    assert [run["params"]["day"] for run in told] == ["2026-10-29", "2026-10-30", "2026-10-31"]


def test_dry_run_writes_every_part_and_sends_nothing(tmp_path: Path) -> None:
    """What would have gone out, to look at and to compare."""
    make_project(tmp_path, job=JOB + '[attach]\nexcel = ["by_region"]\n')
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31", "--dry-run", "--out", "out")
    assert ran.returncode == 0, ran.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "message.eml", "body.html", "body.txt", "Daily sales 2026-10-31.xlsx", "run.json",
    }  # fmt: skip
    assert not (tmp_path / "var" / "mail").exists()
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert record["deliveries"] == []
    assert record["attachments"][0]["name"] == "Daily sales 2026-10-31.xlsx"


def test_the_same_run_twice_makes_the_same_parts(tmp_path: Path) -> None:
    """Nothing in body or attachments tells when it was made."""
    make_project(tmp_path, job=JOB + '[attach]\nexcel = ["by_region"]\n')
    for out in ("first", "second"):
        reports(tmp_path, "run", "daily", "--as-of", "2026-10-31", "--dry-run", "--out", out)
    names = ["body.html", "body.txt", "Daily sales 2026-10-31.xlsx"]
    first, second = ([(tmp_path / out / name).read_bytes() for name in names] for out in ("first", "second"))
    assert first == second


def test_to_replaces_the_list(tmp_path: Path) -> None:
    """A test send never touches the real recipients."""
    ran = reports(make_project(tmp_path), "run", "daily", "--to", "me@example.com", "--json")
    assert [one["recipient"] for one in json.loads(ran.stdout)["deliveries"]] == ["me@example.com"]


@pytest.mark.parametrize(
    ("changes", "arguments", "said"),
    [
        ({"settings": SETTINGS + "\n[mial]\n"}, ["run", "daily"], ["settings.toml:11", "'mial'", "did you mean 'mail'?"]),
        ({"job": JOB + 'titel = "x"\n'}, ["run", "daily"], ["job.toml:8", "'titel'"]),
        ({"job": JOB.replace('"sales"', '"sale"')}, ["run", "daily"], ["no source 'sale'", "did you mean 'sales'?"]),
        ({}, ["run", "dialy"], ["no job 'dialy'", "did you mean 'daily'?"]),
        ({}, ["run", "daily", "-p", "dya=today"], ["no param 'dya'", "did you mean 'day'?"]),
        ({}, ["run", "daily", "--as-of", "31.10.2026"], ["'31.10.2026' is not a date", "2026-10-31"]),
        ({"settings": SETTINGS.replace('to = "finance@example.com"\n', "")}, ["run", "daily"], ["nobody to send to"]),
        ({}, ["run", "daily", "--to", "nobody"], ["nobody", "address"]),
        ({}, ["providers", "gmial"], ["gmial", "did you mean", "gmail"]),
    ],
)  # fmt: skip
def test_misuse_is_one_clear_message_and_status_2(
    tmp_path: Path, changes: dict[str, str], arguments: list[str], said: list[str]
) -> None:
    """What, where, what was meant; no traceback, nothing on stdout."""
    ran = reports(make_project(tmp_path, **changes), *arguments)
    assert ran.returncode == 2
    assert [text for text in said if text not in ran.stderr] == []
    assert "Traceback" not in ran.stderr
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"jobs/daily/by_region.sql": QUERY.replace("revenue)", "revenu)")},
            ["revenu", "sales.csv", "revenue", "region", "day"],
        ),
        ({"sales.csv": "region,day,revenue\nNorth,2026-10-30\n"}, ["sales.csv"]),
        (
            {"jobs/daily/hooks.py": "def datasets(frames, params):\n    return frames['x']\n"},
            ["KeyError: 'x'", "hooks.py:2"],
        ),
        ({"templates/report.html.j2": "{{ pagee.title }}"}, ["report.html.j2", "pagee"]),
    ],
)
def test_a_failed_run_says_why_and_has_status_1(tmp_path: Path, files: dict[str, str], said: list[str]) -> None:
    """And nothing was sent."""
    ran = reports(make_project(tmp_path, files=files), "run", "daily", "--as-of", "2026-10-31")
    assert ran.returncode == 1
    assert [text for text in said if text not in ran.stderr] == []
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "var" / "mail").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """With the source and the pattern that found nothing."""
    make_project(tmp_path)
    (tmp_path / "sales.csv").unlink()
    ran = reports(tmp_path, "run", "daily")
    assert ran.returncode == 2
    assert "the file does not exist" in ran.stderr
    assert f"{tmp_path / 'sales.csv'}" in ran.stderr
    assert "settings.toml:4, key sources.sales.files" in ran.stderr
    assert reports(tmp_path, "check").returncode == 2


def test_verbose_adds_steps_and_the_traceback(tmp_path: Path) -> None:
    """For the one who has to mend it."""
    make_project(tmp_path, files={"jobs/daily/hooks.py": "def datasets(frames, params):\n    return frames['x']\n"})
    ran = reports(tmp_path, "run", "daily", "-v")
    assert "fetched by_region from sales" in ran.stderr
    assert "Traceback" in ran.stderr


def test_list_shows_a_broken_job_beside_the_good_ones(tmp_path: Path) -> None:
    """One red row, status 0, and the command that tells more."""
    make_project(tmp_path, files={"jobs/bad/job.toml": "titel = 1\n"})
    ran = reports(tmp_path, "list")
    assert ran.returncode == 0
    assert "Daily sales" in ran.stdout
    assert "reports check bad" in ran.stdout
    assert [row["job"] for row in json.loads(reports(tmp_path, "list", "--json").stdout)] == ["bad", "daily"]


def test_check_tells_every_mistake_of_every_job(tmp_path: Path) -> None:
    """Status 2, and the good jobs are said to be good."""
    broken = {"jobs/bad/job.toml": "titel = 1\n", "jobs/worse/job.toml": 'title = "x"\n[[show]]\ntable = "t"\n'}
    make_project(tmp_path, files=broken)
    ran = reports(tmp_path, "check", "--json")
    assert ran.returncode == 2
    found = {row["about"]: [problem["what"] for problem in row["problems"]] for row in json.loads(ran.stdout)}
    assert found == {
        "job bad": ["unknown key 'titel'"],
        "job daily": [],
        "job worse": ["there is no dataset 't'"],
        "source sales": [],
        "store": [],
        "mail": [],
    }


def test_check_looks_for_the_logo(tmp_path: Path) -> None:
    """Before a report is due that could not be made without it."""
    theme = '\n[theme]\nlogo = "logo.png"\nlogo_alt = "A bank"\n'
    make_project(tmp_path, settings=SETTINGS + theme)
    ran = reports(tmp_path, "check", "--json")
    assert ran.returncode == 2
    (found,) = [row for row in json.loads(ran.stdout) if row["about"] == "theme"]
    assert "logo.png cannot be read" in found["problems"][0]["what"]


def test_check_connect_reaches_sources_and_mail(tmp_path: Path) -> None:
    """Each with what was found."""
    ran = reports(make_project(tmp_path), "check", "--connect")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "source sales: ok" in ran.stdout
    assert "mail folder: ok" in ran.stdout


def test_init_lays_out_a_project_in_which_the_sample_runs(tmp_path: Path) -> None:
    """The first minute of a new user."""
    made = reports(tmp_path, "init", "monday")
    assert made.returncode == 0, made.stderr
    ran = reports(tmp_path / "monday", "run", "cashflow", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stderr
    assert list((tmp_path / "monday" / "var" / "mail").glob("*.eml"))
    again = reports(tmp_path, "init", "monday")
    assert again.returncode == 2
    assert "not empty" in again.stderr


def test_preview_writes_one_page_that_needs_nothing_else(tmp_path: Path) -> None:
    """Pictures are inside, and nothing is sent."""
    ran = reports(make_project(tmp_path), "preview", "daily", "--no-open", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stderr
    page = Path(ran.stdout.strip()).read_text("utf-8")
    assert "Daily sales, 2026-10-31" in page
    assert "default-src 'none'" in page  # and so nothing is fetched
    assert not (tmp_path / "var" / "mail").exists()


def test_outside_a_project_the_next_step_is_said(tmp_path: Path) -> None:
    """Not a traceback, and not an empty list."""
    ran = reports(tmp_path, "list")
    assert ran.returncode == 2
    assert "reports init DIR" in ran.stderr


def test_schemas_are_json(tmp_path: Path) -> None:
    """For editors; no project is needed."""
    for what in ("job", "settings"):
        assert json.loads(reports(tmp_path, "schema", what).stdout)["type"] == "object"


def test_a_full_disk_is_an_error_and_not_a_lost_mail(tmp_path: Path) -> None:
    """The folder cannot be written: status 1, and the reason."""
    make_project(tmp_path, files={"var": "a file where the folder should be"})
    ran = reports(tmp_path, "run", "daily")
    assert ran.returncode == 1
    assert "var" in ran.stderr
    assert "Traceback" not in ran.stderr


CHINESE = """\
title = "贷款现金流"
source = "sales"
params = { day = "yesterday" }
attach = { excel = [{ dataset = "by_region", name = "按地区", labels = { region = "地区" } }] }

[[show]]
table = "by_region"
labels = { region = "地区", revenue = "收入" }

[[show]]
chart = "by_region"
kind = "bar"
x = "region"
y = "revenue"
labels = { revenue = "收入" }
"""


def test_chinese_is_right_in_subject_body_file_name_and_workbook(tmp_path: Path) -> None:
    """From the file to the cell, no letter is lost on the way."""
    make_project(tmp_path, job=CHINESE, files={"sales.csv": "region,day,revenue\n上海,2026-10-30,5\n"})
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31")
    assert ran.returncode == 0, ran.stderr
    (saved,) = (tmp_path / "var" / "mail").glob("*.eml")
    message = email.message_from_bytes(saved.read_bytes(), policy=email.policy.default)
    assert message["Subject"] == "贷款现金流, 2026-10-31"
    for kind in ("plain", "html"):
        content = message.get_body((kind,)).get_content()  # type: ignore[union-attr]
        assert [word for word in ("贷款现金流", "上海", "地区", "收入") if word not in content] == []
    (attachment,) = message.iter_attachments()
    assert attachment.get_filename() == "贷款现金流 2026-10-31.xlsx"
    sheet = openpyxl.load_workbook(io.BytesIO(attachment.get_content()))["按地区"]
    assert [cell.value for cell in sheet["A"]][:2] == ["地区", "上海"]


COLLECTING = (
    JOB
    + """
[[show]]
table = "sales_rejected"
title = "Set aside"
columns = ["file", "line", "column", "value", "reason"]
empty = "Every row was read."
"""
)
SOME_BAD = "region,day,revenue\nNorth,2026-10-30,1200.50\nSouth,2026-10-30,lots\nWest,2026-10-30\nNorth,2026-10-30,1\n"


def test_rows_that_do_not_fit_are_set_aside_and_counted_in_the_mail(tmp_path: Path) -> None:
    """With file, line, column and value; the good rows are in the numbers."""
    settings = SETTINGS.replace(
        'files = "sales.csv"', 'files = "sales.csv"\ntypes = { revenue = "number" }\non_bad_rows = "collect"'
    )
    make_project(tmp_path, settings=settings, job=COLLECTING, files={"sales.csv": SOME_BAD})
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31", "--out", "out", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["datasets"][0]["rejected"] == {"sales": 2}
    assert told["notices"][0].startswith("2 rows of sales did not fit and are not in these numbers.")
    for body in ("body.html", "body.txt"):
        content = (tmp_path / "out" / body).read_text("utf-8")
        assert [word for word in ("2 rows of sales", "sales.csv", "lots", "1,201.50") if word not in content] == []


def test_a_job_may_show_what_was_set_aside_on_good_days_too(tmp_path: Path) -> None:
    """The dataset is there without rows, and the table says so."""
    settings = SETTINGS.replace('files = "sales.csv"', 'files = "sales.csv"\non_bad_rows = "collect"')
    make_project(tmp_path, settings=settings, job=COLLECTING)
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31", "--out", "out")
    assert ran.returncode == 0, ran.stderr
    assert "Every row was read." in (tmp_path / "out" / "body.txt").read_text("utf-8")


def test_rows_that_do_not_fit_stop_a_run_that_was_not_told_to_collect(tmp_path: Path) -> None:
    """The file, the line, the column and the value, and nothing sent."""
    settings = SETTINGS.replace('files = "sales.csv"', 'files = "sales.csv"\ntypes = { revenue = "number" }')
    make_project(tmp_path, settings=settings, files={"sales.csv": SOME_BAD.replace("West,2026-10-30\n", "")})
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31")
    assert ran.returncode == 1
    assert [word for word in ("sales.csv:3", "revenue", "lots") if word not in ran.stderr] == [], ran.stderr
    assert not (tmp_path / "var" / "mail").exists()


def test_rows_set_aside_are_counted_once_however_many_queries_read_them(tmp_path: Path) -> None:
    """Two queries over one table see the same bad rows."""
    settings = SETTINGS.replace(
        'files = "sales.csv"', 'files = "sales.csv"\ntypes = { revenue = "number" }\non_bad_rows = "collect"'
    )
    files = {"sales.csv": SOME_BAD, "jobs/daily/again.sql": QUERY}
    make_project(tmp_path, settings=settings, files=files)
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31", "--json")
    assert len(json.loads(ran.stdout)["notices"]) == 1
    make_project(tmp_path, settings=settings, files=files | {"jobs/daily/sales_rejected.sql": QUERY})
    ran = reports(tmp_path, "run", "daily", "--as-of", "2026-10-31")
    assert ran.returncode == 2
    assert "second dataset 'sales_rejected'" in ran.stderr


def test_the_named_project_wins_over_the_environment(tmp_path: Path) -> None:
    """What a person types is what is meant."""
    make_project(tmp_path / "named")
    make_project(tmp_path / "other", files={"jobs/other/job.toml": 'title = "x"\n[[show]]\ntext = "y"\n'})
    environment = {"REPORTS_PROJECT": str(tmp_path / "other")}
    named = reports(tmp_path, "--project", str(tmp_path / "named"), "list", "--json", **environment)
    assert [row["job"] for row in json.loads(named.stdout)] == ["daily"]
    assert [row["job"] for row in json.loads(reports(tmp_path, "list", "--json", **environment).stdout)] == [
        "daily",
        "other",
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"templates/report.html.j2": "{% blok x %}"}, "report.html.j2:1"),
        ({"templates/report.txt.j2": "{% if %}"}, "report.txt.j2:1"),
        ({"jobs/daily/job.toml": 'title = "x"\nsource = "sales"\n'}, "shows and attaches nothing"),
        ({"jobs/lost/job.tml": "", "jobs/lost/a.sql": "SELECT 1"}, "job.toml cannot be read"),
    ],
)
def test_check_finds_it_before_a_run_does(tmp_path: Path, files: dict[str, str], said: str) -> None:
    """Templates of both parts, an empty job, a folder without its job.toml: status 2."""
    ran = reports(make_project(tmp_path, files=files), "check")
    assert ran.returncode == 2
    assert said in ran.stdout


def test_a_file_that_the_job_does_not_read_may_be_missing(tmp_path: Path) -> None:
    """Another table of the same source stops nobody else's report; `check` still tells of it."""
    settings = SETTINGS.replace('files = "sales.csv"', 'files = { sales = "sales.csv", costs = "costs.csv" }')
    make_project(tmp_path, settings=settings)
    assert reports(tmp_path, "run", "daily", "--as-of", "2026-10-31").returncode == 0
    assert "costs.csv" in reports(tmp_path, "check").stdout
