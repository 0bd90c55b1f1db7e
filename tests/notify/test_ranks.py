"""Promises of ranks: which process of a distributed program speaks."""

from __future__ import annotations

import pytest

from reports.notify.ranks import Rank, rank


@pytest.mark.parametrize(
    ("environment", "number"),
    [
        ({"RANK": "0", "LOCAL_RANK": "0", "SLURM_PROCID": "3"}, 0),  # torchrun inside of Slurm
        ({"RANK": "12", "LOCAL_RANK": "0"}, 12),  # the first process of the second machine
        ({"SLURM_PROCID": "3", "SLURM_LOCALID": "0"}, 3),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_LOCAL_RANK": "0"}, 1),
        ({"PMI_RANK": "0"}, 0),
        ({"LOCAL_RANK": "2"}, 2),
        ({"LOCAL_RANK": "0"}, 0),
        ({"LOCAL_RANK": "0", "NODE_RANK": "1"}, 1),  # Lightning on the second machine: not the first process
        ({"RANK": "sergeant", "SLURM_PROCID": "1"}, 1),  # a variable that means something else
    ],
)
def test_launchers_tell_the_rank(environment: dict[str, str], number: int) -> None:
    """That of all machines where it is told."""
    found = rank(lambda name: environment.get(name, ""))
    assert found is not None
    assert found.number == number
    assert found.speaks == (number == 0)


def test_a_program_by_itself_has_none() -> None:
    """And speaks."""
    assert rank(lambda _: "") is None
    assert Rank(0, "RANK").speaks
