"""What is made of a run's blocks: a page, a workbook, and the files that they become."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from reports.model.blocks import Block, Chart, Figures, Status, Table

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One worksheet: headline figures or a table, and perhaps native charts of its columns.

    `group` are columns whose runs of equal values are added up, each under its own rows.
    """

    name: str
    content: Figures | Table
    charts: Sequence[Chart] = ()
    group: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """Produced bytes with a name and a media type; `cid` and `alt` where it is an inline image.

    `plain_sha256` is of what is in an encrypted one, whose own bytes are others each time it is made.
    """

    name: str
    media_type: str
    content: bytes = field(repr=False)
    cid: str = ""
    alt: str = ""
    width: int = 0  # CSS pixels, of an image
    plain_sha256: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Theme:
    """The project's look in plain colours, #RRGGBB, each with enough contrast where it is used.

    `on_accent` is the ink on the accent, `link` the accent as ink on white, `soft` a tint of it for grounds;
    `second` stands against the accent, as below zero against above. `footer` is said below every report.
    """

    accent: str = "#1F5A92"
    on_accent: str = "#FFFFFF"
    link: str = "#1F5A92"
    soft: str = "#F4F6F8"
    second: str = "#E08E2B"
    logo: Artifact | None = None
    footer: str = ""

    @property
    def images(self) -> list[Artifact]:
        """What goes with every mail: the logo, if there is one."""
        return [self.logo] if self.logo else []


@dataclass(frozen=True, kw_only=True)
class Book:
    """A workbook to write: its file name, its sheets in order, its look, and what it says about itself."""

    file: str
    sheets: Sequence[Sheet]
    title: str = ""
    as_of: date | None = None
    theme: Theme = Theme()
    about: About | None = None


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a dataset came from: nothing in it changes from run to run on equal input."""

    dataset: str
    source: str
    query_hash: str
    rows: int
    sql: str = ""
    set_aside: int = 0


@dataclass(frozen=True, kw_only=True)
class About:
    """What a workbook says of its own making: nothing in it changes from run to run on equal input."""

    job: str
    datasets: Sequence[Provenance] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    notices: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that the body of a report says, before it is rendered as HTML or as text.

    `notices` are sentences the reader must not miss, such as rows set aside. `compared` is the date of the run that
    figures are compared with, if there was one. Without a `status` it is whether there are notices.
    """

    title: str
    subject: str
    as_of: date
    blocks: Sequence[Block]
    notices: Sequence[str] = ()
    provenance: Sequence[Provenance] = ()
    language: str = "en"
    currency: str = "USD"
    status: Status | None = None
    compared: date | None = None
    theme: Theme = Theme()


@dataclass(frozen=True, kw_only=True)
class Report:
    """A rendered report: the same subject, html, text and attachments whoever receives it.

    `brief` is what a chat says in the place of the text, where that is shorter.
    """

    job: str
    title: str
    as_of: date
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)
    images: Sequence[Artifact] = ()
    attachments: Sequence[Artifact] = ()
    brief: str = field(default="", repr=False)
