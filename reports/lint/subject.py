"""What every rule is given to look at: the mail, its tree as each sort of client sees it, its styles, its places."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from reports.lint import css, mail, markup
from reports.lint.cascade import Cascade
from reports.lint.css import Sheet
from reports.lint.mail import Mail
from reports.lint.markup import Element
from reports.lint.places import Places, Template


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One mail under the linter."""

    mail: Mail
    tree: Element
    word: Element
    styles: Sequence[tuple[Element, Sheet]]
    cascade: Cascade
    places: Places

    @classmethod
    def of(cls, content: bytes, templates: Iterable[Template] = ()) -> Subject:
        """The message of these bytes, made by these templates, as far as they are known."""
        taken = mail.read(content)
        tree, word = (markup.read(taken.html, word=word) for word in (False, True))
        styles = _styles(tree)
        return cls(
            mail=taken,
            tree=tree,
            word=word,
            styles=styles,
            cascade=Cascade(tree, [rule for _, sheet in styles for rule in sheet.rules]),
            places=Places([tree, word], list(templates)),
        )


def _styles(tree: Element) -> list[tuple[Element, Sheet]]:
    return [(one, css.sheet(one.text or "", one.text_line)) for one in tree.all("style")]
