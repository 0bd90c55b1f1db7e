"""Workbooks with a password: Excel's own encryption, opened by the password and nothing else."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from msoffcrypto.exceptions import InvalidKeyError
from sealed import opened

from reports.errors import RenderError
from reports.model import Artifact, Book, Column, Sheet, Table
from reports.render import workbook
from reports.render.sealing import sealed


@pytest.fixture(scope="module")
def plain() -> Artifact:
    table = Table(frame=pd.DataFrame({"a": [1, 2]}), columns=[Column(key="a", label="A", format="integer")])
    return workbook.write(Book(file="Loans", sheets=[Sheet(name="Loans", content=table)])).artifact


def test_it_opens_with_its_password(plain: Artifact) -> None:
    """By another reader of the format too, and what comes out is what went in."""
    made = sealed(plain, "söcret 42")
    assert made.content.startswith(bytes.fromhex("d0cf11e0a1b11ae1"))
    assert (made.name, made.media_type, made.plain_sha256) == (plain.name, plain.media_type, plain.sha256)
    assert opened(made.content, "söcret 42") == plain.content
    assert openpyxl.load_workbook(io.BytesIO(opened(made.content, "söcret 42")))["Loans"]["A3"].value == 2


def test_its_bytes_are_others_each_time_and_what_is_in_it_is_not(plain: Artifact) -> None:
    """So that runs are compared by `plain_sha256`."""
    first, second = sealed(plain, "x"), sealed(plain, "x")
    assert first.sha256 != second.sha256
    assert first.plain_sha256 == second.plain_sha256


def test_another_password_does_not_open_it(plain: Artifact) -> None:
    """Nor is its content there to be read without one."""
    made = sealed(plain, "right-one").content
    with pytest.raises(InvalidKeyError):
        opened(made, "wrong-one")
    assert b"xl/workbook.xml" not in made


@pytest.mark.parametrize("password", ["", "  ", "x" * 256])
def test_a_password_that_is_none_is_an_error(plain: Artifact, password: str) -> None:
    """Nothing is sent that anybody could open, or nobody."""
    with pytest.raises(RenderError, match=r"password of Loans\.xlsx is (empty|too long)"):
        sealed(plain, password)


def test_without_the_library_the_error_names_the_command(root: Path) -> None:
    """As for every optional library."""
    code = (
        "import sys; sys.modules['msoffcrypto'] = None\n"
        "from reports.model import Artifact\nfrom reports.render.sealing import sealed\n"
        "try: sealed(Artifact(name='a.xlsx', media_type='', content=b''), 'x')\n"
        "except Exception as error: print(error)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert 'pip install "reports[password]"' in ran.stdout
