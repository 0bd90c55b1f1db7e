"""TOML into models, with every mistake told where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import toml
from reports.definition import Definition
from reports.errors import JobError, SettingsError
from reports.settings import Settings


def problems(tmp_path: Path, text: str) -> list[JobError]:
    path = tmp_path / "job.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(JobError) as caught:
        toml.validate(toml.read(path, error=JobError), Definition, error=JobError, root=tmp_path)
    return list(caught.value.problems)


def test_an_unknown_key_names_file_line_and_nearest_key(tmp_path: Path) -> None:
    """A slip of the finger costs one look."""
    (problem,) = problems(tmp_path, 'title = "x"\n\nsubjetc = "y"\n')
    assert problem.what == "unknown key 'subjetc'"
    assert problem.where == f"{tmp_path / 'job.toml'}:3, key subjetc"
    assert "did you mean 'subject'?" in problem.hint


def test_every_mistake_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    """Nobody mends one line to be told of the next."""
    text = 'title = 5\nto = [3]\n[[show]]\ntable = "a"\nlimit = "many"\n[[show]]\nchart = "a"\nx = "m"\n'
    found = {(p.where.partition(":")[2], p.what.partition(":")[0]) for p in problems(tmp_path, text)}
    assert found == {
        ("1, key title", "title"),
        ("2, key to[0]", "to[0]"),
        ("5, key show[0].limit", "show[0].limit"),
        ("6, key show[1].y", "show[1].y"),
    }


@pytest.mark.parametrize(
    ("text", "where", "hint"),
    [
        ('title="x"\n[[show]]\ntable="a"\nlimt=3\n', "4, key show[0].limt", "'limit'"),
        ('title="x"\n[params]\nday = { default=1, typ="date" }\n', "3, key params.day.typ", "'type'"),
        (
            'title="x"\n[attach]\nexcel = [{ dataset="a", nme="b" }]\n',
            "3, key attach.excel[0].nme",
            "'name'",
        ),
        ('title="x"\n[query.loans]\nsorce = "a"\n', "3, key query.loans.sorce", "'source'"),
        ('title="x"\nsubject = "{titel}"\n', "2, key subject", "'title'"),
    ],
)
def test_the_line_is_that_of_the_key_itself(tmp_path: Path, text: str, where: str, hint: str) -> None:
    """Nested tables, arrays of tables and inline tables are all found."""
    (problem,) = problems(tmp_path, text)
    assert problem.where.endswith(where)
    assert hint in problem.hint


def test_a_block_of_no_kind_says_which_kinds_there_are(tmp_path: Path) -> None:
    """The message has the keys, not a list of models."""
    (problem,) = problems(tmp_path, 'title = "x"\n[[show]]\ntabel = "a"\n')
    assert "figures, table, chart, picture, text or callouts" in problem.what


def test_text_that_is_not_toml_names_its_line(tmp_path: Path) -> None:
    """A missing quote is found by its line."""
    path = tmp_path / "settings.toml"
    path.write_text('timezone = "UTC"\ncurrency = USD\n', "utf-8")
    with pytest.raises(SettingsError, match="not TOML") as caught:
        toml.read(path, error=SettingsError)
    assert caught.value.where == f"{path}:2"


def test_a_missing_or_unreadable_file_is_said_plainly(tmp_path: Path) -> None:
    """Neither becomes a traceback."""
    with pytest.raises(SettingsError, match="No such file"):
        toml.read(tmp_path / "settings.toml", error=SettingsError)
    (tmp_path / "settings.toml").write_bytes(b'title = "\xff"')
    with pytest.raises(SettingsError, match="not UTF-8"):
        toml.read(tmp_path / "settings.toml", error=SettingsError)


@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True), st.integers(0, 9), min_size=1, max_size=6)
)
def test_every_key_of_a_flat_file_has_its_own_line(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, int]
) -> None:
    """The line scanner never loses a key."""
    path = tmp_path_factory.mktemp("toml") / "x.toml"
    path.write_text("".join(f"{key} = {value}\n" for key, value in keys.items()), "utf-8")
    document = toml.read(path, error=SettingsError)
    assert [document.line((key,)) for key in keys] == list(range(1, len(keys) + 1))


def test_an_empty_settings_file_is_a_project(tmp_path: Path) -> None:
    """Everything has a default."""
    path = tmp_path / "settings.toml"
    path.touch()
    settings = toml.validate(toml.read(path, error=SettingsError), Settings, error=SettingsError, root=tmp_path)
    assert settings.data_folder == tmp_path / "var"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ('title="x"\nshow = ["q"]\n', "2, key show[0]", "figures, table, chart, picture, text or callouts"),
        ('title="x"\nparams = { a = [1, 2] }\n', "2, key params.a.default", "not of the type text"),
        (
            'title="x"\n[params]\nn = { default = "abc", type = "integer" }\n',
            "3, key params.n",
            "not of the type integer",
        ),
        ('title="x"\n[params]\nb = { default = 1, type = "boolean" }\n', "3, key params.b", "not of the type boolean"),
        ('title="x"\n[params]\nday = "last buisness day"\n', "3, key params.day", "not of the type date"),
        ('title="x"\nsubject = "a\\nb"\n', "2, key subject", "on one line"),
        ('title="x"\nsubject = "{as_of:d}"\n', "2, key subject", "only plain places"),
    ],
)
def test_a_value_of_the_wrong_shape_is_one_message_at_its_key(tmp_path: Path, text: str, where: str, what: str) -> None:
    """Not one for each member of a union, and not an error of the machinery."""
    (problem,) = problems(tmp_path, text)
    assert problem.where.endswith(where) or problem.where.endswith(where.removesuffix(".default"))
    assert what in problem.what


def test_a_source_that_is_no_table_is_told(tmp_path: Path) -> None:
    """Also a URL that is a number: one message, at its key."""
    path = tmp_path / "settings.toml"
    path.write_text('[sources]\ns = "d.csv"\nx = { url = 3 }\n', "utf-8")
    with pytest.raises(SettingsError) as caught:
        toml.validate(toml.read(path, error=SettingsError), Settings, error=SettingsError, root=tmp_path)
    assert [problem.where.partition(":")[2] for problem in caught.value.problems] == [
        "2, key sources.s", "3, key sources.x.url",
    ]  # fmt: skip
