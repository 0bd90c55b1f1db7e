"""The workbook's shared strings, which its cells name by number."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from reports.render.cells import is_plain, markup


@dataclass
class Strings:
    """Texts that repeat, each once; and runs of texts that hardly do, which are asked for when they are written.

    So what is in memory does not grow with the rows of a column of ids. Numbers are counted from `first`.
    """

    first: int = 0
    _numbers: dict[str, int] = field(default_factory=dict)
    _runs: list[Callable[[], Iterator[list[str]]]] = field(default_factory=list)
    _count: int = 0

    def __post_init__(self) -> None:
        self._count = self.first

    def tail(self, text: str) -> str:
        """The tail of a cell with this text."""
        number = self._numbers.setdefault(text, self._count)
        self._count += number == self._count
        return f' t="s"><v>{number}</v></c>'

    def run(self, count: int, texts: Callable[[], Iterator[list[str]]]) -> int:
        """Numbers for `count` texts, which `texts` will give in this order, many at a time; the first of them."""
        first = self._count
        self._count += count
        self._runs.append(texts)
        return first

    def xml(self) -> Iterator[str]:
        """The items of the table, in the order of their numbers, many at a time."""
        return map(_items, self._ordered())

    def _ordered(self) -> Iterator[list[str]]:
        runs, at, shared = iter(self._runs), self.first, list[str]()
        for text, number in self._numbers.items():
            if at < number:
                yield shared
                shared = []
                while at < number:
                    for block in next(runs)():
                        yield block
                        at += len(block)
            shared.append(text)
            at += 1
        yield shared
        for rest in runs:
            yield from rest()


def _items(texts: list[str]) -> str:
    """Many texts at once where none of them needs a second look: blanks that are no spaces are not printable."""
    if not texts:
        return ""
    joined = "\n".join(texts)
    if is_plain("".join(texts)) and "\n " not in f"\n{joined}" and " \n" not in f"{joined}\n":
        return f"<si><t>{escape(joined)}</t></si>".replace("\n", "</t></si><si><t>")
    return "".join(map(_item, texts))


def _item(text: str) -> str:
    space = ' xml:space="preserve"' if text != text.strip() or "\n" in text else ""
    return f"<si><t{space}>{markup(text)}</t></si>"
