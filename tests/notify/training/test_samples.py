"""Sample predictions, in whichever form a function gives them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from reports.notify.training.samples import asked, sorted_out

DIGIT = np.zeros((28, 28))


def test_pictures_with_captions_are_one_sheet() -> None:
    """Pairs, pairs with a judgement, pictures alone, and a dict of captions."""
    shown = sorted_out([(DIGIT, "7 taken for 1", False), (DIGIT, "3", True), DIGIT])
    ((content, alt),) = shown.images
    assert isinstance(content, bytes)
    assert content.startswith(b"\x89PNG")
    assert alt == "Sample predictions: 3 samples: 7 taken for 1; 3."
    ((_, alt),) = sorted_out({"a cat": Image.new("RGB", (4, 4)), "a dog": DIGIT}).images
    assert alt == "Sample predictions: 2 samples: a cat; a dog."
    ((_, alt),) = sorted_out((DIGIT, "alone")).images
    assert alt == "Sample predictions: 1 sample: alone."
    assert len(sorted_out(np.zeros((6, 8, 8, 3))).images) == 1  # a batch


def test_texts_stay_texts() -> None:
    """One or several, with their titles."""
    assert sorted_out("The cat sat.").text == "The cat sat."
    assert sorted_out(["The cat sat.", "The dog ran."]).text == "The cat sat.\n\nThe dog ran."
    assert sorted_out({"prompt a": "The cat sat."}).text == "prompt a: The cat sat."


def test_pairs_of_texts_are_a_table() -> None:
    """Input and prediction, or with what was expected between them."""
    shown = sorted_out([("2 + 2", "4"), ("3 + 3", "7")])
    assert shown.tables["Sample predictions"].to_dict("list") == {"Input": ["2 + 2", "3 + 3"], "Predicted": ["4", "7"]}
    assert sorted_out(("2 + 2", "4")).tables["Sample predictions"].to_dict("list") == {
        "Input": ["2 + 2"],
        "Predicted": ["4"],
    }
    triple = sorted_out([("3 + 3", "6", "7")]).tables["Sample predictions"]
    assert list(triple.columns) == ["Input", "Expected", "Predicted"]


def test_tables_stay_tables() -> None:
    """One that has the truth beside the prediction is found."""
    plain, judged = pd.DataFrame({"a": [1]}), pd.DataFrame({"truth": ["x"], "predicted": ["y"]})
    shown = sorted_out([plain, judged])
    assert list(shown.tables) == ["Sample predictions", "Sample predictions 2"]
    assert shown.judged is judged
    assert sorted_out(plain).judged is None
    assert list(sorted_out({"Worst": judged}).tables) == ["Worst"]


def test_figures_and_files_are_pictures_by_themselves(tmp_path: Path) -> None:
    """They go as they are, with what is said of them."""
    figure = Figure()
    shown = sorted_out([figure, (tmp_path / "boxes.png", "boxes"), (b"...", "bytes")])
    assert shown.images == [
        (figure, "Sample predictions"),
        (tmp_path / "boxes.png", "Sample predictions: boxes"),
        (b"...", "Sample predictions: bytes"),
    ]


@pytest.mark.parametrize("nothing", [None, [], {}])
def test_nothing_is_nothing(nothing: Any) -> None:
    """And no fault."""
    shown = sorted_out(nothing)
    assert (shown.images, shown.text, shown.tables) == ([], "", {})


@pytest.mark.parametrize("wrong", [3, [3], [object()]])
def test_what_is_no_prediction_is_an_error(wrong: Any) -> None:
    """Which the training tells, and survives."""
    with pytest.raises(TypeError):
        sorted_out(wrong)


def test_a_function_gets_as_much_as_it_takes() -> None:
    """The model, the tokenizer too, or nothing; parameters with a default are its own."""

    def given(*values: object) -> str:
        return f"{values}"

    assert asked(lambda: "none", "model", "tokenizer").text == "none"
    assert asked(lambda model: f"{model}", "model", "tokenizer").text == "model"
    assert asked(lambda model, count=3: f"{model} {count}", "model", "tokenizer").text == "model 3"
    assert asked(lambda model, words: f"{model} {words}", "model", "tokenizer").text == "model tokenizer"
    assert asked(given, "model", "tokenizer").text == "('model', 'tokenizer')"
    assert asked(lambda: (one for one in ["a", "b"])).text == "a\n\nb"
