"""Cell formats of a template, and those that a date needs where the template has none."""

from __future__ import annotations

from copy import deepcopy

from lxml import etree

from reports.render.filling.package import MAIN, Element, Package
from reports.render.formats import parsed
from reports.render.locales import Locale
from reports.render.number_formats import DATES, number_format

_GENERAL = "0"
_OWN = 164  # from here on number formats are the workbook's own


class Styles:
    """Gives out cell formats by number."""

    def __init__(self, package: Package, locale: Locale) -> None:
        self._locale = locale
        self._part = (package.related("xl/workbook.xml", "styles") or ["xl/styles.xml"])[0]
        self._package = package
        self._made: dict[tuple[int, str], int] = {}

    def for_format(self, style: int, form: str) -> int:
        """The format to show a value with: the cell's own, or the same with a date's where it had no number format."""
        kind, _ = parsed(form)
        if kind not in DATES:
            return style
        formats = self._root.find(f"{MAIN}cellXfs")
        if formats[style].get("numFmtId", _GENERAL) != _GENERAL:
            return style
        if (style, kind) not in self._made:
            new = deepcopy(formats[style])
            new.set("numFmtId", str(self._number_format(number_format(form, self._locale))))
            new.set("applyNumberFormat", "1")
            formats.append(new)
            formats.set("count", str(len(formats)))
            self._made[style, kind] = len(formats) - 1
        return self._made[style, kind]

    @property
    def _root(self) -> Element:
        return self._package.tree(self._part)

    def _number_format(self, code: str) -> int:
        known = self._root.find(f"{MAIN}numFmts")
        if known is None:
            known = etree.Element(f"{MAIN}numFmts")
            self._root.insert(0, known)
        for one in known:
            if one.get("formatCode") == code:
                return int(one.get("numFmtId"))
        number = max([_OWN - 1, *(int(one.get("numFmtId")) for one in known)]) + 1
        etree.SubElement(known, f"{MAIN}numFmt", numFmtId=str(number), formatCode=code)
        known.set("count", str(len(known)))
        return number
