"""Lines of a program's output that tell how far it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from reports.children.output import harmless

_MOST = 64 * 1024  # bytes of a line; a longer one is none


@dataclass(frozen=True)
class Progress:
    """What a line says: the step and of how many, and numbers by name."""

    step: float | None
    total: float | None
    metrics: Mapping[str, float]


class Lines:
    """Looks for a pattern in each line of some bytes; its groups `step`, `total` and those of other names count."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern, self._rest = pattern, b""

    def add(self, chunk: bytes) -> Iterator[Progress]:
        """The lines that say how far it is, as far as they are whole."""
        *lines, rest = re.split(rb"[\r\n]+", self._rest + chunk)
        self._rest = rest if len(rest) <= _MOST else b""
        for line in lines:
            text = harmless(line).strip()
            if found := self._pattern.search(text):
                yield _progress(found)


def _progress(found: re.Match[str]) -> Progress:
    numbers = {name: number for name, said in found.groupdict().items() if (number := _number(said)) is not None}
    step, total = numbers.pop("step", None), numbers.pop("total", None)
    return Progress(step, total, numbers)


def _number(text: str | None) -> float | None:
    try:
        number = float((text or "").replace(",", "").rstrip("%"))
    except ValueError:
        return None
    return int(number) if number.is_integer() and "." not in (text or "") else number
