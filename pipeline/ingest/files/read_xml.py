"""XML, streamed: one element after the other, none of them large. What a DTD could do is refused with the DTD.

As a document for mappings, an element becomes a JSON object: children by their name (a list where a name comes again),
attributes as `@name`. A child without children becomes its text, its attributes standing beside it as `child@name`; one
that says `nil="true"` becomes null. Namespaces are left out of names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import IO, Any
from xml.etree.ElementTree import Element
from xml.parsers import expat

import pyarrow as pa

from pipeline.ingest.files.exports import Content, Export, open_export, reject
from pipeline.ingest.files.limits import DEPTH, ELEMENT_BYTES
from pipeline.ingest.files.read_ndjson import Lines
from pipeline.ingest.files.refused import Refused

_BLOCK_BYTES = 64 << 10
_CHUNK_CHARACTERS = 16 << 20
_AGAIN = "Export the file again."


class XmlRefused(Exception):
    """What is wrong with the text, as the end of a sentence, and the line where it shows."""

    def __init__(self, reason: str, line: int, is_about_the_rest: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
        self.is_about_the_rest = is_about_the_rest


def read_xml(
    export: Export,
    elements: frozenset[str] | None,
    to_document: Callable[[Element], dict[str, Any]] | None = None,
    may_be_empty: bool = False,
) -> Iterator[Lines]:
    """The elements of these names, or the children of the root, as JSON texts with the line where each begins.

    `to_document` makes an element's object (default: `as_document`). An export that is cut off or damaged costs what
    follows; one with a DTD, or without an element unless it `may_be_empty`, is refused whole: InputRejected.
    """
    to_document = to_document or as_document
    numbers: list[int] = []
    texts: list[str] = []
    characters = 0
    refused: list[Refused] = []
    has_any = False
    with open_export(export) as stream:
        try:
            for found, line in stream_elements(stream, elements):
                texts.append(json.dumps(to_document(found), ensure_ascii=False))
                numbers.append(line)
                characters += len(texts[-1])
                has_any = True
                if characters > _CHUNK_CHARACTERS:
                    yield _lines(numbers, texts, [])
                    numbers, texts, characters = [], [], 0
        except XmlRefused as problem:
            if not has_any or not problem.is_about_the_rest:
                raise reject(export, f"the file {problem.reason}.", _AGAIN, problem.line) from None
            reason = f"{problem.reason}, so nothing after this line could be read"
            refused.append(Refused(problem.line, None, None, reason, _AGAIN))
    if not has_any and not may_be_empty:
        named = " or ".join(repr(name) for name in sorted(elements or ()))
        what = f"no element {named}" if named else "no element inside its root"
        raise reject(export, f"the XML has {what}.", "Name the element of a ticket in the source's mapping.")
    yield _lines(numbers, texts, refused)


def _lines(numbers: list[int], texts: list[str], refused: list[Refused]) -> Lines:
    table = pa.table({"line_number": pa.array(numbers, pa.int64()), "line": pa.array(texts, pa.string())})
    return Lines(table, refused, None)


def stream_elements(
    stream: Content | IO[bytes], names: frozenset[str] | None
) -> Iterator[tuple[Element, int]]:
    """The outermost elements of these names, or the children of the root, each with the line where it begins.

    Raises XmlRefused for what is not well-formed, has a DTD, is nested too deeply or holds too large an element.
    """
    reader = _Reader(names)
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.refuse_dtd
    parser.EntityDeclHandler = reader.refuse_dtd
    reader.parser = parser
    fed = 0
    try:
        while block := stream.read(_BLOCK_BYTES):
            fed += len(block)
            parser.Parse(block, False)
            # A tag or a text that does not end is held by the parser.
            if fed - max(parser.CurrentByteIndex, 0) > ELEMENT_BYTES:
                raise XmlRefused(
                    f"holds a tag of more than {ELEMENT_BYTES >> 20} MB", parser.CurrentLineNumber
                )
            yield from reader.take()
        parser.Parse(b"", True)
        yield from reader.take()
    except expat.ExpatError as problem:
        yield from reader.take()
        raise XmlRefused(
            f"is not well-formed XML ({expat.ErrorString(problem.code)})",
            problem.lineno,
            is_about_the_rest=True,
        ) from None
    except (LookupError, ValueError) as problem:
        # The encoding that the first line declares is not one that is known.
        raise XmlRefused(f"has an encoding that is not read ({problem})", 1) from None


class _Reader:
    def __init__(self, names: frozenset[str] | None) -> None:
        self.parser: Any = None
        self._names = names
        self._depth = 0
        self._open: list[Element] = []
        self._line = 0
        self._size = 0
        self._found: list[tuple[Element, int]] = []

    def take(self) -> list[tuple[Element, int]]:
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEPTH:
            raise XmlRefused(f"is nested more than {DEPTH} deep", self.parser.CurrentLineNumber)
        tag = name.rpartition("}")[2]
        if self._open:
            element = Element(tag)
            self._open[-1].append(element)
        elif self._depth == 2 if self._names is None else tag in self._names:
            element = Element(tag)
            self._line = self.parser.CurrentLineNumber
            self._size = 0
        else:
            return
        for key, value in attributes.items():
            element.set(key.rpartition("}")[2], value)
            self._size += len(key) + len(value)
        self._open.append(element)
        self._count(len(tag) + 50)

    def end(self, name: str) -> None:
        self._depth -= 1
        if self._open:
            element = self._open.pop()
            if not self._open:
                self._found.append((element, self._line))

    def text(self, text: str) -> None:
        if self._open:
            element = self._open[-1]
            if len(element):
                last = element[-1]
                last.tail = (last.tail or "") + text
            else:
                element.text = (element.text or "") + text
            self._count(len(text))

    def refuse_dtd(self, *_: Any) -> None:
        raise XmlRefused("has a DTD, whose entities are never read", self.parser.CurrentLineNumber)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > ELEMENT_BYTES:
            raise XmlRefused(
                f"holds an element of more than {ELEMENT_BYTES >> 20} MB", self.parser.CurrentLineNumber
            )


def as_document(element: Element) -> dict[str, Any]:
    """An element as what a JSON export of it would hold."""
    document: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    repeated: set[str] = set()
    for child in element:
        if len(child):
            value: Any = as_document(child)
        else:
            value = None if child.get("nil") == "true" else (child.text or "").strip()
            document |= {f"{child.tag}@{name}": text for name, text in child.attrib.items()}
        if child.tag in repeated:
            document[child.tag].append(value)
        elif child.tag in document:
            document[child.tag] = [document[child.tag], value]
            repeated.add(child.tag)
        else:
            document[child.tag] = value
    if not len(element) and (element.text or "").strip():
        document["#text"] = (element.text or "").strip()
    return document
