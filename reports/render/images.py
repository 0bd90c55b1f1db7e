"""Pictures in a mail: the logo, and what becomes of those that would make the mail too heavy.

A picture may have 400 kB, all of them 1.5 MB: a phone loads that in seconds, and with a third more for their transport
encoding it leaves most of a small mailbox's 10 MB to the attachments. What is over goes through steps, the heaviest
picture first: 256 colours, then three quarters and half of its points, and at last no picture.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from PIL import Image, UnidentifiedImageError

from reports.errors import SettingsError
from reports.limits import PICTURE, PICTURES
from reports.model import Artifact, size

LARGEST_LOGO = 100_000  # bytes: it goes with every mail
_WIDEST_LOGO = 240
_SHARES = (1.0, 0.75, 0.5)  # of the points on each side
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
            content = _smaller(self.drawn.content, _SHARES[taken])
            if len(content) < self.weight:
                return _Step(self.drawn, taken + 1, replace(self.drawn, content=content))
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


def _smaller(content: bytes, share: float) -> bytes:
    """A picture with 256 colours and a share of its points on each side: the same bytes for the same picture."""
    made = io.BytesIO()
    with Image.open(io.BytesIO(content)) as picture:
        points = (max(round(picture.width * share), 1), max(round(picture.height * share), 1))
        whole = picture.convert("RGB").resize(points, Image.Resampling.LANCZOS) if share < 1 else picture.convert("RGB")
        whole.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(made, "PNG", optimize=True)
    return made.getvalue()
