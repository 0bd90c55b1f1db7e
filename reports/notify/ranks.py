"""Which of the processes of a distributed program this one is, as its launcher told it by the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# Numbers that count over all machines come first; those of torchrun, Slurm, Open MPI, MPICH and Intel, PMIx, MVAPICH,
# Cray, Flux, LSF and Horovod. The last ones count on one machine alone, of which the second number tells.
_GLOBAL = (
    "RANK",
    "HOROVOD_RANK",
    "OMPI_COMM_WORLD_RANK",
    "PMIX_RANK",
    "PMI_RANK",
    "MV2_COMM_WORLD_RANK",
    "PALS_RANKID",
    "FLUX_TASK_RANK",
    "JSM_NAMESPACE_RANK",
    "SLURM_PROCID",
)
_LOCAL = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID")
_NODE = ("GROUP_RANK", "NODE_RANK", "SLURM_NODEID")


@dataclass(frozen=True)
class Rank:
    """The number of this process, and the variable that says so."""

    number: int
    variable: str

    @property
    def speaks(self) -> bool:
        """Whether it tells how it goes; the others tell of errors alone."""
        return self.number == 0


def rank(variable: Callable[[str], str]) -> Rank | None:
    """The rank of this process, or None where nobody has given it one. `variable` reads the environment."""
    for name in _GLOBAL:
        if (number := _number(variable(name))) is not None:
            return Rank(number, name)
    for name in _LOCAL:
        if (number := _number(variable(name))) is not None:
            node = next((node for one in _NODE if (node := _number(variable(one))) is not None), 0)
            return Rank(number if not node else max(number, 1), name)
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and text.isascii() else None
