"""Files in a zip: equal files give equal bytes, whenever and wherever it is made."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Sequence

from reports.model import Artifact

MEDIA_TYPE = "application/zip"


def zipped(name: str, files: Sequence[Artifact]) -> Artifact:
    """A zip of that name with `files` in their order, under their own names, all dated 1980."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in files:
            archive.writestr(entry(file.name), file.content)
    return Artifact(name=name, media_type=MEDIA_TYPE, content=packed.getvalue(), plain_sha256=_plain(files))


def entry(name: str, *, stored: bool = False) -> zipfile.ZipInfo:
    """An entry of a zip that is the same on every day and every system; `stored` is not compressed."""
    made = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    made.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    made.create_system, made.external_attr = 3, 0o644 << 16
    return made


def _plain(files: Sequence[Artifact]) -> str:
    """What stays the same from run to run, where a file in it is encrypted and does not; else nothing."""
    if not any(file.plain_sha256 for file in files):
        return ""
    told = "".join(f"{file.name}\0{file.plain_sha256 or file.sha256}\0" for file in files)
    return hashlib.sha256(told.encode()).hexdigest()
