"""Pictures in a mail: the logo, and what becomes of those that would make the mail too heavy.

A picture may have 400 kB, all of them 1.5 MB: a phone loads that in seconds, and with a third more for their transport
encoding it leaves most of a small mailbox's 10 MB to the attachments. What is over goes through steps, the heaviest
picture first: 256 colours, then three quarters and half of its points, and at last no picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

from reports.errors import DefinitionError, SettingsError
from reports.limits import PICTURE, PICTURES
from reports.model import Artifact, size

LARGEST_LOGO = 100_000  # bytes: it goes with every mail
_WIDEST_LOGO = 240
_SHARES = (1.0, 0.75, 0.5)  # of the points on each side
_ENDINGS = {"PNG": "png", "JPEG": "jpg", "GIF": "gif"}  # what every client shows
PNG, JPEG = "image/png", "image/jpeg"
WIDEST = 550
"""CSS pixels: the width of a mail's column."""
_TALLEST = 1600
_INCH = 96
_QUALITY = 85


def logo(content: bytes, *, place: str, width: int | None, alt: str) -> Artifact:
    """The logo as an inline image; a SettingsError where it is no PNG or JPEG, or too large to go with every mail."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
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


@dataclass(frozen=True)
class _Step:
    """A picture as it was drawn, how many steps it has gone, and what has become of it; nothing at the end."""

    drawn: Artifact
    taken: int
    now: Artifact | None

    @property
    def weight(self) -> int:
        return len(self.now.content) if self.now else 0

    def next(self) -> _Step:
        """One step further, to something smaller."""
        for taken in range(self.taken, len(_SHARES)):
            smaller = _smaller(self.drawn, _SHARES[taken])
            if len(smaller.content) < self.weight:
                return _Step(self.drawn, taken + 1, smaller)
        return _Step(self.drawn, len(_SHARES), None)


def fit(
    pictures: Sequence[Artifact], tell: Callable[[str], None], *, each: int = PICTURE, every: int = PICTURES
) -> list[Artifact | None]:
    """The pictures, none heavier than `each` and all no heavier than `every` bytes; None is one that is left out.

    `tell` is told of every one that is no longer as it was drawn.
    """
    steps = [_Step(picture, 0, picture) for picture in pictures]
    while steps and (sum(step.weight for step in steps) > every or max(step.weight for step in steps) > each):
        heaviest = max(range(len(steps)), key=lambda place: steps[place].weight)
        steps[heaviest] = steps[heaviest].next()
    for step in steps:
        if step.now is not step.drawn:
            became = f"made {size(step.weight)}, with fewer colours or points" if step.now else "left out"
            tell(f"{step.drawn.name} is {size(len(step.drawn.content))}, too heavy for a mail: {became}")
    return [step.now for step in steps]


def _smaller(drawn: Artifact, share: float) -> Artifact:
    """A picture with 256 colours and a share of its points on each side, a photograph with all of its colours.

    The same bytes for the same picture. One that moves is not made smaller.
    """
    made = io.BytesIO()
    with Image.open(io.BytesIO(drawn.content)) as opened:
        if getattr(opened, "is_animated", False):
            return drawn
        picture = ImageOps.exif_transpose(opened)
        points = (max(round(picture.width * share), 1), max(round(picture.height * share), 1))
        whole = picture.convert("RGB").resize(points, Image.Resampling.LANCZOS) if share < 1 else picture.convert("RGB")
        if drawn.media_type == JPEG:
            whole.save(made, "JPEG", quality=_QUALITY, optimize=True)
            return replace(drawn, content=made.getvalue())
        whole.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    name = drawn.name if drawn.media_type == PNG else f"{drawn.name.rpartition('.')[0]}.png"
    return replace(drawn, name=name, media_type=PNG, content=made.getvalue())


# -- pictures that somebody has ----------------------------------------------------------------------


def is_picture(given: object) -> bool:
    """Whether it is an image of Pillow."""
    return isinstance(given, Image.Image)


def encoded(picture: Any) -> bytes:
    """An image of Pillow as a file: a PNG, or a JPEG where that is too heavy for a mail and nothing shines through."""
    image: Image.Image = picture
    see_through = image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info
    plain = image if image.mode in {"1", "L", "LA", "P", "RGB", "RGBA"} else image.convert("RGB")
    content = _saved(plain, "PNG", optimize=True)
    if len(content) <= PICTURE or see_through:
        return content
    return min(content, _saved(plain.convert("RGB"), "JPEG", quality=_QUALITY, optimize=True), key=len)


def inline(content: bytes, *, name: str, alt: str, number: int, where: str = "") -> Artifact:
    """A picture to be shown in a mail, at most 550 CSS pixels wide; what clients do not show becomes a PNG.

    A DefinitionError where it is no picture, or one that is broken.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            kind, wide = str(picture.format), _css_pixels(picture)
            shown = content if kind in _ENDINGS else _saved(picture.convert("RGBA"), "PNG", optimize=True)
    except Exception as error:  # its decoders raise anything
        hint = "PNG, JPEG, GIF, WebP, BMP and TIFF can be shown; attach what else there is"
        raise DefinitionError(
            f"{name or 'what is given'} is no picture that can be read", where=where, hint=hint
        ) from error
    return Artifact(
        name=_named(name or f"picture-{number}", _ENDINGS.get(kind, "png")),
        media_type=f"image/{kind.lower()}" if kind in _ENDINGS else PNG,
        content=shown,
        cid=f"picture-{number}",
        alt=alt,
        width=wide,
    )


def _named(name: str, ending: str) -> str:
    """The name with the ending of what is in the file."""
    path = PurePath(name)
    return name if path.suffix.lower().removeprefix(".").replace("jpeg", "jpg") == ending else f"{path.stem}.{ending}"


def _css_pixels(picture: Image.Image) -> int:
    """As wide as it was made to be seen: a picture with many points to the inch is not that much larger."""
    density = picture.info.get("dpi", (0, 0))[0]
    wide = picture.width * _INCH / density if density > _INCH else picture.width
    return max(1, min(round(wide), WIDEST, round(_TALLEST * picture.width / picture.height)))


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    made = io.BytesIO()
    picture.save(made, kind, **options)
    return made.getvalue()
