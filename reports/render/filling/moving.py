"""References after a table has grown or shrunk: rows below it move, ranges over it follow its new end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from openpyxl.formula import Tokenizer
from openpyxl.formula.tokenizer import Token
from openpyxl.utils.cell import column_index_from_string

_RANGE = re.compile(r"(\$?)([A-Z]{1,3})(\$?)(\d+)(?::(\$?)([A-Z]{1,3})(\$?)(\d+))?", re.IGNORECASE)
_ROWS = re.compile(r"(\$?)(\d+):(\$?)(\d+)")


@dataclass(frozen=True, kw_only=True)
class Move:
    """A table's rows on one sheet before and after: from `first` to `last`, and to `end` from now on.

    `left` and `right` are its columns, counted from 1; `head` is the row of its headings.
    """

    sheet: str
    head: int
    first: int
    last: int
    end: int
    left: int
    right: int

    @property
    def by(self) -> int:
        return self.end - self.last

    def row(self, number: int) -> int:
        """Where a row is now; one that is gone is where the table ends."""
        return number + self.by if number > self.last else min(number, max(self.end, self.first))

    def reference(self, text: str) -> str:
        """Cells of this sheet: A1 or A1:B5."""
        return _ROWS.sub(self._rows, text) if _ROWS.fullmatch(text) else _RANGE.sub(self._cells, text)

    def references(self, text: str) -> str:
        """Several, with blanks between them."""
        return " ".join(self.reference(one) for one in text.split())

    def formula(self, text: str, sheet: str) -> str:
        """A formula that stands on `sheet`, or on none."""
        if self.by == 0:
            return text
        found = Tokenizer(text if text.startswith("=") else f"={text}")
        for token in found.items:
            if token.type == Token.OPERAND and token.subtype == Token.RANGE:
                token.value = self._operand(token.value, sheet)
        rendered: str = found.render()  # type: ignore[no-untyped-call]
        return rendered if text.startswith("=") else rendered[1:]

    def _operand(self, text: str, sheet: str) -> str:
        named, mark, cells = text.rpartition("!")
        there = named.strip("'").replace("''", "'") if mark else sheet
        return f"{named}{mark}{self.reference(cells)}" if there.casefold() == self.sheet.casefold() else text

    def _cells(self, found: re.Match[str]) -> str:
        top_mark, left, row_mark, top, end_mark, right, last_mark, bottom = found.groups()
        if bottom is None:
            return f"{top_mark}{left}{row_mark}{self.row(int(top))}"
        follows = self._is_over(left, right, int(top), int(bottom))
        end = self.end if follows else self.row(int(bottom))
        start = f"{top_mark}{left}{row_mark}{self.row(int(top))}"
        return f"{start}:{end_mark}{right}{last_mark}{max(end, self.row(int(top)))}"

    def _rows(self, found: re.Match[str]) -> str:
        top_mark, top, end_mark, bottom = found.groups()
        return f"{top_mark}{self.row(int(top))}:{end_mark}{self.row(int(bottom))}"

    def _is_over(self, left: str, right: str, top: int, bottom: int) -> bool:
        """Whether a range ends with the table's rows and lies within its columns, or around them."""
        columns = sorted((column_index_from_string(left.upper()), column_index_from_string(right.upper())))
        shares = columns[0] <= self.right and columns[1] >= self.left
        return shares and bottom == self.last and self.head <= top <= self.first
