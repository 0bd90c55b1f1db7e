"""Pictures in a mail that are not drawn here: what they are, and how large."""

from __future__ import annotations

import io

from PIL import Image, UnidentifiedImageError

from reports.errors import SettingsError
from reports.model import Artifact, size

LARGEST_LOGO = 100_000  # bytes: it goes with every mail
_WIDEST_LOGO = 240
_ENDINGS = {"PNG": "png", "JPEG": "jpg"}


def logo(content: bytes, *, place: str, width: int | None, alt: str) -> Artifact:
    """The logo as an inline image; a SettingsError where it is no PNG or JPEG, or too large to go with every mail."""
    try:
        with Image.open(io.BytesIO(content), formats=tuple(_ENDINGS)) as picture:
            kind, wide = str(picture.format), picture.width
    except (UnidentifiedImageError, OSError, ValueError) as error:
        hint = "mail clients show no others everywhere"
        raise SettingsError("the logo is not a picture in PNG or JPEG", where=place, hint=hint) from error
    if len(content) > LARGEST_LOGO:
        what = f"the logo is {size(len(content))}, and goes with every mail"
        raise SettingsError(what, where=place, hint=f"make it smaller than {size(LARGEST_LOGO)}")
    return Artifact(
        name=f"logo.{_ENDINGS[kind]}",
        media_type=f"image/{kind.lower()}",
        content=content,
        cid="logo",
        alt=alt,
        width=width or min(max(wide // 2, 16), _WIDEST_LOGO),
    )
