"""A frame as records of text, as a file would be: what a script hands over to be uploaded."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from reports.errors import SourceError
from reports.sources.stream import Piece, resized, typed_piece
from reports.sources.wording import repeated


@dataclass(frozen=True)
class Framed:
    """The rows of a frame, each value with every digit that it has; its index is left out."""

    frame: pd.DataFrame = field(repr=False)
    name: str = "(frame)"
    place: str = "(frame)"
    errors: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(map(str, self.frame.columns))

    @property
    def kinds(self) -> Mapping[str, str]:
        """Columns of texts are texts, whatever they look like."""
        texts = {str(name) for name, column in self.frame.items() if _is_text(column)}
        return dict.fromkeys(texts, "text")

    @property
    def size(self) -> int:
        return int(self.frame.memory_usage(index=False).sum())

    def fingerprint(self) -> str:
        """SHA-256 of its columns and values."""
        digest = hashlib.sha256("\x1f".join(self.names).encode())
        for piece in self.pieces(10_000):
            digest.update("".join(piece.contents).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def pieces(self, size: int, *, after: int = 0) -> Iterator[Piece]:
        digest, last = hashlib.sha256(), 0
        for rows in resized(self._rows(size), size, after):
            piece = typed_piece(rows, last, digest)
            yield replace(piece, share=piece.last / len(self.frame))
            digest.update("".join(piece.contents).encode("utf-8", "surrogateescape"))
            last = piece.last

    def _rows(self, size: int) -> Iterator[list[tuple[str | None, ...]]]:
        for start in range(0, len(self.frame), size):
            part = self.frame.iloc[start : start + size]
            columns = [_texts(part.iloc[:, n]) for n in range(part.shape[1])]
            yield list(zip(*columns, strict=True)) if columns else []


def framed(frame: Any) -> Framed:
    """A pandas frame, or what turns itself into one, as records; a SourceError where it is none."""
    if not isinstance(frame, pd.DataFrame):
        to_pandas: Callable[[], Any] | None = getattr(frame, "to_pandas", None)
        frame = to_pandas() if to_pandas else frame
    if not isinstance(frame, pd.DataFrame):
        raise SourceError(
            f"what is to be uploaded is a {type(frame).__name__}", hint="give a path, or a DataFrame of pandas"
        )
    if again := repeated([str(name) for name in frame.columns]):
        raise SourceError(f"the frame has the same column twice: {again}", hint="rename one of them")
    return Framed(frame)


def _is_text(column: pd.Series[Any]) -> bool:
    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and any(isinstance(one, str) for one in column.dropna().head(100))


def _texts(column: pd.Series[Any]) -> list[str | None]:
    missing = column.isna().to_numpy()
    values: list[Any] = column.astype(object).tolist()
    return [None if gone else _text(value) for value, gone in zip(values, missing, strict=True)]


def _text(value: Any) -> str:  # noqa: PLR0911  one way of writing for each kind of value
    if isinstance(value, str):
        return value
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        number = float(value)
        return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dt.datetime):
        return value.isoformat(" ")
    if isinstance(value, bytes | bytearray | memoryview):
        return f"0x{bytes(value).hex()}"
    return str(value)
