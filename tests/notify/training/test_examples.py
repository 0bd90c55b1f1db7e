"""The examples of the page on trainings, run as they stand: with small models, and a mail server that takes the mails."""

from __future__ import annotations

import email
import importlib
import re
import warnings
from email import policy
from pathlib import Path
from typing import Any

import pytest
from frameworks import absent
from mailserver import MailServer

from reports.notify import boxes
from reports.notify.training.samples import sorted_out

PAGE = Path(__file__).parents[3] / "docs" / "training_monitors.md"
NEEDS = {"keras": "keras", "lightning": "lightning", "huggingface": "transformers"}
MODEL = "model.predict("  # in the example of a function of predictions, which is Keras'


def examples() -> list[Any]:
    """Each with the module of the callback that it imports, by which it is marked and may be skipped."""
    found = []
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL), start=1):
        named = re.search(r"reports\.notify\.training\.(\w+)", text)
        framework = named[1] if named else "keras" if MODEL in text else ""
        library = NEEDS.get(framework, "")
        marks = [pytest.mark.training] if library else []
        if library and (reason := absent(library)):
            marks.append(pytest.mark.skip(reason=reason))
        found.append(pytest.param(framework, text, id=f"{number}-{framework or 'plain'}", marks=marks))
    return found


def surroundings(framework: str) -> dict[str, Any]:
    """What an example takes as given."""
    if framework == "keras":
        small = importlib.import_module("small_keras")
        return {"keras": small.keras, "model": small.network(), "x": small.PICTURES, "y": small.LABELS}
    if framework == "lightning":
        small = importlib.import_module("small_lightning")

        def lightning_trainer(**options: Any) -> Any:
            return small.lightning.Trainer(
                **options, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False
            )

        return {
            "Trainer": lightning_trainer, "module": small.Module(), "train_rows": small.rows(), "validation_rows": small.rows(),
        }  # fmt: skip
    if framework == "huggingface":
        small = importlib.import_module("small_bert")
        arguments = small.transformers.TrainingArguments(
            "bert", num_train_epochs=2, report_to=[], use_cpu=True, disable_tqdm=True, eval_strategy="epoch",
            logging_steps=2, save_strategy="no",
        )  # fmt: skip
        return {
            "Trainer": small.transformers.Trainer,
            "model": small.model(),
            "arguments": arguments,
            "rows": small.Sentences(),
        }
    return {
        "epochs": 3, "rate": 0.1, "model": "a small net", "train_one_epoch": lambda _: (0.5, 0.8), "validate": lambda _: (0.6, 0.7),
    }  # fmt: skip


@pytest.mark.parametrize(("framework", "text"), examples())
def test_every_example_does_what_it_says(framework: str, text: str, account: MailServer) -> None:
    """It can be copied as it stands: the end of the training is told by its name, with curves and the model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the frameworks, of their own
        given = surroundings(framework)
        exec(compile(text, str(PAGE), "exec"), given)  # noqa: S102  what the page says
        if MODEL in text:
            ((_, alt),) = sorted_out(given["predictions"](given["model"])).images
            assert alt.startswith("Sample predictions: 12 samples: ")
            return
    boxes.close_all()
    came = [email.message_from_bytes(one.content, policy=policy.default) for one in account.messages]
    if ".update(" not in text and not framework:  # a training that is made, and does nothing yet
        assert came == []
        return
    name = re.search(r'(?:Training|Callback|watch)\("(\w+)"', text)
    assert name is not None
    assert came[-1]["Subject"].startswith(f"Finished: {name[1]} on ")
    said = " ".join(came[-1].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "Training loss" in said
    assert sum(part.get_content_type() == "image/png" for part in came[-1].walk()) >= 1
    if framework:
        assert re.search(r"The model has [\d,]+ parameters\.", said)
        assert "metrics.csv" in {part.get_filename() for part in came[-1].walk()}


def test_there_are_examples_of_every_kind() -> None:
    """Or nothing would have been run."""
    kinds = [one.values[0] for one in examples()]
    assert {kind: kinds.count(kind) for kind in {"", *NEEDS}} == {"": 3, "keras": 3, "lightning": 1, "huggingface": 2}
