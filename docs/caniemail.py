"""Condense caniemail's published data into the one file that the linter reads.

    git clone https://github.com/hteumeuleu/caniemail
    python docs/caniemail.py caniemail > reports/lint/caniemail.csv

Only facts are taken: which feature, how it is written, whether a client shows it. The texts stay where they are.
A client with several editions has the least that any of them does. PyYAML is wanted, which the extra `docs` brings.
"""

from __future__ import annotations

import csv
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

# What a column is made of: families and platforms of caniemail.
CLIENTS: Mapping[str, Sequence[tuple[str, str]]] = {
    "word": [("outlook", "windows")],
    "outlook": [("outlook", "outlook-com")],
    "outlook_mac": [("outlook", "macos")],
    "outlook_mobile": [("outlook", "ios"), ("outlook", "android")],
    "gmail": [("gmail", "desktop-webmail")],
    "gmail_app": [("gmail", "ios"), ("gmail", "android")],
    "gmail_other": [("gmail", "ios"), ("gmail", "android")],
    "apple_mac": [("apple-mail", "macos")],
    "apple_ios": [("apple-mail", "ios")],
    "yahoo": [("yahoo", "desktop-webmail"), ("yahoo", "ios"), ("yahoo", "android")],
    "gmx": [("gmx", "desktop-webmail"), ("gmx", "ios"), ("gmx", "android")],
    "web_de": [("web-de", "desktop-webmail"), ("web-de", "ios"), ("web-de", "android")],
    "samsung": [("samsung-email", "android")],
    "thunderbird": [("thunderbird", "macos"), ("thunderbird", "windows")],
}
OTHER_ACCOUNTS = re.compile(r"non[ -](?:google|gmail)", re.IGNORECASE)
ONLY_THERE = re.compile(r"(?:only .*with non|non.* only)[ -]?", re.IGNORECASE)
# Where the name does not say how the feature is written.
WRITTEN = {
    "css-block-inline-size": "prop:block-size",
    "css-border-inline-block": "prop:border-inline prop:border-block",
    "css-border-inline-block-longhand": "prop:border-inline-width prop:border-block-width",
    "css-border-inline-block-individual": "prop:border-inline-start prop:border-inline-end",
    "css-border-radius-logical": "prop:border-start-start-radius prop:border-end-end-radius",
    "css-column-layout-properties": "prop:columns prop:column-width prop:column-rule",
    "css-conic-gradient": "func:conic-gradient",
    "css-display": "",  # each value has its own
    "css-flex-direction": "value:flex-direction=column",
    "css-flex-wrap": "value:flex-wrap=wrap",
    "css-gap": "prop:gap prop:column-gap prop:row-gap",
    "css-grid-template": "prop:grid-template prop:grid-template-columns prop:grid-template-rows",
    "css-important": "keyword:!important",
    "css-inert-attribute": "attr:inert",
    "css-intrinsic-size": "keyword:fit-content keyword:min-content keyword:max-content",
    "css-left-right-top-bottom": "prop:left prop:right prop:top prop:bottom",
    "css-linear-gradient": "func:linear-gradient",
    "css-margin-block-start-end": "prop:margin-block-start prop:margin-block-end",
    "css-margin-inline-block": "prop:margin-inline prop:margin-block",
    "css-margin-inline-start-end": "prop:margin-inline-start prop:margin-inline-end",
    "css-modern-color": "func:lch func:oklch func:lab func:oklab",
    "css-nesting": "nesting:&",
    "css-padding-block-start-end": "prop:padding-block-start prop:padding-block-end",
    "css-padding-inline-block": "prop:padding-inline prop:padding-block",
    "css-padding-inline-start-end": "prop:padding-inline-start prop:padding-inline-end",
    "css-pseudo-class-lang": "pseudo:lang",
    "css-radial-gradient": "func:radial-gradient",
    "css-rgb": "func:rgb",
    "css-rgba": "func:rgba",
    "css-scroll-snap": "prop:scroll-snap-type prop:scroll-snap-align",
    "css-sytem-ui": "keyword:system-ui keyword:ui-serif keyword:ui-sans-serif",
    "css-unit-calc": "func:calc",
    "css-unit-initial": "keyword:initial",
    "css-unit-percent": "unit:%",
    "css-variables": "func:var variable:--",
    "css-comments": "",
    "css-hyphens": "prop:hyphens",
    "html-anchor-links": "link:#",
    "html-button-reset": "tag:button[reset]",
    "html-button-submit": "tag:button",
    "html-comments": "",
    "html-doctype": "",
    "html-h1-h6": "tag:h1 tag:h2 tag:h3 tag:h4 tag:h5 tag:h6",
    "html-image-maps": "tag:map attr:usemap",
    "html-lists": "tag:ul tag:ol tag:dl",
    "html-loading-attribute": "attr:loading",
    "html-mailto-links": "link:mailto",
    "html-meta-color-scheme": "meta:color-scheme",
    "html-semantics": "tag:article tag:aside tag:details tag:figcaption tag:figure tag:footer tag:header tag:main "
    "tag:mark tag:nav tag:section tag:summary tag:time",
    "html-srcset": "attr:srcset attr:sizes",
    "image-base64": "image:data",
}
ATTRIBUTES = frozenset(
    [
        "align",
        "aria-describedby",
        "aria-hidden",
        "aria-label",
        "aria-labelledby",
        "aria-live",
        "background",
        "cellpadding",
        "cellspacing",
        "dir",
        "height",
        "hidden",
        "lang",
        "popover",
        "required",
        "role",
        "target",
        "valign",
        "width",
    ]
)
FAMILIES = (
    ("css-at-media-", "media:"),
    ("css-at-", "at:"),
    ("css-pseudo-class-", "pseudo:"),
    ("css-pseudo-element-", "pseudo:"),
    ("css-selector-", "selector:"),
    ("css-unit-", "unit:"),
    ("css-function-", "func:"),
    ("css-display-", "value:display="),
    ("css-", "prop:"),
    ("image-", "image:"),
)
NOTICE = """\
# Which mail clients show which features of HTML, CSS and images: y yes, a in part, n no, u unknown.
# Condensed by docs/caniemail.py from caniemail.com, https://github.com/hteumeuleu/caniemail, commit {commit}, {date}.
# Copyright (c) 2019 Rémi Parmentier and contributors, MIT License: the permission notice is that of our LICENSE.
"""


def written(slug: str) -> str:
    """How the feature is recognised: kinds and names, separated by spaces."""
    if slug in WRITTEN:
        return WRITTEN[slug]
    for prefix, kind in FAMILIES:
        if slug.startswith(prefix):
            return kind + slug.removeprefix(prefix)
    name = slug.removeprefix("html-")
    kind, _, value = name.partition("-")
    if kind == "input":
        return f"tag:input[{value}]"
    return f"attr:{name}" if name in ATTRIBUTES else f"tag:{name}"


def answer(client: str, feature: Mapping[str, Any]) -> str:
    """The least that any edition of the client does, by its newest test."""
    stats, notes = feature["stats"], feature.get("notes_by_num") or {}
    newest = [
        list(stats[family][platform].values())[-1]
        for family, platform in CLIENTS[client]
        if stats.get(family, {}).get(platform)
    ]
    said = [account(str(one), client, notes) for one in newest]
    return next((letter for letter in "nauy" if letter in said), "u")


def account(said: str, client: str, notes: Mapping[Any, str]) -> str:
    """One answer of Gmail's app, told apart by whose account the mail is read in."""
    letter, *numbers = said.split()
    texts = {str(number): text for number, text in notes.items()}
    found = [texts.get(number.lstrip("#"), "") for number in numbers]
    split = next((text for text in found if OTHER_ACCOUNTS.search(text)), "")
    if not client.startswith("gmail_") or not split:
        return letter
    if ONLY_THERE.search(split):
        return letter.replace("a", "y") if client == "gmail_other" else "n"
    if client == "gmail_other":
        return "n"
    return "y" if letter == "a" and len(numbers) == 1 else letter


def main(checkout: Path) -> None:
    shown = subprocess.run(
        ["git", "-C", checkout, "log", "-1", "--format=%h %cs"], capture_output=True, text=True, check=True
    )
    commit, date = shown.stdout.split()
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(NOTICE.format(commit=commit, date=date))
    rows = csv.writer(sys.stdout, lineterminator="\n")
    rows.writerow(["feature", "written", "tested", *CLIENTS])
    for path in sorted((checkout / "_features").glob("[a-z]*.md")):
        front = re.split(r"(?m)^---\s*$", path.read_text("utf-8"))[1]
        feature = yaml.safe_load(front.replace("\t", " "))
        if feature["category"] != "others" and (how := written(path.stem)):
            rows.writerow([path.stem, how, feature["last_test_date"], *(answer(one, feature) for one in CLIENTS)])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
