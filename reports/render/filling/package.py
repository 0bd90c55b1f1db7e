"""A workbook as the parts it is packed of: those that are changed are parsed, all others stay byte for byte."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile

from lxml import etree

from reports.errors import RenderError
from reports.render.packing import entry

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing}"
CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_TYPES = "{http://schemas.openxmlformats.org/package/2006/content-types}"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_OLE = b"\xd0\xcf\x11\xe0"
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
Element = Any  # lxml has no types of its own


@dataclass(frozen=True)
class SheetPart:
    """A worksheet of the template: its name, and the part that it is."""

    name: str
    part: str


@dataclass
class Package:
    """The template, and what is changed in it. A RenderError where it is no workbook that can be filled."""

    content: bytes
    where: str
    _parts: dict[str, bytes] = field(default_factory=dict)
    _trees: dict[str, Element] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            with ZipFile(BytesIO(self.content)) as packed:
                self._parts = {one.filename: packed.read(one) for one in packed.infolist() if not one.is_dir()}
        except BadZipFile as error:
            what = "is encrypted" if self.content.startswith(_OLE) else "is no .xlsx file"
            raise RenderError(f"the template {what}", where=self.where, hint="save it as an .xlsx workbook") from error
        if "xl/vbaProject.bin" in self._parts:
            raise RenderError("the template has macros", where=self.where, hint="save it as .xlsx, without them")
        if "xl/workbook.xml" not in self._parts:
            raise RenderError("the template is no Excel workbook", where=self.where, hint="save it as .xlsx")

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    def tree(self, part: str) -> Element:
        """The part's root, to be read and changed."""
        if part not in self._trees:
            try:
                self._trees[part] = etree.fromstring(self._parts[part], _PARSER)
            except etree.XMLSyntaxError as error:
                raise RenderError(f"{part} of the template cannot be read: {error}", where=self.where) from error
        return self._trees[part]

    @property
    def workbook(self) -> Element:
        return self.tree("xl/workbook.xml")

    def related(self, part: str, kind: str) -> list[str]:
        """The parts that this one points at by that kind of relationship."""
        return [target for _, of_kind, target in self._relations(part) if of_kind.endswith(f"/{kind}")]

    def sheets(self) -> list[SheetPart]:
        """The worksheets in the order of their tabs."""
        targets = {name: target for name, _, target in self._relations("xl/workbook.xml")}
        found = self.workbook.iter(f"{MAIN}sheet")
        named = [SheetPart(one.get("name"), targets.get(one.get(f"{_RELATION}id"), "")) for one in found]
        return [one for one in named if "/worksheets/" in f"/{one.part}" and one.part in self._parts]

    def drop(self, part: str) -> None:
        """Takes a part out, with all that says it is there."""
        if self._parts.pop(part, None) is None:
            return
        self._trees.pop(part, None)
        types = self.tree("[Content_Types].xml")
        for one in types.findall(f"{_TYPES}Override[@PartName='/{part}']"):
            types.remove(one)
        relations = self.tree("xl/_rels/workbook.xml.rels")
        for one in list(relations):
            if _resolved("xl/workbook.xml", one.get("Target", "")) == part:
                relations.remove(one)

    def with_strings(self) -> str:
        """The part of shared strings, made if there is none."""
        found = self.related("xl/workbook.xml", "sharedStrings")
        if found and found[0] in self._parts:
            return found[0]
        part = "xl/sharedStrings.xml"
        self._parts[part] = f'<sst xmlns="{MAIN[1:-1]}"/>'.encode()
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
        etree.SubElement(self.tree("[Content_Types].xml"), f"{_TYPES}Override", PartName=f"/{part}", ContentType=kind)
        relation = {"Id": "rIdFilledStrings", "Type": f"{_OFFICE}/sharedStrings", "Target": "sharedStrings.xml"}
        etree.SubElement(self.tree("xl/_rels/workbook.xml.rels"), f"{_PACKAGE}Relationship", relation)
        return part

    def written(self, expand: Callable[[str, bytes], Iterable[bytes]]) -> bytes:
        """The finished workbook: equal changes give equal bytes. `expand` gives a changed part in pieces."""
        content = BytesIO()
        with ZipFile(content, "w", ZIP_DEFLATED, compresslevel=6) as packed:
            for name, kept in self._parts.items():
                with packed.open(entry(name), "w", force_zip64=True) as part:
                    part.writelines(expand(name, self._xml(name)) if name in self._trees else [kept])
        return content.getvalue()

    def _xml(self, part: str) -> bytes:
        made: bytes = etree.tostring(self._trees[part], xml_declaration=True, encoding="UTF-8", standalone=True)
        return made

    def _relations(self, part: str) -> Iterator[tuple[str, str, str]]:
        folder, name = posixpath.split(part)
        relations = f"{folder}/_rels/{name}.rels"
        if relations in self._parts:
            for one in self.tree(relations):
                if one.get("TargetMode") != "External":
                    yield one.get("Id"), one.get("Type", ""), _resolved(part, one.get("Target", ""))


def _resolved(part: str, target: str) -> str:
    if target.startswith("/"):
        return target[1:]
    return posixpath.normpath(posixpath.join(posixpath.dirname(part), target))
