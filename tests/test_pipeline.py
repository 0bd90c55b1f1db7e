"""The left half: what a report says of the files that come with it."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from PIL import Image

from reports.definition import Job
from reports.hooks import apply
from reports.model import Run, Table
from reports.pipeline import Pipeline, Produced
from reports.schedules.options import Schedule
from reports.settings import Settings

SALES = pd.DataFrame({"region": ["North", "South", "West"], "revenue": [1, 2, 3]})


@pytest.fixture
def pipeline() -> Pipeline:
    attach = {"excel": {"file": "Sales 10/26: {job}.xlsx", "sheets": ["sales"]}}
    job = Job.model_validate(
        {"title": "Sales", "name": "daily", "show": [{"table": "sales", "limit": 1}], "attach": attach}
    )
    run = Run(id="r1", job="daily", as_of=dt.date(2026, 10, 31), started=dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
    return Pipeline(job=job, run=run, settings=Settings(), tell=lambda _: None)


@pytest.fixture
def produced(pipeline: Pipeline) -> Produced:
    return pipeline.render([], {"sales": SALES})


def pointing(produced: Produced) -> list[str]:
    return [block.whole_in for block in produced.page.blocks if isinstance(block, Table)]


def test_a_cut_table_names_the_file_as_it_is_attached(produced: Produced) -> None:
    """Not as the job wrote it, where no system could keep that name."""
    (book,) = produced.report.attachments
    assert book.name == "Sales 10-26- daily.xlsx"
    assert pointing(produced) == [book.name]
    assert f"all in the attachment {book.name}." in produced.report.text


def test_hooks_are_told_when_the_run_began(pipeline: Pipeline, tmp_path: Path) -> None:
    """In place of a clock, so that a run which is made again gives the same; a param of that name is the job's own."""
    hooks = tmp_path / "hooks.py"
    hooks.write_text(
        "import pandas as pd\ndef datasets(frames, params):\n    return {'told': pd.DataFrame({'at': [params['started']]})}\n",
        "utf-8",
    )
    hooked = replace(pipeline, job=pipeline.job.model_copy(update={"hooks": hooks}))
    assert hooked.transform([])["told"]["at"][0] == pipeline.run.started
    own = replace(hooked, run=replace(pipeline.run, params={"started": "at noon"}))
    assert own.transform([])["told"]["at"][0] == "at noon"


def test_a_figure_of_the_hooks_stands_in_the_mail_and_in_no_workbook(pipeline: Pipeline, tmp_path: Path) -> None:
    """Among the charts, in reading order, with its words in HTML and text; the same bytes each time."""
    hooks = tmp_path / "hooks.py"
    hooks.write_text(
        "from matplotlib.figure import Figure\n"
        "def datasets(frames, params):\n"
        "    figure = Figure()\n"
        "    figure.subplots().bar(frames['sales'].region, frames['sales'].revenue)\n"
        "    return {'bars': figure}\n",
        "utf-8",
    )
    chart = {"chart": "sales", "kind": "bar", "x": "region", "y": "revenue"}
    shown = {"show": [{"picture": "bars", "alt": "West sells most."}, chart], "attach": {"excel": ["sales"]}}
    job = Job.model_validate({"title": "Sales", "name": "daily", "hooks": hooks} | shown)
    hooked = replace(pipeline, job=job)
    first, again = (hooked.render([], apply(hooks, {"sales": SALES}, {})).report for _ in range(2))
    assert [image.name for image in first.images] == ["picture-1.png", "chart-2.png"]
    assert "cid:picture-1" in first.html
    assert "West sells most." in first.text
    assert [image.content for image in first.images] == [image.content for image in again.images]
    assert len(first.attachments) == 1


def test_a_late_report_says_so_in_subject_and_text(pipeline: Pipeline) -> None:
    """For when it was, when it was begun, and on whose clock; one in time says nothing of it."""
    job = pipeline.job.model_copy(update={"schedule": (Schedule(cron="0 7 * * *", timezone="Asia/Tokyo"),)})
    late = replace(pipeline, job=job, late="2026-11-01 07:00").render([], {"sales": SALES}).report
    assert late.subject == "LATE, for 2026-11-01 07:00: Sales, 2026-10-31"
    said = "This report is late: it was due at 2026-11-01 07:00, and begun at 2026-11-02 09:00 (Asia/Tokyo)."
    assert said in late.text
    assert said in late.html
    in_time = pipeline.render([], {"sales": SALES}).report
    assert in_time.subject == "Sales, 2026-10-31"
    assert "late" not in in_time.text


def test_more_is_said_without_computing_again(pipeline: Pipeline, produced: Produced) -> None:
    """Before what was said already; pictures, attachments and the rest are the same objects."""
    once = pipeline.restated(produced, notices=["One.", "Two."])
    twice = pipeline.restated(once, notices=["Zero."])
    assert twice.page.notices == ["Zero.", "One.", "Two."]
    assert twice.report.attachments is produced.report.attachments
    assert twice.datasets is produced.datasets
    for words in twice.page.notices:
        assert words in twice.report.html
        assert words in twice.report.text
    assert pipeline.restated(produced, notices=["One.", "Two."]) == once


def test_a_table_points_at_what_is_attached_now(pipeline: Pipeline, produced: Produced) -> None:
    """The zip that has its file, or nothing; and never at a file that was left out."""
    (book,) = produced.report.attachments
    zipped = type(book)(name=f"{book.name}.zip", media_type="application/zip", content=b"")
    assert pointing(pipeline.restated(produced, notices=[], attachments=[zipped])) == [zipped.name]
    without = pipeline.restated(produced, notices=[], attachments=[])
    assert pointing(without) == [""]
    assert "attachment" not in without.report.html + without.report.text
    assert without.report.attachments == []
    assert without.files == [book]


def test_the_status_says_what_became_of_it(pipeline: Pipeline) -> None:
    """Complete, late, or what the job says of itself."""
    assert "✓ Complete" in pipeline.render([], {"sales": SALES}).report.html
    assert "! Late" in replace(pipeline, late="2026-11-01 07:00").render([], {"sales": SALES}).report.html
    said = replace(pipeline, job=pipeline.job.model_copy(update={"status": "said"}))
    frames = {"sales": SALES, "said": pd.DataFrame({"status": ["Draft"]})}
    assert "● Draft" in said.render([], frames).report.html


def test_the_logo_goes_with_the_mail(pipeline: Pipeline, tmp_path: Path) -> None:
    """Inline, once, and beside the charts' pictures; also where something is said first."""
    Image.new("RGB", (300, 60), "#1F5A92").save(tmp_path / "logo.png")
    theme = {"logo": "logo.png", "logo_alt": "A bank", "footer": "A bank, in a street.", "accent": "#0B3D2E"}
    settings = Settings.model_validate({"theme": theme}, context={"root": tmp_path})
    themed = replace(pipeline, settings=settings)
    made = themed.render([], {"sales": SALES})
    for one in (made, themed.restated(made, notices=["One."])):
        assert [image.cid for image in one.report.images] == ["logo"]
        assert one.report.html.count('src="cid:logo" alt="A bank" width="150"') == 1
        assert "A bank, in a street." in one.report.html
        assert "A bank, in a street." in one.report.text
        assert "#1F5A92" not in one.report.html


def test_a_workbook_of_ones_own_is_filled(tmp_path: Path) -> None:
    """The template lies in the project; its table has the dataset's name, and the mail points at the file."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Region", "Revenue"])
    sheet.append(["x", 1])
    sheet.add_table(openpyxl.worksheet.table.Table(displayName="Sales", ref="A1:B2"))
    (tmp_path / "templates").mkdir()
    book.save(tmp_path / "templates" / "sales.xlsx")
    attach = {"excel": {"file": "Sales {as_of}.xlsx", "template": "templates/sales.xlsx"}}
    show = [{"table": "sales", "limit": 1}]
    job = Job.model_validate({"title": "Sales", "name": "daily", "show": show, "attach": attach, "folder": tmp_path})
    run = Run(id="r1", job="daily", as_of=dt.date(2026, 10, 31), started=dt.datetime(2026, 11, 2, tzinfo=dt.UTC))
    settings = Settings.model_validate({}, context={"root": tmp_path})
    made = Pipeline(job=job, run=run, settings=settings, tell=lambda _: None).render([], {"sales": SALES})
    (file,) = made.files
    rows = openpyxl.load_workbook(io.BytesIO(file.content)).active.iter_rows(values_only=True)  # type: ignore[union-attr]
    assert list(rows) == [("Region", "Revenue"), ("North", 1), ("South", 2), ("West", 3)]
    assert (file.name, pointing(made)) == ("Sales 2026-10-31.xlsx", ["Sales 2026-10-31.xlsx"])
