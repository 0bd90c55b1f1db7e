"""Workbooks that open with a password alone, by Excel's own encryption (agile, AES-256).

Its bytes are others each time, for the same workbook and password: what can be compared is `plain_sha256`.
"""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from reports.errors import MissingDependency, RenderError
from reports.model import Artifact

LONGEST = 255
"""Characters that Excel takes as a password."""


def sealed(workbook: Artifact, password: str) -> Artifact:
    """The workbook encrypted under its own name; a RenderError for a password that nobody could type in Excel."""
    if not password.strip() or len(password) > LONGEST:
        raise RenderError(
            f"the password of {workbook.name} is {'empty' if not password.strip() else 'too long'}",
            where=workbook.name,
            hint=f"give it 1 to {LONGEST} characters, where attach.excel.password says",
        )
    out = io.BytesIO()
    _library().OOXMLFile(io.BytesIO(workbook.content)).encrypt(password, out)
    return replace(workbook, content=out.getvalue(), plain_sha256=workbook.sha256)


def _library() -> Any:
    try:
        from msoffcrypto.format import ooxml  # noqa: PLC0415  an optional library, needed for passwords alone
    except ImportError as error:
        raise MissingDependency("msoffcrypto-tool", extra="password", purpose="a workbook with a password") from error
    return ooxml
