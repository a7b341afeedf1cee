"""One JSON list as documents: its elements as texts, one after the other, without building any of them."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator

import pyarrow as pa

from pipeline.ingest.files.exports import Content, Export, open_export, reject
from pipeline.ingest.files.limits import DOCUMENT_BYTES
from pipeline.ingest.files.read_ndjson import Lines
from pipeline.ingest.files.refused import Refused

_BLOCK_BYTES = 4 << 20
_CHUNK_CHARACTERS = 16 << 20
_BLANK = re.compile(r"\s*")
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
_TOO_LONG = f"an element is longer than {DOCUMENT_BYTES >> 20} MB, or one before it is damaged"
_AGAIN = "Export the file again, or export one JSON object a line."


def read_list(export: Export) -> Iterator[Lines]:
    """The elements of the list with the line where each begins.

    A list that is cut off costs its last element only. One that is damaged inside is refused whole, since what follows
    cannot be told from the damage: InputRejected names the line.
    """
    with open_export(export) as stream:
        yield from _Elements(export, stream).read()


class _Elements:
    """The text still to be read, and where in the file it lies."""

    def __init__(self, export: Export, stream: Content) -> None:
        self._export = export
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text = ""
        self._at = 0
        self._line = 1
        self._counted_to = 0
        self._has_ended = False

    def read(self) -> Iterator[Lines]:
        numbers: list[int] = []
        texts: list[str] = []
        characters = 0
        self._skip("\ufeff")
        self._expect("[")
        is_first = True
        while True:
            found = self._peek()
            if found == "]":
                break
            if not is_first and found == ",":
                self._at += 1
                found = self._peek()
                if found == "]":
                    raise self._damaged("a comma stands before its end")
            elif not is_first and found:
                raise self._damaged("a comma is missing between two elements")
            is_first = False
            number = self._line_here()
            text = self._take_element() if found else None
            if text is None:
                refused = Refused(
                    number,
                    None,
                    self._text[self._at : self._at + 500],
                    "is truncated: the list ends inside it",
                    _AGAIN,
                )
                yield _lines(numbers, texts, [refused])
                return
            numbers.append(number)
            texts.append(text)
            characters += len(text)
            if characters > _CHUNK_CHARACTERS:
                yield _lines(numbers, texts, [])
                numbers, texts, characters = [], [], 0
        self._at += 1
        if self._peek():
            raise self._damaged("something follows the end of the list")
        yield _lines(numbers, texts, [])

    def _take_element(self) -> str | None:
        """The text of the next element; None when the file ends inside it."""
        while True:
            try:
                _, end = _DECODER.raw_decode(self._text, self._at)
            except RecursionError:
                raise self._damaged("an element is nested too deeply") from None
            except ValueError as problem:
                # Counted from the element: loading moves the text.
                inside = problem.pos - self._at if isinstance(problem, json.JSONDecodeError) else 0
                if self._load(len(self._text) - self._at):
                    continue
                place = self._at + inside
                is_cut_off = place >= len(self._text.rstrip()) or "Unterminated string" in str(problem)
                if is_cut_off:
                    return None
                self._at = place
                raise self._damaged(str(getattr(problem, "msg", "it is no JSON"))) from None
            if end - self._at > DOCUMENT_BYTES:
                raise self._damaged(_TOO_LONG)
            # A number at the very end may go on in the next block.
            if end < len(self._text) or not self._load(0):
                text = self._text[self._at : end]
                self._at = end
                return text

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            blank = _BLANK.match(self._text, self._at)
            assert blank is not None
            self._at = blank.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._load(0):
                return ""

    def _skip(self, character: str) -> None:
        self._load(0)
        if self._text.startswith(character):
            self._at += 1

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._damaged("it does not begin with a bracket")
        self._at += 1

    def _load(self, held: int) -> bool:
        """Read more, as much again as an element that is not complete already has; False at the end."""
        if held > DOCUMENT_BYTES:
            raise self._damaged(_TOO_LONG)
        if self._has_ended:
            return False
        block = self._stream.read(max(_BLOCK_BYTES, held))
        self._has_ended = not block
        try:
            more = self._decoder.decode(block, final=not block)
        except UnicodeDecodeError as problem:
            self._text += problem.object[: problem.start].decode("utf-8", "replace")
            self._at = len(self._text)
            raise self._damaged("it is not UTF-8") from None
        self._line_here()
        self._text = self._text[self._at :] + more
        self._at = self._counted_to = 0
        return bool(more) or not self._has_ended

    def _line_here(self) -> int:
        self._line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._line

    def _damaged(self, reason: str) -> Exception:
        return reject(self._export, f"the JSON list is damaged: {reason}.", _AGAIN, self._line_here())


def _lines(numbers: list[int], texts: list[str], refused: list[Refused]) -> Lines:
    # The escapes of half a character pass JSON, but no file can hold what they stand for; the engine judges them.
    table = pa.table({"line_number": pa.array(numbers, pa.int64()), "line": pa.array(texts, pa.string())})
    return Lines(table, refused, None)
