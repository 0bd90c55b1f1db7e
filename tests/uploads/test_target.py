"""Tables as people write them."""

from __future__ import annotations

import pytest

from reports.errors import DefinitionError
from reports.uploads.target import Target, parse


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("wh.loans", ("wh", "", "loans")),
        ("wh.dbo.loans", ("wh", "dbo", "loans")),
        ("wh.[my schema].[a.b]", ("wh", "my schema", "a.b")),
        ('wh."a ""b"""', ("wh", "", 'a "b"')),
        ("wh.[a]]b]", ("wh", "", "a]b")),
        ("wh.贷款", ("wh", "", "贷款")),
    ],
)
def test_a_target_is_two_or_three_names(written: str, parts: tuple[str, str, str]) -> None:
    """Brackets and quotes hold a name together."""
    assert parse(written) == Target(source=parts[0], schema=parts[1], table=parts[2])


@pytest.mark.parametrize("written", ["", "loans", "a.b.c.d", "wh.", ".loans", "wh..loans", "wh.[loans", 'wh."x"y'])
def test_anything_else_is_refused(written: str) -> None:
    """With how it is written."""
    with pytest.raises(DefinitionError, match="names no table") as error:
        parse(written)
    assert "SOURCE.SCHEMA.TABLE" in error.value.hint
