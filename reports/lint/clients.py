"""Features that some client does not show: what a reader has there instead decides how bad that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reports.lint import css, uses
from reports.lint.css import Declaration
from reports.lint.finding import Finding, Severity
from reports.lint.markup import Element
from reports.lint.subject import Subject
from reports.lint.support import CLIENTS, Effect, Feature, effect, features
from reports.lint.uses import Use

WORD = "word"
_PAINTED = frozenset({"css-background-image", "css-linear-gradient", "css-radial-gradient", "css-conic-gradient"})
_RESETS = frozenset({"auto", "none", "normal", "static", "visible", "inherit", "0"})
"""Values that say what would be so anyway."""
_TAKEN_APART = frozenset({"css-display-none", "css-max-width", "html-anchor-links"})
"""Features of which only some uses are bad: `word.py` and `links.py` look closer."""


def check(subject: Subject) -> Iterator[Finding]:
    """Each feature that is used, for the clients that see the place where it is used."""
    pictures = dict(subject.mail.pictures)
    others = [client for client in CLIENTS if client != WORD]
    in_styles = [one for _, sheet in subject.styles for one in uses.of_sheet(sheet)]
    for use in (*uses.of_tree(subject.tree, pictures), *in_styles):
        yield from _judged(use, others, subject)
    for use in uses.of_tree(subject.word, pictures):
        yield from _judged(use, [WORD], subject)


def _counts(use: Use, subject: Subject) -> bool:
    """Not what an @media is around, what applies to nothing, nobody sees, or would be so anyway."""
    if use.rule is not None and (use.rule.media or not subject.cascade.applies(use.rule)):
        return False
    if use.declaration is not None and use.declaration.value in _RESETS:
        return False
    return use.element is None or use.declaration is None or not hidden(use.element)


def hidden(element: Element) -> bool:
    """Whether it, or what it stands in, is hidden by its own style."""
    styles = (own(one).get("display") for one in (element, *element.up()))
    return any(one is not None and one.value == "none" for one in styles)


def _judged(use: Use, clients: Sequence[str], subject: Subject) -> Iterator[Finding]:
    feature = features().get(use.written)
    if feature is None or feature.name in _TAKEN_APART or not _counts(use, subject):
        return
    lacking = [one for one in feature.clients("n") if one in clients]
    partly = [one for one in feature.clients("a") if one in clients and not feature.clients("n")]
    said = effect(feature)
    severity = _severity(said, use, feature)
    if lacking or (partly and severity == "error"):
        yield Finding(
            severity=severity if lacking else "warning",
            rule=feature.name,
            what=f"{use.said}: {said.without}",
            do=said.instead or "nothing: the mail is whole without it",
            where=place(use, subject),
            clients=lacking or partly,
        )


def _severity(said: Effect, use: Use, feature: Feature) -> Severity:
    if said.grade == "harmless" or (feature.name in _PAINTED and _has_colour(use)):
        return "note"
    return "error" if said.grade == "breaks" else "warning"


def _has_colour(use: Use) -> bool:
    """Whether a plain colour stands behind what else is painted there."""
    if use.element is None:
        return False
    own = css.declarations(use.element.get("style", ""))
    return bool(use.element.get("bgcolor")) or any(one.name == "background-color" for one in own)


def place(use: Use, subject: Subject) -> str:
    """The line on which the feature was written."""
    places = subject.places
    if use.rule is not None:
        return places.rule(use.rule, use.declaration.name if use.declaration else "")
    if use.element is None:
        return places.text(use.said) or places.line(use.line)
    return places.declaration(use.element, use.declaration.name) if use.declaration else places.element(use.element)


def own(element: Element) -> dict[str, Declaration]:
    """The declarations of the element's style attribute."""
    return {one.name: one for one in css.declarations(element.get("style", ""), element.line)}
