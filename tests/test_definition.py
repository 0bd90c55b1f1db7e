"""What a job.toml may say, and the JSON Schema that tells editors the same."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from reports import toml
from reports.definition import Definition, Job
from reports.errors import DefinitionError
from reports.settings import Settings


def valid(tables: dict[str, Any]) -> list[str]:
    schema = Definition.model_json_schema(by_alias=True)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(tables)]


SHORT = """
title = "Daily sales"
source = "warehouse"
to = "sales@example.com"
params = { day = "yesterday", n = 3, named = { default = "x", type = "text" } }
attach = { excel = ["by_region", { dataset = "x", total = ["y"] }] }
[[show]]
chart = "by_day"
x = "day"
y = "revenue"
"""


def test_short_forms_mean_the_long_ones() -> None:
    """A bare value is a default, a name is a sheet, a text is a list of one."""
    job = Definition.model_validate(tomllib.loads(SHORT))
    assert job.to == ("sales@example.com",)
    assert (job.params["day"].type, job.params["n"].type, job.params["named"].type) == (
        "date",
        "integer",
        "text",
    )
    assert job.attach.excel is not None
    assert [sheet.dataset for sheet in job.attach.excel.sheets] == ["by_region", "x"]


def test_the_schema_accepts_what_the_model_accepts(root: Path) -> None:
    """Editors do not underline a job that runs."""
    for path in root.glob("jobs/*/job.toml"):
        assert valid(tomllib.loads(path.read_text("utf-8"))) == []
    assert valid(tomllib.loads(SHORT)) == []


@pytest.mark.parametrize("wrong", ["title = 5", 'title = "x"\nsubjcet = "y"', 'title="x"\nattach = { excel = 4 }'])
def test_the_schema_refuses_what_the_model_refuses(wrong: str) -> None:
    """And they underline one that does not."""
    tables = tomllib.loads(wrong)
    assert valid(tables)
    with pytest.raises(ValidationError):
        Definition.model_validate(tables)


def test_the_settings_schema_accepts_the_shipped_settings(root: Path) -> None:
    """The same for settings.toml, aliases such as `from` included."""
    schema = Settings.model_json_schema(by_alias=True)
    jsonschema.validate(tomllib.loads((root / "settings.toml").read_text("utf-8")), schema)


def test_a_job_is_plain_data_that_python_may_build() -> None:
    """No folder is needed to have one."""
    job = Job(name="adhoc", title="Ad hoc")
    assert job.subject == "{title}, {as_of}"
    with pytest.raises(ValidationError):
        job.title = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "what", "hint"),
    [
        ({"kind": "small_multiples"}, "small_multiples needs the key 'by'", "panels"),
        ({"kind": "heatmap"}, "heatmap needs the key 'by'", "rows"),
        ({"by": "g"}, "'by' has no meaning in a chart of the kind line", "small_multiples, sparkline, heatmap"),
        ({"kind": "bar", "own_scales": True}, "'own_scales' has no meaning", "small_multiples"),
        ({"kind": "area", "totals": "End"}, "'totals' has no meaning", "waterfall"),
        ({"kind": "waterfall", "y": ["a", "b"]}, "waterfall draws one column, and 'y' names 2", "a chart of each"),
        ({"kind": "sparkline", "by": "g", "y": ["a", "b"]}, "sparkline draws one column", "leave 'by' out"),
    ],
)
def test_a_key_that_means_nothing_to_the_kind_of_chart_is_told(
    tmp_path: Path, options: dict[str, Any], what: str, hint: str
) -> None:
    """No key is passed over in silence; the hint says for what it is."""
    path = tmp_path / "job.toml"
    show = ", ".join(
        f"{key} = {json.dumps(value)}" for key, value in ({"chart": "c", "x": "x", "y": "v"} | options).items()
    )
    path.write_text(f'title = "T"\nshow = [{{ {show} }}]\n', "utf-8")
    document = toml.read(path, error=DefinitionError)
    with pytest.raises(DefinitionError, match=re.escape(what)) as caught:
        toml.validate(document, Definition, error=DefinitionError, root=tmp_path)
    assert hint in str(caught.value)
    assert "job.toml:2" in str(caught.value)


def test_a_picture_must_be_told_in_words() -> None:
    """Who does not see it reads its alt text, which only its author can write."""
    for alt in ({}, {"alt": ""}, {"alt": "  "}):
        with pytest.raises(ValidationError):
            Definition.model_validate({"title": "T", "show": [{"picture": "curve"} | alt]})


def test_a_sheets_chart_has_no_line_at_its_foot() -> None:
    """Excel draws it, and the workbook has a page for its sources."""
    sheet = {"dataset": "x", "chart": {"x": "day", "y": "revenue", "credit": "Own survey"}}
    with pytest.raises(ValidationError, match="'credit' is for the charts of the mail"):
        Definition.model_validate({"title": "T", "attach": {"excel": [sheet]}})
