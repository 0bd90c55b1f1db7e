"""A job's own Python: plain pandas, and its mistakes told by file and line."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from reports import hooks
from reports.errors import HookError, LoanError
from reports.model import is_figure

FRAMES = {"sales": pd.DataFrame({"revenue": [1.0, 2.0]})}


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "job" / "hooks.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_returned_frames_are_added_to_the_datasets(tmp_path: Path) -> None:
    """The query's own frames stay unless the hook replaces them."""
    path = write(tmp_path, "def datasets(frames, params):\n    return {'top': frames['sales'].head(params['n'])}\n")
    made = hooks.apply(path, FRAMES, {"n": 1})
    assert {name: len(frame) for name, frame in made.items()} == {"sales": 2, "top": 1}


@pytest.mark.parametrize(
    ("text", "what", "line"),
    [
        ("def datasets(frames, params):\n    return frames['salse']\n", "KeyError: 'salse'", ":2"),
        ("import nowhere_to_be_found\n", "No module named 'nowhere_to_be_found'", ":1"),
        ("def datasets(frames, params)\n", "expected ':'", ":1"),
        ("def dataset(frames, params): ...\n", "no function datasets", ""),
        ("def datasets(frames, params): ...\n", "returned NoneType, not a dict", ""),
        ("def datasets(frames, params): return {'a': 3}\n", "returned int under 'a', not a frame", ""),
    ],
)
def test_a_mistake_names_the_file_and_the_line(tmp_path: Path, text: str, what: str, line: str) -> None:
    """Whatever user code raises is told as what it is and where it was."""
    path = write(tmp_path, text)
    with pytest.raises(HookError) as caught:
        hooks.apply(path, FRAMES, {})
    assert what in caught.value.what
    assert caught.value.where == f"{path}{line}"


def test_errors_of_ours_pass_as_they_are(tmp_path: Path) -> None:
    """A loan the engine refuses is not disguised as a fault of the hook."""
    path = write(
        tmp_path,
        "from reports.errors import LoanError\ndef datasets(frames, params): raise LoanError('loan 7')\n",
    )
    with pytest.raises(LoanError, match="loan 7"):
        hooks.apply(path, FRAMES, {})


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import sys\nsys.exit(0)\n", "SystemExit: 0"),
        ("def datasets(frames, params):\n    raise SystemExit\n", "SystemExit"),
        ("def datasets(frames, params):\n    return {1: frames['sales']}\n", "under 1; names are texts"),
        ("import pandas as pd\ndef datasets(frames, params):\n    return {'a': pd.DataFrame([[1, 2]], columns=['x', 'x'])}\n", "'x' more than once"),
    ],
)  # fmt: skip
def test_a_hook_cannot_end_a_run_in_silence(tmp_path: Path, text: str, what: str) -> None:
    """Leaving is an error, and so is what no block could show rightly."""
    with pytest.raises(HookError) as caught:
        hooks.apply(write(tmp_path, text), FRAMES, {})
    assert what in caught.value.what


def test_column_names_that_are_no_texts_become_texts(tmp_path: Path) -> None:
    """A pivot by year can be shown."""
    text = "import pandas as pd\ndef datasets(frames, params):\n    return {'a': pd.DataFrame([[1, 2]], columns=['x', 2024])}\n"
    assert list(hooks.apply(write(tmp_path, text), FRAMES, {})["a"].columns) == ["x", "2024"]


def test_a_matplotlib_figure_may_be_returned_beside_frames(tmp_path: Path) -> None:
    """It comes through as it is, under its name."""
    text = (
        "from matplotlib.figure import Figure\n"
        "def datasets(frames, params): return {'curve': Figure(), 'top': frames['sales'].head(1)}\n"
    )
    made = hooks.apply(write(tmp_path, text), FRAMES, {})
    assert [name for name, one in made.items() if is_figure(one)] == ["curve"]


def test_axes_are_told_from_their_figure(tmp_path: Path) -> None:
    """What pandas' plot returns is not the figure; the hint says what to return."""
    text = "from matplotlib.figure import Figure\ndef datasets(frames, params): return {'curve': Figure().subplots()}\n"
    with pytest.raises(HookError, match="returned Axes under 'curve', not a frame or a matplotlib Figure") as caught:
        hooks.apply(write(tmp_path, text), FRAMES, {})
    assert "return figure" in caught.value.hint
