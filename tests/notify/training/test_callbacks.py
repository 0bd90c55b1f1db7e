"""The callbacks where their framework is absent, whether or not it is here."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "library", "callback"),
    [
        ("keras", "keras", "KerasCallback"),
        ("lightning", "lightning", "LightningCallback"),
        ("huggingface", "transformers", "HuggingFaceCallback"),
    ],
)
def test_a_framework_that_is_absent_is_named_with_how_to_get_it(module: str, library: str, callback: str) -> None:
    """When the callback is imported, and not before: the monitor for plain loops needs none."""
    program = f"""
import sys
sys.modules[{library!r}] = None  # as if it were not installed
from reports.errors import MissingDependency
from reports.notify.training import Training
try:
    import reports.notify.training.{module}
except MissingDependency as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert f"{callback} needs {library}, which is not installed" in ran.stdout
    assert f"pip install {library}" in ran.stdout


def test_the_monitor_imports_no_framework() -> None:
    """They are large, and a plain loop may use none of them."""
    program = "import sys\nimport reports.notify.training\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    assert not {"keras", "torch", "lightning", "transformers", "jax", "tensorflow"} & set(ran.stdout.split())
