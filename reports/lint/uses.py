"""Which features a mail uses, named as in caniemail.csv, each with its line and what it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from reports.lint.css import Declaration, Rule, Sheet, declarations
from reports.lint.mail import Part
from reports.lint.markup import Element
from reports.lint.support import features

_FORMATS = {"jpeg": "jpg", "svg+xml": "svg", "x-icon": "ico", "vnd.microsoft.icon": "ico", "heic": "heif"}
_KINDS = {">": "child", "+": "adjacent-sibling", "~": "general-sibling", "*": "universal", ",": "grouping"}


@dataclass(frozen=True)
class Use:
    """One feature at one place; on an `element`, or in a `rule` that stays in a style element."""

    written: str
    said: str
    line: int
    element: Element | None = None
    declaration: Declaration | None = None
    rule: Rule | None = None


def of_tree(tree: Element, pictures: dict[str, Part]) -> Iterator[Use]:
    """Those of tags, attributes and style attributes."""
    for element in tree.all():
        for written, said in _of_element(element, pictures):
            yield Use(written, said, element.line, element)
        for declaration in declarations(element.get("style", ""), element.line):
            for written in of_declaration(declaration):
                said = f"{declaration.name}:{declaration.value}"
                yield Use(written, said, element.line, element, declaration)


def of_sheet(sheet: Sheet) -> Iterator[Use]:
    """Those of a style element."""
    for at_rule in sheet.at_rules:
        said = f"@{at_rule.name} {at_rule.prelude}".strip()
        conditions = re.findall(r"\(\s*(?:-webkit-|any-)?(?:min-|max-)?([a-z-]+)", at_rule.prelude)
        for written in (f"at:{at_rule.name}", *(f"media:{one}" for one in conditions)):
            yield Use(written, said, at_rule.line)
    for rule in sheet.rules:
        for written in _of_selector(rule.prelude):
            yield Use(written, rule.selector, rule.line, rule=rule)
        for declaration in rule.declarations:
            for written in of_declaration(declaration):
                said = f"{declaration.name}:{declaration.value}"
                yield Use(written, said, declaration.line, declaration=declaration, rule=rule)


def of_declaration(declaration: Declaration) -> Iterator[str]:
    """The property, and what its value is made of; nothing of what one engine alone reads."""
    if declaration.prefixed:
        return
    yield "variable:--" if declaration.name.startswith("--") else _property(declaration.name)
    for token in declaration.tokens():
        if token.type == "ident":
            value = token.lower_value.removeprefix("inline-")
            yield from (f"value:{declaration.name}={value}", f"keyword:{token.lower_value}")
        elif token.type == "function":
            yield f"func:{token.lower_name}"
        elif token.type == "dimension":
            yield f"unit:{token.lower_unit}"
        elif token.type == "percentage":
            yield "unit:%"


def _property(name: str) -> str:
    """The property, or the shorter one that caniemail tested with it."""
    known = features()
    if re.fullmatch(r"border-(?:top|bottom)-(?:left|right)-radius", name):
        return "prop:border-radius"
    while f"prop:{name}" not in known and "-" in name:
        name = name.rpartition("-")[0]
    return f"prop:{name}"


def _of_selector(tokens: Sequence[Any]) -> Iterator[str]:
    for number, token in enumerate(tokens):
        if token.type == "literal" and token.value in _KINDS:
            yield f"selector:{_KINDS[token.value]}"
        elif token.type == "literal" and token.value == ".":
            yield "selector:class"
        elif token.type == "hash":
            yield "selector:id"
        elif token.type == "[] block":
            yield "selector:attribute"
        elif number and tokens[number - 1].type == "literal" and tokens[number - 1].value == ":":
            name = getattr(token, "lower_name", None) or getattr(token, "lower_value", "")
            yield f"pseudo:{name}"


def _of_element(element: Element, pictures: dict[str, Part]) -> Iterator[tuple[str, str]]:
    tag = element.tag
    kind = element.get("type", "text" if tag == "input" else "").lower()
    if tag != "link" or "stylesheet" in element.get("rel", "").lower():
        shown = f"<{tag}>"
        yield f"tag:{tag}[{kind}]" if tag == "input" or kind == "reset" else f"tag:{tag}", shown
    for name, value in element.attrib.items():
        yield f"attr:{name}", f'{name}="{value[:40]}"'
    if tag == "meta" and element.get("name", "").lower() == "color-scheme":
        yield "meta:color-scheme", '<meta name="color-scheme">'
    href = element.get("href", "").strip().lower()
    if tag == "a" and href.startswith("#"):
        yield "link:#", f'href="{href}"'
    for source in (element.get(name, "").strip() for name in ("src", "background") if element.get(name)):
        if (tag == "img" or element.get("background")) and (form := _format(source, pictures)):
            yield f"image:{form}", f"a picture of the format {form}"
            if source.lower().startswith("data:"):
                yield "image:data", "a picture within the HTML (data:)"


def _format(source: str, pictures: dict[str, Part]) -> str:
    """The picture's format, by its part, its data URL or its name."""
    if source.lower().startswith("cid:"):
        part = pictures.get(source[4:])
        kind = part.media_type if part else ""
    elif source.lower().startswith("data:"):
        kind = re.split("[;,]", source[5:], maxsplit=1)[0].lower()
    else:
        kind = "image/" + PurePosixPath(source.split("?", 1)[0]).suffix.removeprefix(".").lower()
    form = kind.removeprefix("image/")
    return _FORMATS.get(form, form)
