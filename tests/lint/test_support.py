"""The table of what clients show, and what we say of each feature."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path

import pytest

from reports.lint.support import CLIENTS, effect, effects, features


def test_every_answer_is_one_of_four(root: Path) -> None:
    """Yes, in part, no, unknown, for each client, of a few hundred features."""
    found = features().values()
    assert len({one.name for one in found}) > 290
    assert all(set(one.answers.values()) <= set("yanu") and set(one.answers) == set(CLIENTS) for one in found)


def test_the_table_says_where_it_is_from(root: Path) -> None:
    """With its date and its licence."""
    head = (root / "reports" / "lint" / "caniemail.csv").read_text("utf-8").splitlines()[:3]
    assert "github.com/hteumeuleu/caniemail" in head[1]
    assert "MIT License" in head[2]


@pytest.mark.parametrize(
    ("written", "client", "answer"),
    [
        ("prop:border-radius", "word", "n"),
        ("value:display=flex", "gmail_other", "n"),
        ("value:display=flex", "gmail_app", "y"),
        ("prop:box-shadow", "gmail_other", "y"),
        ("prop:box-shadow", "gmail_app", "n"),
        ("tag:style", "gmail_other", "n"),
        ("image:data", "gmail", "n"),
        ("image:svg", "gmail_other", "y"),
        ("media:prefers-color-scheme", "outlook", "y"),
        ("prop:color-scheme", "yahoo", "n"),
    ],
)
def test_known_facts_are_in_it(written: str, client: str, answer: str) -> None:
    """Also Gmail's app told apart by whose account a mail is read in."""
    assert features()[written].answers[client] == answer


def test_what_is_said_is_said_of_features_there_are(root: Path) -> None:
    """A feature that is renamed must not fall out unseen; none is graded twice."""
    with (root / "reports" / "lint" / "effects.toml").open("rb") as file:
        tables = tomllib.load(file)
    names = [name for table in tables.values() for name in table]
    rows = (root / "reports" / "lint" / "caniemail.csv").read_text("utf-8").splitlines()
    known = {row["feature"] for row in csv.DictReader(line for line in rows if not line.startswith("#"))}
    assert set(names) <= known
    assert len(names) == len(set(names))
    assert all(one.instead for one in effects().values() if one.grade != "harmless")


def test_what_is_not_named_degrades_and_selectors_do_not() -> None:
    """So that a new feature is a warning, until somebody has thought about it."""
    assert effect(features()["unit:in"]).grade == "degrades"
    assert effect(features()["pseudo:hover"]).grade == "harmless"
