"""A move carried out everywhere: rows, merged cells, rules, names, anchors, charts and formulas of all sheets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from lxml import etree
from openpyxl.formula.translate import Translator
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from reports.errors import RenderError
from reports.render.filling.moving import Move
from reports.render.filling.package import CHART, DRAWING, MAIN, Element, Package, SheetPart
from reports.render.filling.targets import Target, boundaries

_REFERENCES = ("ref", "sqref")
_FORMULAS = frozenset({"f", "formula", "formula1", "formula2", "calculatedColumnFormula", "totalsRowFormula"})
_ROW = re.compile(r"\d+$")


def unshare(sheet: Element) -> None:
    """Gives every cell the formula that it shared with others, so that each can be moved for itself."""
    masters: dict[str, tuple[str, str]] = {}
    for cell in sheet.iter(f"{MAIN}c"):
        formula = cell.find(f"{MAIN}f")
        if formula is None or formula.get("t") != "shared":
            continue
        if formula.text:
            masters[formula.get("si")] = (f"={formula.text}", cell.get("r"))
        else:
            text, origin = masters[formula.get("si")]
            formula.text = Translator(text, origin=origin).translate_formula(cell.get("r"))[1:]
        for name in ("t", "si", "ref"):
            formula.attrib.pop(name, None)


def carry_out(move: Move, package: Package, sheet: SheetPart) -> None:
    """All that refers to the rows of the table, or stands below it, follows."""
    root = package.tree(sheet.part)
    _rows(root, move)
    for one in root.iter(etree.Element):
        _attributes(one, move)
    _beside_the_sheet(move, package, sheet)
    for other in package.sheets():
        formulas(package.tree(other.part), other.name, move)
        for part in package.related(other.part, "table"):
            formulas(package.tree(part), other.name, move)
    for name in package.workbook.iter(f"{MAIN}definedName"):
        name.text = move.formula(name.text or "", "")
    for part in charts(package):
        for formula in package.tree(part).iter(f"{CHART}f"):
            formula.text = move.formula(formula.text or "", "")


def _beside_the_sheet(move: Move, package: Package, sheet: SheetPart) -> None:
    """Its tables, its pictures and charts, and its comments, which are parts of their own."""
    for part in package.related(sheet.part, "table"):
        _table(package.tree(part), move)
    for part in package.related(sheet.part, "drawing"):
        _anchors(package.tree(part), move)
    for part in package.related(sheet.part, "comments"):
        for comment in package.tree(part).iter(f"{MAIN}comment"):
            comment.set("ref", move.reference(comment.get("ref")))


def charts(package: Package) -> Iterator[str]:
    return (name for name in package.names if name.startswith("xl/charts/chart") and name.endswith(".xml"))


def _rows(root: Element, move: Move) -> None:
    """Rows below the table get their new numbers; rows that are gone may hold nothing beside it."""
    for row in root.iter(f"{MAIN}row"):
        number = int(row.get("r"))
        if number > move.last and move.by:
            row.set("r", str(number + move.by))
            for cell in row:
                cell.set("r", _ROW.sub(str(number + move.by), cell.get("r")))


def _attributes(element: Element, move: Move) -> None:
    for name in _REFERENCES:
        if value := element.get(name):
            element.set(name, move.references(value))


def formulas(root: Element, sheet: str, move: Move) -> None:
    for one in root.iter(etree.Element):
        if not one.text:
            continue
        local = one.tag.rpartition("}")[2]
        if local in _FORMULAS:
            one.text = move.formula(one.text, sheet)
        elif local == "sqref" and sheet == move.sheet:
            one.text = move.references(one.text)


def _table(table: Element, move: Move) -> None:
    """A table below follows whole; this one is given its own extent by who fills it."""
    for one in (table, *table.iter(f"{MAIN}autoFilter")):
        one.set("ref", move.reference(one.get("ref")))


def _anchors(drawing: Element, move: Move) -> None:
    """Pictures and charts below the table stay below it."""
    for row in drawing.iter(f"{DRAWING}row"):
        if (number := int(row.text) + 1) > move.last:
            row.text = str(number + move.by - 1)


def refuse_what_cannot_follow(move: Move, package: Package, sheet: SheetPart, where: str) -> None:
    """A RenderError for what stands beside a table that grows or shrinks, and would be torn apart or lost."""
    if not move.by:
        return
    for part in package.related(sheet.part, "pivotTable"):
        _, top, _, _ = boundaries(package.tree(part).find(f"{MAIN}location").get("ref"))
        if top > move.last:
            raise _in_the_way(move, where, "a pivot table stands below it")
    for part in package.related(sheet.part, "table"):
        left, top, right, bottom = boundaries(package.tree(part).get("ref"))
        apart = right < move.left or left > move.right
        if apart and top <= move.last and bottom > move.head:
            name = package.tree(part).get("displayName")
            raise _in_the_way(move, where, f"the table '{name}' stands beside it and would be torn apart")
    gone = range(max(move.end, move.first) + 1, move.last + 1)
    for row in package.tree(sheet.part).iter(f"{MAIN}row"):
        if int(row.get("r")) in gone and any(_is_beside(cell, move) for cell in row):
            raise _in_the_way(move, where, f"row {row.get('r')} has cells beside it, which would go with the row")


def refuse_neighbours(targets: Sequence[Target], where: str) -> None:
    """A RenderError for two that are filled in the same rows of a sheet, which cannot have the length of both."""
    for one, other in combinations(targets, 2):
        if one.sheet == other.sheet and one.top <= other.bottom and other.top <= one.bottom:
            raise RenderError(
                f"'{one.name}' and '{other.name}' share rows of sheet '{one.sheet.name}', and cannot both be filled",
                where=where,
                hint="put one of them below the other, or on a sheet of its own",
            )


def _is_beside(cell: Element, move: Move) -> bool:
    column = column_index_from_string(coordinate_from_string(cell.get("r"))[0])
    return not move.left <= column <= move.right and len(cell) > 0


def _in_the_way(move: Move, where: str, what: str) -> RenderError:
    return RenderError(
        f"the table in row {move.head} of sheet '{move.sheet}' cannot change its length: {what}",
        where=where,
        hint="put it on another sheet of the template, or to the right of the first row only",
    )
