"""HTML that somebody else has written, made whole for a mail: a document around a piece, and more below its end."""

from __future__ import annotations

import re
from html import escape

from reports.render.html import inlined
from reports.render.locales import ENGLISH, Locale

_DOCUMENT = re.compile(r"<(!doctype|html|body)\b", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>(.*)</body\s*>", re.IGNORECASE | re.DOTALL)
_END = re.compile(r"</body\s*>|</html\s*>", re.IGNORECASE)
_FONT = "'Segoe UI',Roboto,'Helvetica Neue',Arial,'PingFang SC','Microsoft YaHei',sans-serif"
_AROUND = (
    '<!DOCTYPE html>\n<html lang="{language}" dir="{direction}">\n<head>\n<meta charset="utf-8">\n'
    '<meta name="viewport" content="width=device-width,initial-scale=1">\n'
    '<meta name="color-scheme" content="light dark">\n<title>{title}</title>\n</head>\n'
    '<body style="margin:0;padding:16px;font-family:{font};font-size:14px;line-height:22px">\n'
    '<div lang="{language}" dir="{direction}">\n{html}\n</div>\n</body>\n</html>\n'
)


def whole(html: str, *, title: str = "", locale: Locale = ENGLISH, below: str = "") -> str:
    """The HTML as a document: as it is where it is one, with `below` at its end and its styles moved into the tags."""
    if not _DOCUMENT.search(html):
        named = {"title": escape(title), "language": locale.tag, "direction": locale.direction}
        html = _AROUND.format(**named, font=_FONT, html=html)
    if below:
        ends = list(_END.finditer(html))
        at = ends[0].start() if ends else len(html)
        html = f"{html[:at]}{below}\n{html[at:]}"
    return inlined(html, "html")


def body_of(html: str) -> str:
    """What stands in the document's body."""
    found = _BODY.search(html)
    return found[1].strip() if found else html
