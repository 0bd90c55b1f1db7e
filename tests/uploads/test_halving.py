"""Batches cut in two until the bad rows stand alone."""

from __future__ import annotations

from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from reports.uploads.halving import Refused, halved


def run(count: int, bad: set[int], *, tells: bool = False) -> tuple[list[int], list[int], int]:
    """The rows that are put, in their order, those that are refused, and how many puts it took."""
    kept: list[int] = []
    refused: list[int] = []
    puts = 0

    def put(first: int, end: int) -> None:
        nonlocal puts
        puts += 1
        if wrong := sorted(bad & set(range(first, end))):
            raise Refused("no", wrong[0] - first if tells else None)
        kept.extend(range(first, end))

    halved(count, put, lambda row, _: refused.append(row))
    return kept, refused, puts


@given(st.integers(1, 300).flatmap(lambda count: st.tuples(st.just(count), st.sets(st.integers(0, count - 1)))))
def test_every_row_is_put_or_refused_once_and_in_order(case: tuple[int, set[int]]) -> None:
    """Whichever rows are bad, and whether or not the server says which."""
    count, bad = case
    for tells in (False, True):
        kept, refused, _ = run(count, bad, tells=tells)
        assert kept == [row for row in range(count) if row not in bad]
        assert refused == sorted(bad)


@given(st.sets(st.integers(0, 9999), min_size=1, max_size=20))
def test_a_few_bad_rows_cost_few_statements(bad: set[int]) -> None:
    """About twice the logarithm of the batch for each; three for each where the server says which row it was."""
    assert run(10_000, bad)[2] <= 2 * len(bad) * ceil(log2(10_000)) + 1
    assert run(10_000, bad, tells=True)[2] <= 3 * len(bad) + 1
