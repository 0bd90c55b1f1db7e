"""Scheduled reports from databases and files, by mail and chat, with the proof of who got what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from reports.uploads.result import Uploaded

__version__ = "0.1.0"


def upload(  # noqa: PLR0913  as many as the command has options
    frame_or_path: Any,
    table: str,
    *,
    mode: Literal["append", "replace", "upsert"] = "append",
    key: str | Sequence[str] = (),
    create: bool = False,
    batch: int = 10_000,
    on_error: Literal["collect", "stop"] = "collect",
    max_rejected: int = 10_000,
    again: bool = False,
    resume: bool = False,
    source: str = "",
    notify: str | Sequence[str] = (),
    project: str | Path = "",
) -> Uploaded:
    """Puts a file, or a DataFrame of pandas, into the table SOURCE.TABLE or SOURCE.SCHEMA.TABLE of a project.

    Args:
        frame_or_path: what to upload; of a frame the index is left out.
        table: the table, by the name of its source in settings.toml.
        mode: append; replace, all rows at once, at the end; or upsert, by the columns in `key`.
        key: the columns by which an upsert finds rows, and the primary key of a table that is made.
        create: make the table if it is not there, with types from the values.
        batch: rows of one transaction.
        on_error: collect the rows that do not go in, or stop at the first.
        max_rejected: more rows than that stop the upload.
        again: even if these very bytes are in the table already.
        resume: go on with an upload of this file that did not come to its end.
        source: the source of files in settings.toml that says how the file is read.
        notify: addresses, or groups of settings.toml, that are told at the end.
        project: the project's folder; else the nearest settings.toml upwards.

    Returns:
        What came of it, with counts and the first rejected rows. What goes wrong once rows go in is in its `error`.

    Raises:
        ReportsError: not a row was tried: no such file, source, table or column, bytes that are in the table already,
            no permission, or no database.
    """
    from reports.app import open_app  # noqa: PLC0415  so that importing reports costs nothing
    from reports.project import find_root  # noqa: PLC0415
    from reports.uploads.desk import one_of  # noqa: PLC0415
    from reports.uploads.order import Order  # noqa: PLC0415
    from reports.uploads.target import parse  # noqa: PLC0415

    order = Order(
        target=parse(table), mode=mode, keys=(key,) if isinstance(key, str) else tuple(key), create=create, batch=batch,
        stop=on_error == "stop", most=max_rejected, again=again, resume=resume, reading=source,
    )  # fmt: skip
    item = Path(frame_or_path).absolute() if isinstance(frame_or_path, str | Path) else frame_or_path
    app = open_app(find_root(Path(project) if project else None))
    try:
        return one_of(app.upload([item], order, notify=(notify,) if isinstance(notify, str) and notify else notify))
    finally:
        app.close()
