"""The values that cross a border."""

from __future__ import annotations

import pytest

from reports.model import Query, size


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 bytes"), (9_999, "9,999 bytes"), (279_431, "279 kB"), (35_882_577, "35.9 MB"), (30_000_000, "30.0 MB")],
)
def test_sizes_are_said_in_powers_of_ten(count: int, said: str) -> None:
    """The same everywhere: in the command's answer, a provider's row and a server's limit."""
    assert size(count) == said


def test_the_same_query_has_the_same_hash() -> None:
    """And another text another one, whatever its name."""
    one, other = (Query(name=name, sql="SELECT 1", source="s") for name in "ab")
    assert one.hash == other.hash != Query(name="a", sql="SELECT 2", source="s").hash
