"""The page itself: what screen readers are told, what tables need, and what holds styles in place."""

from __future__ import annotations

from collections.abc import Iterator

from reports.limits import STYLES
from reports.lint.cascade import DARK
from reports.lint.css import Rule
from reports.lint.finding import Finding
from reports.lint.markup import Element
from reports.lint.subject import Subject

_NO_STYLE = ("gmail_other", "gmx", "web_de")


def check(subject: Subject) -> Iterator[Finding]:
    """The head, every table, and every style element."""
    yield from _page(subject)
    for table in subject.tree.all("table"):
        yield from _table(table, subject)
    yield from _styles(subject)
    for script in subject.tree.all("script", "iframe", "embed", "applet"):
        yield Finding(
            severity="error",
            rule="script",
            what=f"<{script.tag}> is taken out everywhere, and makes filters suspicious",
            do="take it out",
            where=subject.places.element(script),
        )


def _page(subject: Subject) -> Iterator[Finding]:
    tree, where = subject.tree, subject.places.element(subject.tree)
    wrappers = [tree, *(one for body in tree.all("body") for one in body.all()[:3])]
    for name, example in (("lang", 'lang="en", or the language it has'), ("dir", 'dir="ltr" or dir="rtl"')):
        if not tree.get(name):
            what, do = f"the html element has no {name}: screen readers guess", f"write {example}"
            yield Finding(severity="warning", rule=f"{name}-missing", what=what, do=do, where=where)
        elif not any(one.get(name) for one in wrappers[1:]):
            what = f"nothing within the body has {name}, and webmail drops html and body"
            do = f"write {example} on a div around all"
            yield Finding(severity="warning", rule=f"{name}-inside", what=what, do=do, where=where)
    if not any(title.said() for title in tree.all("title")):
        what, do = "the page has no title, which browsers and screen readers name it by", "write a title in the head"
        yield Finding(severity="warning", rule="title-missing", what=what, do=do, where=where)
    if not any(meta.get("name", "").lower() == "viewport" for meta in tree.all("meta")):
        what, do = (
            "phones shrink the mail to the width of a desktop",
            'write <meta name="viewport" content="width=device-width">',
        )
        yield Finding(severity="warning", rule="viewport-missing", what=what, do=do, where=where)


def _table(table: Element, subject: Subject) -> Iterator[Finding]:
    where = subject.places.element(table)
    headings = [one for one in table.all("th") if next(up for up in one.up() if up.tag == "table") is table]
    layout = table.get("role", "").lower() in {"presentation", "none"}
    if not headings and not layout and not table.all("caption"):
        what, do = "a table for layout that screen readers read out as a table", 'add role="presentation"'
        yield Finding(severity="warning", rule="table-role", what=what, do=do, where=where)
    if layout and headings:
        what, do = "a table of data that is said to be layout", 'take role="presentation" out'
        yield Finding(severity="error", rule="table-role", what=what, do=do, where=where)
    if headings and not layout and not table.all("caption") and not (table.get("aria-label") or _headed(table)):
        what, do = "a table of data without a caption or a heading before it", "write a caption"
        yield Finding(severity="warning", rule="table-caption", what=what, do=do, where=where)
    for name in ("cellspacing", "cellpadding", "border"):
        if not table.get(name):
            what, do = f"a table without {name}: each client has its own", f'add {name}="0", or what it shall be'
            yield Finding(severity="warning", rule="table-attributes", what=what, do=do, where=where)
    for heading in headings:
        if heading.get("scope") not in {"col", "row", "colgroup", "rowgroup"}:
            what, do = "a heading of a table without scope", 'add scope="col" or scope="row"'
            yield Finding(severity="warning", rule="th-scope", what=what, do=do, where=subject.places.element(heading))


def _headed(table: Element) -> bool:
    """Whether a heading stands before it, in its cell or one around it."""
    for up in (table, *table.up()):
        if up.parent is None:
            return False
        for one in up.parent:
            if one is up:
                break
            if isinstance(one, Element) and one.all("h1", "h2", "h3", "h4", "h5", "h6"):
                return True
    return False


def _styles(subject: Subject) -> Iterator[Finding]:
    total = sum(len((one.text or "").encode()) for one, _ in subject.styles)
    if total > STYLES:
        what, do = f"{total:,} bytes of style elements: Gmail drops them all", f"keep them under {STYLES:,}"
        clients = ("gmail", "gmail_app")
        yield Finding(severity="error", rule="style-size", what=what, do=do, clients=clients)
    for element, sheet in subject.styles:
        for message, line in sheet.broken:
            what = f"a rule that cannot be read ({message}): Gmail drops the whole style element"
            do = "mend the rule"
            yield Finding(severity="error", rule="style-broken", what=what, do=do, where=subject.places.line(line))
        if any(up.tag == "body" for up in element.up()):
            what, do = "a style element within the body", "put it into the head: Gmail reads it nowhere else"
            where = subject.places.element(element)
            yield Finding(severity="warning", rule="style-place", what=what, do=do, where=where, clients=("gmail",))
        for rule in sheet.rules:
            yield from _rule(rule, subject)


def _rule(rule: Rule, subject: Subject) -> Iterator[Finding]:
    extra = ":" in rule.selector or all(one.prefixed or one.name == "color-scheme" for one in rule.declarations)
    if not rule.media and not extra and subject.cascade.applies(rule):
        yield Finding(
            severity="warning",
            rule="style-only",
            what=f"{rule.selector} is styled by a style element alone, which some clients do not read",
            do='write it in a style element without data-css-inline="ignore", so that it is moved into the tags',
            where=subject.places.rule(rule),
            clients=_NO_STYLE,
        )
    for one in rule.declarations:
        if DARK in rule.media and "color" in one.name and not one.important:
            yield Finding(
                severity="warning",
                rule="dark-important",
                what=f"{one.name} of {rule.selector} does not win over the style of the tag",
                do=f"write {one.name}:{one.value}!important",
                where=subject.places.rule(rule, one.name),
            )
        if one.name in {"color", "background", "background-color"} and "rgb" in one.value and "," not in one.value:
            yield Finding(
                severity="error",
                rule="rgb-spaces",
                what=f"{one.name}:{one.value}: Gmail drops the whole style element",
                do="write the colour as #rrggbb",
                where=subject.places.rule(rule, one.name),
                clients=("gmail", "gmail_app"),
            )
