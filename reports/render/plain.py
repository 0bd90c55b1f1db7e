"""HTML as plain text: what is read where a mail has no text of its own. inscriptis's only home."""

from __future__ import annotations

import re

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

_LINK = re.compile(r"\[([^\[\]]*)\]\((?:mailto:)?([^()\s]+)\)")
_HIDDEN = re.compile(r"<!--.*?-->|<(script|style|title)\b.*?</\1\s*>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title\s*>", re.DOTALL | re.IGNORECASE)


def of_html(html: str) -> str:
    """Texts, lists and tables of the HTML in lines; pictures are their alternative texts, links have addresses."""
    config = ParserConfig(css=CSS_PROFILES["strict"], display_images=True, display_links=True)
    lines = get_text(_HIDDEN.sub("", html), config).splitlines()
    text = _LINK.sub(_address, "\n".join(line.rstrip() for line in lines))
    return re.sub(r"\n{3,}", "\n\n", text).strip("\n")


def title_of(html: str) -> str:
    """What the HTML calls itself, in one line; empty where it does not."""
    found = _TITLE.search(html)
    return " ".join(of_html(f"<p>{found[1]}</p>").split()) if found else ""


def _address(link: re.Match[str]) -> str:
    """The words of a link and where it leads, said once where that is the same."""
    said, where = link[1].strip(), link[2]
    if not said or said == where or where.rstrip("/").endswith(said):
        return where
    return f"{said} ({where})"
