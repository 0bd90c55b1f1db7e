"""What the published rules (ECMA-376, part 1 and 2) say of the parts that our workbooks have, as a list of what is wrong.

Excel repairs, that is damages, what breaks them; LibreOffice and the readers of other languages often do not notice.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_RELS = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_X14 = "{http://schemas.microsoft.com/office/spreadsheetml/2009/9/main}"
_XM = "{http://schemas.microsoft.com/office/excel/2006/main}"
# The children of the complex types that we write, in the schema's order.
_ORDER = {
    "worksheet": [
        "sheetPr", "dimension", "sheetViews", "sheetFormatPr", "cols", "sheetData", "sheetCalcPr", "sheetProtection",
        "protectedRanges", "scenarios", "autoFilter", "sortState", "dataConsolidate", "customSheetViews", "mergeCells",
        "phoneticPr", "conditionalFormatting", "dataValidations", "hyperlinks", "printOptions", "pageMargins",
        "pageSetup", "headerFooter", "rowBreaks", "colBreaks", "customProperties", "cellWatches", "ignoredErrors",
        "smartTags", "drawing", "legacyDrawing", "legacyDrawingHF", "picture", "oleObjects", "controls",
        "webPublishItems", "tableParts", "extLst",
    ],
    "workbook": [
        "fileVersion", "fileSharing", "workbookPr", "workbookProtection", "bookViews", "sheets", "functionGroups",
        "externalReferences", "definedNames", "calcPr", "oleSize", "customWorkbookViews", "pivotCaches", "extLst",
    ],
    "styleSheet": [
        "numFmts", "fonts", "fills", "borders", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "tableStyles",
        "colors", "extLst",
    ],
    "table": ["autoFilter", "sortState", "tableColumns", "tableStyleInfo", "extLst"],
    "tableColumn": ["calculatedColumnFormula", "totalsRowFormula", "xmlColumnPr", "extLst"],
    "c": ["f", "v", "is", "extLst"],
    "cfRule": ["formula", "colorScale", "dataBar", "iconSet", "extLst"],
    "dxf": ["font", "numFmt", "fill", "alignment", "border", "protection", "extLst"],
}  # fmt: skip
_LIMIT = {"row": 1_048_576, "column": 16_384, "text": 32_767, "header": 255, "links": 65_530, "styles": 65_490}
_NAME = re.compile(r"[^\W\d]\w*(\.\w+)*")


def faults(content: bytes) -> list[str]:
    """What is wrong with a workbook, one sentence each; an empty list of a good one."""
    package = _Package(zipfile.ZipFile(io.BytesIO(content)))
    looks = (_parts, _relations, _orders, _workbook, _styles, _strings, _tables, _sheets)
    return [fault for look in looks for fault in look(package)]


@dataclass
class _Package:
    zip: zipfile.ZipFile

    @cached_property
    def names(self) -> list[str]:
        return self.zip.namelist()

    @cached_property
    def xml(self) -> dict[str, ET.Element]:
        xmls = (name for name in self.names if name.endswith((".xml", ".rels")))
        return {name: ET.fromstring(self.zip.read(name)) for name in xmls}  # noqa: S314  our own file

    def targets(self, part: str) -> dict[str, str]:
        """The relationships of a part: the names of parts, by their ids."""
        folder, name = posixpath.split(part)
        rels = self.xml.get(posixpath.join(folder, "_rels", f"{name}.rels"))
        inside = [one for one in rels if one.get("TargetMode") != "External"] if rels is not None else []
        return {one.get("Id", ""): _resolved(folder, one.get("Target", "")) for one in inside}

    @cached_property
    def sheets(self) -> dict[str, ET.Element]:
        """The worksheets by their names, in the workbook's order."""
        targets = self.targets("xl/workbook.xml")
        listed = self.xml["xl/workbook.xml"].iter(f"{MAIN}sheet")
        there = {one.get("name", ""): targets.get(one.get(f"{_R}id", ""), "") for one in listed}
        return {name: self.xml[part] for name, part in there.items() if part in self.xml}

    @cached_property
    def strings(self) -> list[str]:
        items = self.xml["xl/sharedStrings.xml"].findall(f"{MAIN}si")
        return ["".join(item.itertext()) for item in items]


def _resolved(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _parts(package: _Package) -> Iterator[str]:
    """Every part has one name and one content type, and no type is of a part that is not there."""
    if package.names[0] != "[Content_Types].xml":
        yield "the content types do not come first"
    yield from (f"{name} is there twice" for name, count in _twice(name.casefold() for name in package.names) if count)
    types = package.xml["[Content_Types].xml"]
    defaults = {one.get("Extension", "") for one in types.findall(f"{_TYPES}Default")}
    overrides = [one.get("PartName", "").lstrip("/") for one in types.findall(f"{_TYPES}Override")]
    yield from (f"{name} has two content types" for name, _ in _twice(overrides))
    yield from (f"a content type is of {name}, which is not there" for name in overrides if name not in package.names)
    for name in package.names[1:]:
        if name not in overrides and name.rpartition(".")[2] not in defaults:
            yield f"{name} has no content type"


def _relations(package: _Package) -> Iterator[str]:
    """Every relationship leads to a part, no id is there twice, every part is led to, every r:id has one."""
    reached = {"[Content_Types].xml", *(name for name in package.names if name.endswith(".rels"))}
    for name in (name for name in package.names if name.endswith(".rels")):
        ids = [one.get("Id") for one in package.xml[name]]
        yield from (f"{name} has the id {one} twice" for one, _ in _twice(ids))
        folder, _, of = name.rpartition("_rels/")
        targets = package.targets(folder + of.removesuffix(".rels"))
        yield from (
            f"{name} leads to {one}, which is not there" for one in targets.values() if one not in package.names
        )
        reached |= set(targets.values())
        part = package.xml.get(folder + of.removesuffix(".rels"))
        used = (
            {value for one in part.iter() for key, value in one.attrib.items() if key == f"{_R}id"}
            if part is not None
            else set()
        )
        yield from (f"{folder + of} names {one}, which is no relationship" for one in used - set(ids))
    yield from (f"nothing leads to {name}" for name in package.names if name not in reached)


def _orders(package: _Package) -> Iterator[str]:
    """Children stand in the order of the schema, and there are none that it does not know."""
    for name, root in package.xml.items():
        for element in root.iter():
            if not (element.tag.startswith(MAIN) and (order := _ORDER.get(_local(element)))):
                continue
            tags = [_local(child) for child in element]
            if unknown := set(tags) - set(order):
                yield f"{name}: {_local(element)} has {unknown}"
            elif tags != sorted(tags, key=order.index):
                yield f"{name}: the children of {_local(element)} are out of order: {tags}"


def _workbook(package: _Package) -> Iterator[str]:
    """Sheets have names and ids of their own, defined names are names, and no cell is out of its sheet."""
    workbook = package.xml["xl/workbook.xml"]
    sheets = workbook.findall(f".//{MAIN}sheet")
    if not sheets:
        yield "there is no sheet"
    for key in ("name", "sheetId"):
        yield from (
            f"two sheets have the {key} {one}" for one, _ in _twice(one.get(key, "").casefold() for one in sheets)
        )
    for sheet in sheets:
        name = sheet.get("name", "")
        if not 0 < _units(name) <= 31 or re.search(r"[\[\]:*?/\\]|^'|'$", name):
            yield f"no sheet can be called {name!r}"
    for defined in workbook.iter(f"{MAIN}definedName"):
        if not _NAME.fullmatch(defined.get("name", "").removeprefix("_xlnm.")):
            yield f"no name can be {defined.get('name')}"
        if int(defined.get("localSheetId", 0)) >= len(sheets):
            yield f"{defined.get('name')} is of a sheet that is not there"


def _styles(package: _Package) -> Iterator[str]:
    """Formats refer to fonts, fills, borders, number formats and differential styles that are there; counts are right."""
    styles = package.xml["xl/styles.xml"]
    for parent in styles:
        if parent.get("count") not in {None, str(len(parent))}:
            yield f"{_local(parent)} says it has {parent.get('count')}, and has {len(parent)}"
    sizes = {key: len(_child(styles, f"{key}s")) for key in ("font", "fill", "border")}
    known = {int(one.get("numFmtId", 0)) for one in styles.iter(f"{MAIN}numFmt")}
    formats = _child(styles, "cellXfs")
    if len(formats) > _LIMIT["styles"]:
        yield f"there are {len(formats)} cell formats"
    for number, one in enumerate(formats):
        wrong = [key for key, size in sizes.items() if int(one.get(f"{key}Id", 0)) >= size]
        yield from (f"format {number} has a {key} that is not there" for key in wrong)
        if (code := int(one.get("numFmtId", 0))) >= 164 and code not in known:
            yield f"format {number} has the number format {code}, which is not there"
    used = [int(one.get("dxfId", 0)) for part in package.xml.values() for one in part.iter() if "dxfId" in one.attrib]
    if used and max(used) >= len(_child(styles, "dxfs")):
        yield f"the differential style {max(used)} is not there"


def _strings(package: _Package) -> Iterator[str]:
    """Cells name strings that are there; none is longer than a cell."""
    used = {
        int(cell.findtext(f"{MAIN}v") or -1)
        for sheet in package.sheets.values()
        for cell in sheet.iter(f"{MAIN}c")
        if cell.get("t") == "s"
    }
    if used and not 0 <= min(used) <= max(used) < len(package.strings):
        yield f"cells name strings {min(used)} to {max(used)} of {len(package.strings)}"
    yield from (f"a string is too long: {one[:20]}" for one in package.strings if _units(_read(one)) > _LIMIT["text"])


def _tables(package: _Package) -> Iterator[str]:
    """Ids and names are the workbook's own, ranges fit, and headings are those in the cells."""
    tables = [root for root in package.xml.values() if root.tag == f"{MAIN}table"]
    for key in ("id", "name", "displayName"):
        yield from (
            f"two tables have the {key} {one}" for one, _ in _twice(one.get(key, "").casefold() for one in tables)
        )
    for sheet, root in package.sheets.items():
        part = next(name for name, one in package.xml.items() if one is root)
        targets, cells = package.targets(part), _cells(root)
        for one in root.iter(f"{MAIN}tablePart"):
            yield from _table(sheet, package.xml[targets[one.get(f"{_R}id", "")]], cells, package.strings)


def _table(
    sheet: str, table: ET.Element, cells: dict[tuple[int, int], ET.Element], strings: Sequence[str]
) -> Iterator[str]:
    left, top, right, bottom = _range(table.get("ref", ""))
    name, totals = table.get("displayName", ""), int(table.get("totalsRowCount", 0))
    if not _NAME.fullmatch(name) or re.fullmatch(r"[A-Za-z]{1,3}\d+|[Rr]\d*([Cc]\d*)?|[Cc]\d*", name):
        yield f"no table can be called {name}"
    columns = table.findall(f".//{MAIN}tableColumn")
    if len(columns) != right - left + 1 or _child(table, "tableColumns").get("count") != str(len(columns)):
        yield f"{name} has {len(columns)} columns in {table.get('ref')}"
    if bottom - top - totals < 1:
        yield f"{name} has no row of data"
    auto = table.find(f"{MAIN}autoFilter")
    if auto is not None and _range(auto.get("ref", "")) != (left, top, right, bottom - totals):
        yield f"the filter of {name} is not over its rows"
    yield from (
        f"{name} has the heading {one} twice" for one, _ in _twice(one.get("name", "").casefold() for one in columns)
    )
    yield from (f"{name} has the column id {one} twice" for one, _ in _twice(one.get("id") for one in columns))
    for place, column in enumerate(columns, start=left):
        cell = cells.get((top, place))
        number = int(cell.findtext(f"{MAIN}v") or -1) if cell is not None and cell.get("t") == "s" else -1
        found = strings[number] if 0 <= number < len(strings) else None
        if found != column.get("name"):
            yield f"{sheet}: the heading of {name} is {column.get('name')!r}, its cell has {found!r}"


def _sheets(package: _Package) -> Iterator[str]:
    formats = len(_child(package.xml["xl/styles.xml"], "cellXfs"))
    for name, sheet in package.sheets.items():
        yield from (f"{name}: {fault}" for fault in _sheet(sheet, formats))
        known = set(package.sheets)
        for link in sheet.iter(f"{MAIN}hyperlink"):
            place = link.get("location", "").rpartition("!")[0].strip("'").replace("''", "'")
            if place and place not in known:
                yield f"{name}: a link leads to {place}, which is no sheet"


def _sheet(sheet: ET.Element, formats: int) -> Iterator[str]:
    """Rows ascend, cells ascend in them, none is there twice, and each has a format and a type that exist."""
    last = 0
    for row in _child(sheet, "sheetData"):
        number, place = int(row.get("r", 0)), -1
        if not last < number <= _LIMIT["row"]:
            yield f"row {number} stands after row {last}"
        last = number
        for cell in row:
            at = _address(cell.get("r", ""))
            if at[0] != number or not place < at[1] < _LIMIT["column"]:
                yield f"the cell {cell.get('r')} is out of place"
            place = at[1]
            yield from (f"the cell {cell.get('r')} {fault}" for fault in _cell(cell, formats))
    yield from _widths(sheet)
    yield from _extensions(sheet)
    if len(list(sheet.iter(f"{MAIN}hyperlink"))) > _LIMIT["links"]:
        yield "there are too many links"
    for text in sheet.findall(f"{MAIN}headerFooter/*"):
        if len(text.text or "") > _LIMIT["header"]:
            yield f"{_local(text)} is longer than {_LIMIT['header']}"


def _cell(cell: ET.Element, formats: int) -> Iterator[str]:
    kind = cell.get("t", "n")
    if not 0 <= int(cell.get("s", 0)) < formats:
        yield "has a format that is not there"
    if kind not in {"n", "s", "b", "str", "inlineStr", "e", "d"}:
        yield f"has the type {kind}"
    if kind == "n" and not re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", cell.findtext(f"{MAIN}v") or "0"):
        yield f"has the number {cell.findtext(f'{MAIN}v')}"


def _widths(sheet: ET.Element) -> Iterator[str]:
    before = 0
    for column in sheet.findall(f"{MAIN}cols/{MAIN}col"):
        if not before < int(column.get("min", 0)) <= int(column.get("max", 0)):
            yield f"the widths from column {column.get('min')} on overlap others"
        if float(column.get("width", 0)) > 255:
            yield f"column {column.get('min')} is too wide"
        before = int(column.get("max", 0))


def _extensions(sheet: ET.Element) -> Iterator[str]:
    """Rules of data bars and what the list of extensions says of them belong together, over the same cells."""
    inside = {
        one.text: rule.get("sqref")
        for rule in sheet.findall(f"{MAIN}conditionalFormatting")
        for one in rule.iter(f"{_X14}id")
    }
    outside = {
        rule.get("id"): one.findtext(f"{_XM}sqref")
        for one in sheet.iter(f"{_X14}conditionalFormatting")
        for rule in one.iter(f"{_X14}cfRule")
    }
    if inside != outside:
        yield f"data bars are {inside} in the rules, and {outside} in the extensions"
    yield from (f"an extension has no uri: {one.attrib}" for one in sheet.iter(f"{MAIN}ext") if not one.get("uri"))
    priorities = [one.get("priority") for one in sheet.iter(f"{MAIN}cfRule")]
    yield from (f"two rules have the priority {one}" for one, _ in _twice(priorities))


def _cells(sheet: ET.Element) -> dict[tuple[int, int], ET.Element]:
    return {_address(cell.get("r", "")): cell for cell in sheet.iter(f"{MAIN}c")}


def _address(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"([A-Z]{1,3})([1-9]\d*)", text)
    assert match, f"{text!r} is no address"
    column = 0
    for one in match[1]:
        column = column * 26 + ord(one) - ord("A") + 1
    return int(match[2]), column - 1


def _range(text: str) -> tuple[int, int, int, int]:
    (top, left), (bottom, right) = map(_address, (text.split(":") * 2)[:2])
    return left, top, right, bottom


def _child(parent: ET.Element, name: str) -> ET.Element:
    found = parent.find(f"{MAIN}{name}")
    assert found is not None, f"there is no {name}"
    return found


def _local(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _read(text: str) -> str:
    """A stored text as Excel reads it."""
    return re.sub("_x([0-9A-Fa-f]{4})_", lambda match: chr(int(match[1], 16)), text)


def _twice(of: object) -> list[tuple[object, int]]:
    return [(one, count) for one, count in Counter(of).items() if count > 1]  # type: ignore[call-overload]
