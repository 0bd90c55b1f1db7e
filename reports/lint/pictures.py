"""Pictures: what is read where they are blocked, how wide they are, and how much they weigh."""

from __future__ import annotations

from collections.abc import Iterator

from reports.limits import PICTURE, PICTURES
from reports.lint.clients import own
from reports.lint.css import Declaration
from reports.lint.finding import Finding
from reports.lint.markup import Element
from reports.lint.subject import Subject
from reports.lint.word import pixels
from reports.model import size

LONGEST_ALT = 600
"""Characters: what is longer, screen readers cannot be stopped in, and a blocked picture has no room for."""
_FEWEST_LETTERS = 200


def check(subject: Subject) -> Iterator[Finding]:
    """Every img, and the inline parts beside them."""
    shown = set()
    for picture in subject.tree.all("img"):
        where = subject.places.element(picture)
        source = picture.get("src", "").strip()
        shown.add(source.removeprefix("cid:"))
        yield from _alt(picture, where)
        yield from _source(source, where, subject)
        yield from _width(picture, source, subject)
    yield from _parts(shown, subject)
    letters = len("".join(one.said() for one in subject.tree.all("body")))
    if subject.tree.all("img") and letters < _FEWEST_LETTERS:
        yield Finding(
            severity="warning",
            rule="mostly-pictures",
            what=f"{letters} letters of text beside {len(subject.tree.all('img'))} pictures",
            do="say in words what the pictures show: filters distrust a mail of pictures, and blocked ones say nothing",
        )


def _alt(picture: Element, where: str) -> Iterator[Finding]:
    alt = picture.get("alt")
    if alt is None:
        yield Finding(
            severity="error",
            rule="alt-missing",
            what="a picture without alt: where pictures are blocked, or not seen, nothing is said",
            do='write alt="..." with what it shows; alt="" where it shows nothing',
            where=where,
        )
    elif not alt.strip() and picture.get("src", "").startswith("cid:"):
        yield Finding(
            severity="warning",
            rule="alt-empty",
            what="a picture with an empty alt: where it is blocked, nothing is said",
            do="say in alt what it shows",
            where=where,
        )
    elif len(alt) > LONGEST_ALT:
        yield Finding(
            severity="warning",
            rule="alt-long",
            what=f"an alt of {len(alt):,} characters",
            do=f"say what matters in {LONGEST_ALT} or fewer, and the rest as text",
            where=where,
        )


def _source(source: str, where: str, subject: Subject) -> Iterator[Finding]:
    if source.startswith("cid:") and source[4:] not in subject.mail.pictures:
        what, do = f"no part of the mail is called {source}", "attach the picture under that content id"
        yield Finding(severity="error", rule="picture-missing", what=what, do=do, where=where)
    elif source.lower().startswith(("http:", "https:", "//")):
        what = f"{source[:60]}: a picture from the web is blocked until the reader allows it, and tells who read"
        do = "send it with the mail, by content id"
        yield Finding(severity="warning", rule="picture-remote", what=what, do=do, where=where)
    elif not source.lower().startswith(("cid:", "data:")):
        what = f'src="{source[:60]}" leads nowhere in a mail'
        yield Finding(
            severity="error", rule="picture-missing", what=what, do="send it with the mail, by content id", where=where
        )


def _width(picture: Element, source: str, subject: Subject) -> Iterator[Finding]:
    style, where = own(picture), subject.places.element(picture)
    attribute = picture.get("width", "")
    if not attribute.isdecimal():
        yield Finding(
            severity="error",
            rule="picture-width",
            what=f'width="{attribute}": Word shows the picture in its own size'
            if attribute
            else "a picture without width",
            do='give width="..." in whole pixels, without a unit',
            where=where,
            clients=("word",),
        )
    elif source.startswith("cid:") and not _wide(style):
        yield Finding(
            severity="warning",
            rule="picture-width-style",
            what="a picture by content id with its width in the attribute alone",
            do=f'add style="width:{attribute}px;max-width:100%;height:auto"',
            where=where,
            clients=("apple_mac",),
        )


def _wide(style: dict[str, Declaration]) -> bool:
    return "width" in style and (pixels(style["width"]) is not None or style["width"].value.endswith("%"))


def _parts(shown: set[str], subject: Subject) -> Iterator[Finding]:
    pictures = subject.mail.pictures
    for cid, part in pictures.items():
        if cid not in shown and cid not in subject.mail.html:
            what, do = f"the inline part {cid} is shown nowhere: clients list it as a file", "leave it out, or show it"
            yield Finding(severity="warning", rule="picture-unused", what=what, do=do)
        if part.encoded > PICTURE:
            yield Finding(
                severity="warning",
                rule="picture-heavy",
                what=f"{part.name or cid} adds {size(part.encoded)}",
                do=f"make it smaller than {size(PICTURE)}: fewer colours, or no more than twice the pixels shown",
            )
    if (together := sum(part.encoded for part in pictures.values())) > PICTURES:
        what, do = (
            f"the pictures add {size(together)} to the mail",
            f"keep them under {size(PICTURES)} together",
        )
        yield Finding(severity="warning", rule="pictures-heavy", what=what, do=do)
