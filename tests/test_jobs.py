"""Folders into jobs, each mistake told by file and line, and no user code run."""

from __future__ import annotations

from pathlib import Path

import pytest
from projects import JOB, QUERY, SETTINGS, make_project

from reports import jobs
from reports.app import open_app
from reports.definition import Job
from reports.errors import JobError


def load(folder: Path, **changes: str | dict[str, str]) -> Job:
    make_project(folder, **changes)  # type: ignore[arg-type]
    return jobs.load("daily", open_app(folder).settings)


def problem(folder: Path, **changes: str | dict[str, str]) -> JobError:
    with pytest.raises(JobError) as caught:
        load(folder, **changes)
    (only,) = caught.value.problems
    return only


def test_a_folder_becomes_a_job_with_its_queries(tmp_path: Path) -> None:
    """The .sql file is the dataset of its name, against the job's source."""
    job = load(tmp_path)
    assert (job.name, job.title, [q.name for q in job.queries], job.queries[0].source, job.hooks) == (
        "daily", "Daily sales", ["by_region"], "sales", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "what", "where", "hint"),
    [
        ({"job": JOB.replace('"sales"', '"sale"')}, "no source 'sale'", "job.toml:2, key source", "'sales'"),
        ({"job": JOB.replace('"by_region"', '"region"')}, "no dataset 'region'", "job.toml:6, key show[0].table", "by_region"),
        ({"job": JOB + "[[show]]\npicture = 'curve'\nalt = 'x'\n"}, "no hooks draw the picture 'curve'", "job.toml:9, key show[1].picture", "hooks.py"),
        ({"job": 'template = "x.html.j2"\n' + JOB}, "no template 'x.html.j2'", "job.toml:1, key template", "report.html.j2"),
        (
            {"job": JOB + "[attach.excel]\ntemplate = 'none.xlsx'\n"},
            "no template 'none.xlsx'", "key attach.excel.template", "templates",
        ),
        ({"job": JOB + "[attach.excel]\ntemplate = '../../../x.xlsx'\n"}, "not in the project's folder", "key attach.excel.template", ""),
        ({"files": {"jobs/daily/by_region.sql": QUERY.replace(":day", ":dya")}}, "no param 'dya'", "by_region.sql:3", "'day'"),
        ({"files": {"jobs/daily/more.sql": " \n"}}, "more.sql is empty", "more.sql", "delete it"),
        ({"job": JOB + "[query.by_regoin]\nsource='sales'\n"}, "no query 'by_regoin'", "job.toml:8, key query.by_regoin", "'by_region'"),
        ({"job": 'oversize = ["zip", "zip"]\n' + JOB}, "'zip' stands in oversize twice", "job.toml:1, key oversize", "once"),
        ({"job": 'oversize = ["fail", "zip"]\n' + JOB}, "nothing comes after the step 'fail'", "job.toml:1, key oversize", "last"),
        ({"job": 'oversize = ["zip", "link"]\n' + JOB}, "'link' has no address", "job.toml:1, key oversize", "base_url"),
        ({"job": JOB.replace('source = "sales"\n', "")}, "no source for by_region.sql", "job.toml", "sales"),
    ],
)  # fmt: skip
def test_each_mistake_is_one_message_with_place_and_nearest_name(
    tmp_path: Path, changes: dict[str, str], what: str, where: str, hint: str
) -> None:
    """What happened, where, and what was probably meant."""
    error = problem(tmp_path, **changes)
    assert what in error.what
    assert where in error.where
    assert hint in error.hint


def test_links_alone_are_enough_where_they_have_an_address(tmp_path: Path) -> None:
    """And where they have none, another step may follow."""
    linked = load(
        tmp_path, job='oversize = "link"\n' + JOB, settings=SETTINGS + '[store]\nbase_url = "https://x.example"\n'
    )
    assert linked.oversize == ("link",)
    assert load(tmp_path, job='oversize = ["link", "leave_out"]\n' + JOB).oversize == ("link", "leave_out")


def test_a_broken_job_stops_no_other(tmp_path: Path) -> None:
    """One red row; the others are there."""
    make_project(tmp_path, files={"jobs/bad/job.toml": "titel = 1\n", "jobs/ugly/job.toml": "=\n"})
    loaded = jobs.load_all(open_app(tmp_path).settings)
    assert [isinstance(job, JobError) for job in loaded.values()] == [True, False, True]
    assert list(loaded) == ["bad", "daily", "ugly"]


def test_reading_jobs_runs_no_user_code(tmp_path: Path) -> None:
    """hooks.py that would fail is not even imported."""
    job = load(tmp_path, files={"jobs/daily/hooks.py": "raise SystemExit('imported')\n"})
    assert job.hooks == tmp_path / "jobs/daily/hooks.py"


def test_an_unknown_job_names_the_nearest(tmp_path: Path) -> None:
    """`reports run dayly` is answered with `daily`."""
    make_project(tmp_path)
    with pytest.raises(JobError, match="no job 'dayly'") as caught:
        jobs.load("dayly", open_app(tmp_path).settings)
    assert "did you mean 'daily'?" in caught.value.hint


def test_colons_in_strings_casts_and_comments_are_no_parameters(tmp_path: Path) -> None:
    """Only what would be bound must have a param."""
    query = "SELECT ':x' AS a, 1::int AS b, '12:30' AS c -- :y\n, :as_of AS d /* :z */\n"
    assert load(tmp_path, files={"jobs/daily/by_region.sql": query}).queries[0].sql == query


def test_each_query_may_name_its_own_source(tmp_path: Path) -> None:
    """Two sources in one report."""
    settings = SETTINGS.replace("[mail]", '[sources.other]\nfiles = "sales.csv"\n[mail]')
    job = load(tmp_path, settings=settings, job=JOB + '[query.by_region]\nsource = "other"\n')
    assert job.queries[0].source == "other"


def test_words_that_the_job_nowhere_says_are_told(tmp_path: Path) -> None:
    """A mistyped one; not what job.toml, a query, hooks or a column's name say."""
    words = {
        "Daily sales": "Tagesumsatz",
        "Daily sale": "x",
        "Revenue": "Umsatz",
        "Best day": "Bester Tag",
        "Open": "Offen",
    }
    told = "".join(f'"{text}" = "{said}"\n' for text, said in words.items())
    hooks = "def datasets(frames, params):\n    return {}  # says 'Best day'\n"
    query = QUERY + "\n-- 'Open' as it stands in the rows\n"
    job = load(
        tmp_path,
        job=JOB + f"[words.de]\n{told}",
        files={"jobs/daily/hooks.py": hooks, "jobs/daily/by_region.sql": query},
    )
    assert jobs.unsaid(job) == [("de", "Daily sale")]
