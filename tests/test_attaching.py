"""The files of a run: what a job names is attached, kept, pointed at and packed."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from projects import JOB, make_project
from sealed import opened

from reports import export, jobs
from reports.app import Wanted, open_app
from reports.attaching import Attaching
from reports.definition import Job
from reports.errors import JobError, RenderError
from reports.model import About, Artifact, Theme
from reports.render.locales import Locale

AS_OF = dt.date(2026, 10, 31)
FRAMES = {"sales": pd.DataFrame({"region": ["North", "=1"], "revenue": [1.5, 2.0]}), "by_day": pd.DataFrame({"n": [1]})}


def made(
    attach: Mapping[str, Any], frames: Mapping[str, pd.DataFrame] = FRAMES
) -> tuple[dict[str, Artifact], dict[str, str], list[str]]:
    said: list[str] = []
    job = Job.model_validate({"title": "Sales: Q4", "name": "daily", "attach": attach})
    attached = Attaching(
        job=job,
        as_of=AS_OF,
        about=About(job="daily"),
        before=None,
        root=Path(),
        locale=Locale(),
        theme=Theme(),
        tell=said.append,
    ).make(frames)
    return {file.name: file for file in attached.files}, dict(attached.whole_in), said


def test_files_come_in_the_order_of_the_page_under_safe_names() -> None:
    """The workbook first; each flat file after its dataset and the day, unless it has a name."""
    files, whole_in, said = made(
        {"csv": ["by_day", {"dataset": "sales", "file": "a/b: {as_of}"}], "parquet": ["sales"], "excel": ["sales"]}
    )
    assert {name: file.media_type.rpartition(".")[2] for name, file in files.items()} == {
        "Sales- Q4 2026-10-31.xlsx": "sheet",
        "By day 2026-10-31.csv": "text/csv",
        "a-b- 2026-10-31.csv": "text/csv",
        "Sales 2026-10-31.parquet": "parquet",
    }
    assert whole_in == {"sales": "Sales- Q4 2026-10-31.xlsx", "by_day": "By day 2026-10-31.csv"}
    assert said == ["a-b- 2026-10-31.csv, column region: 1 texts that a spreadsheet would evaluate begin with ' now"]


def test_a_csv_file_has_the_columns_asked_for() -> None:
    """In their order, under their labels."""
    files, _, _ = made({"csv": [{"dataset": "sales", "columns": ["revenue", "region"], "labels": {"region": "Where"}}]})
    rows = csv.reader(io.StringIO(files["Sales 2026-10-31.csv"].content.decode("utf-8-sig")))
    assert list(rows) == [["revenue", "Where"], ["1.5", "North"], ["2.0", "'=1"]]


def test_all_in_one_zip() -> None:
    """The same files inside, and tables point at the zip."""
    plain, _, _ = made({"csv": ["sales"], "excel": ["by_day"]})
    files, whole_in, _ = made({"csv": ["sales"], "excel": ["by_day"], "zip": True})
    (packed,) = files.values()
    assert packed.name == "Sales- Q4 2026-10-31.zip"
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            name: file.content for name, file in plain.items()
        }
    assert whole_in == {"sales": packed.name, "by_day": packed.name}
    assert list(made({"csv": ["sales"], "zip": "{job}.zip"})[0]) == ["daily.zip"]
    assert list(made({"csv": ["sales"], "zip": False})[0]) == ["Sales 2026-10-31.csv"]


def test_two_files_of_one_name_are_an_error() -> None:
    """Whatever the case of their letters: one would replace the other on disk."""
    with pytest.raises(RenderError, match=r"two attachments are called Sales 2026-10-31\.csv") as caught:
        made({"csv": ["sales", {"dataset": "by_day", "file": "SALES {as_of}.CSV"}]})
    assert "'file'" in caught.value.hint


@pytest.mark.parametrize(
    ("attach", "what"),
    [
        ({"csv": ["nothing"]}, "there is no dataset 'nothing'"),
        ({"csv": [{"dataset": "sales", "columns": ["revenu"]}]}, "sales as a file: there is no column 'revenu'"),
        ({"csv": [{"dataset": "sales", "labels": {"x": "X"}}]}, "there is no column 'x'"),
        ({"parquet": [{"dataset": "sales", "columns": ["x"]}]}, "there is no column 'x'"),
    ],
)
def test_a_name_that_is_not_there_is_told(attach: Mapping[str, Any], what: str) -> None:
    """As it is for what is shown."""
    with pytest.raises(RenderError, match=what):
        made(attach)


def test_a_column_name_that_stands_twice_is_told() -> None:
    """A reader by name could not tell the two."""
    with pytest.raises(RenderError, match="two columns are called 'a'"):
        made({"csv": ["x"]}, {"x": pd.DataFrame([[1, 2]], columns=["a", "a"])})


@pytest.mark.parametrize(
    ("attach", "what", "where"),
    [
        ('csv = ["by_regoin"]', "no dataset 'by_regoin'", "key attach.csv[0].dataset"),
        ('parquet = ["by_regoin"]', "no dataset 'by_regoin'", "key attach.parquet[0].dataset"),
        ('csv = [{ dataset = "by_region", delimitre = ";" }]', "unknown key 'delimitre'", "key attach.csv[0].delimitre"),
        ('csv = [{ dataset = "by_region", decimal = "," }]', "decimal and delimiter are the same", "key attach.csv[0].decimal"),
        ('excel = { sheets = ["by_region"], password = "x" }', "a secret is never written here", "key attach.excel.password"),
        ('zip = "{when}.zip"', "nothing is called 'when'", "key attach.zip"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_before_anything_runs(tmp_path: Path, attach: str, what: str, where: str) -> None:
    """With file, line and key."""
    make_project(tmp_path, job=f"{JOB}\n[attach]\n{attach}\n")
    with pytest.raises(JobError) as caught:
        jobs.load("daily", open_app(tmp_path).settings)
    assert what in str(caught.value)
    assert where in str(caught.value)


def test_a_job_that_only_attaches_is_one(tmp_path: Path) -> None:
    """Its files are written by --out, and are in run.json."""
    make_project(
        tmp_path,
        job='title = "Sales"\nsource = "sales"\nparams = { day = "yesterday" }\nattach = { csv = ["by_region"] }\n',
    )
    app = open_app(tmp_path)
    sent = app.dry_run("daily", Wanted(as_of="2026-11-01"))
    export.write(sent, tmp_path / "out")
    assert (tmp_path / "out" / "By region 2026-11-01.csv").read_bytes().startswith(b"\xef\xbb\xbfregion,revenue\r\n")
    record = json.loads((tmp_path / "out" / "run.json").read_text("utf-8"))
    assert [one["name"] for one in record["attachments"]] == ["By region 2026-11-01.csv"]


def test_a_password_is_kept_out_of_everything(tmp_path: Path) -> None:
    """It opens the workbook that was sent, and stands in no log, record or mail."""
    (tmp_path / "secret").write_text("opensesame-42\n", "utf-8")
    attach = '[attach.excel]\nsheets = ["by_region"]\npassword = { file = "secret" }\n'
    make_project(tmp_path, job=JOB + attach)
    app = open_app(tmp_path)
    sent = app.run("daily", Wanted(as_of="2026-11-01"))
    history = app.show(sent.run.id)
    content = app.artifact(history, "Daily sales 2026-11-01.xlsx")
    assert openpyxl.load_workbook(io.BytesIO(opened(content, "opensesame-42"))).sheetnames[0] == "By region"
    told = f"{history}{export.record(sent)}{sent.produced.report.text}{sent.message.content!r}"
    assert "opensesame" not in told
    assert sent.produced.files[0].plain_sha256
    app.close()
