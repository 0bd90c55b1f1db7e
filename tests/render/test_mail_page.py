"""The page on the mail says what there is, and its example is right."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from render.pages import TEMPLATES, image, sample

from reports.model import Theme
from reports.render.changes import Change
from reports.render.html import check_template, render
from reports.render.marks import Mark
from reports.render.tables import Cell, Heading
from reports.render.views import WrittenFigure, WrittenPage, WrittenSource, WrittenStatus

PAGE = (Path(__file__).parents[2] / "docs" / "mail.md").read_text("utf-8")


def test_the_example_of_a_template_is_right(tmp_path: Path) -> None:
    """It can be pasted as it stands, and says what it says it does."""
    example = re.search(r"```jinja\n(.*?)```", PAGE, re.DOTALL)
    assert example
    (tmp_path / "board.html.j2").write_text(example[1], "utf-8")
    folders = [tmp_path, TEMPLATES]
    check_template("board.html.j2", folders)
    body = render(sample(), [image()], template="board.html.j2", folders=folders)
    assert (
        '<td class="board" style="padding:24px 24px 0;font-size:14px;line-height:22px;color:#1F5A92">Dear board' in body
    )
    assert "treasury@example.com" in body
    assert "Made by reports" not in body
    assert body.index("Dear board") < body.index("Went in whole")


def test_every_block_is_named() -> None:
    """And every block named is one."""
    templates = "".join((TEMPLATES / name).read_text("utf-8") for name in ("base.html.j2", "report.html.j2"))
    table = PAGE.partition("| block |")[2].partition("\n\n")[0]
    named = {name for row in re.findall(r"(?m)^\| (`.*?) \|", table) for name in re.findall(r"`(\w+)`", row)}
    assert named == set(re.findall(r"{% block (\w+)", templates))


@pytest.mark.parametrize("of", [WrittenPage, WrittenFigure, WrittenSource, WrittenStatus, Change, Heading, Theme])
def test_every_field_is_named(of: type) -> None:
    """What a template may say of a page, in the tables at the end."""
    there = set(re.findall(r"`(?:page\.)?(\w+)`", PAGE))
    assert {field.name for field in fields(of)} <= there


@pytest.mark.parametrize("of", [Cell, Mark])
def test_every_field_of_a_cell_is_named(of: type[Cell | Mark]) -> None:
    """So are those of the cells."""
    assert set(of._fields) <= set(re.findall(r"`(\w+)`", PAGE))
