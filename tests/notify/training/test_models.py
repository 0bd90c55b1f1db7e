"""Where a model lies, and what is said of one that nobody knows. Those of the frameworks are in their own tests."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pandas as pd

from reports.notify.training.models import Summary, lies, summary


def test_a_file_is_told_with_its_size(tmp_path: Path) -> None:
    """By its whole path."""
    (tmp_path / "model.pt").write_bytes(b"." * 280_000)
    assert lies(tmp_path / "model.pt") == f"The model lies at {tmp_path / 'model.pt'} (280 kB)."
    assert lies(str(tmp_path / "model.pt")) == f"The model lies at {tmp_path / 'model.pt'} (280 kB)."


def test_a_folder_is_as_large_as_all_in_it(tmp_path: Path) -> None:
    """Folders in it too."""
    (tmp_path / "checkpoint-8" / "parts").mkdir(parents=True)
    (tmp_path / "checkpoint-8" / "config.json").write_bytes(b"." * 1000)
    (tmp_path / "checkpoint-8" / "parts" / "weights").write_bytes(b"." * 4000)
    assert lies(tmp_path / "checkpoint-8") == f"The model lies at {tmp_path / 'checkpoint-8'} (5,000 bytes)."


def test_of_many_that_fit_a_pattern_the_newest_counts(tmp_path: Path) -> None:
    """Epochs and metrics may stand in the name, and in a folder's."""
    for number, age in [(1, 30), (2, 10), (3, 20)]:
        path = tmp_path / f"run{number}" / f"w-{number:02d}-0.5.keras"
        path.parent.mkdir()
        path.write_bytes(b".")
        os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    pattern = tmp_path / "run{epoch}" / "w-{epoch:02d}-{val_loss:.1f}.keras"
    assert lies(str(pattern)) == f"The model lies at {tmp_path / 'run2' / 'w-02-0.5.keras'} (1 bytes)."


def test_what_saves_says_where(tmp_path: Path) -> None:
    """Keras' filepath; Lightning's best model, or its last one."""
    (tmp_path / "a.keras").write_bytes(b".")
    for saver in (
        SimpleNamespace(filepath=str(tmp_path / "a.keras")),
        SimpleNamespace(best_model_path=str(tmp_path / "a.keras"), last_model_path=""),
        SimpleNamespace(best_model_path="", last_model_path=str(tmp_path / "a.keras")),
    ):
        assert str(tmp_path / "a.keras") in lies(saver)


def test_nothing_there_is_told(tmp_path: Path) -> None:
    """With where it was looked for; and nothing is said where nobody asked."""
    assert lies(tmp_path / "none.pt") == f"The model was to lie at {tmp_path / 'none.pt'}, but nothing is there."
    assert "nothing is there" in lies(str(tmp_path / "w{epoch}.pt"))
    assert lies(None) == ""
    assert lies(object()) == ""


def test_a_text_or_a_table_may_describe_a_model() -> None:
    """Of anything else nothing is said."""
    table = pd.DataFrame({"part": ["tree"]})
    assert summary("400 trees") == Summary(text="400 trees")
    assert summary(table).table is table
    assert summary(object()) == Summary()
    assert summary(None) == Summary()
