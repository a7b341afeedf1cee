"""Parquet as a table of texts, so that the same column contracts judge it as judge a CSV.

Text stays as it is, whole numbers become digits, booleans `true` and `false`, instants with a zone
`2026-07-01T09:00:00Z`, without one the text of `write_date`, other numbers their shortest digits. Every other type is
refused with its column, since no rule says how to write it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.ingest.files.exports import Export, open_file, reject
from pipeline.ingest.files.limits import COLUMNS, RATIO_FREE_BYTES, RATIO_LIMIT, ROW_GROUP_BYTES, ROWS
from pipeline.ingest.files.read_xlsx import write_date, write_number

_BATCH_ROWS = 16_384
_AGAIN = "Fetch the export again."


@contextmanager
def open_parquet(
    export: Export, date_formats: tuple[str, ...]
) -> Iterator[tuple[list[str], Iterator[list[list[str]]]]]:
    """The column names, and the rows in chunks, to be read once. Raises InputRejected."""
    with open_file(export) as stream:
        try:
            file = pq.ParquetFile(stream)
            yield _check_footer(export, file), _read_rows(file, date_formats)
        # Arrow reports most damage as an OSError of its own making; one of the system has a number.
        except (pa.ArrowException, OSError, ValueError, OverflowError) as problem:
            if isinstance(problem, OSError) and problem.errno is not None:
                raise
            raise reject(export, "the Parquet file is damaged or cut off.", _AGAIN) from None


def _check_footer(export: Export, file: pq.ParquetFile) -> list[str]:
    footer = file.metadata
    if footer.num_columns > COLUMNS:
        raise reject(
            export,
            f"the file has {footer.num_columns:,} columns; the limit is {COLUMNS:,}.",
            "Export fewer columns.",
        )
    if footer.num_rows > ROWS:
        raise reject(export, f"the file has {footer.num_rows:,} rows; the limit is {ROWS:,}.", "Split it.")
    schema = file.schema_arrow
    for field in schema:
        if not _is_writable(field.type):
            raise reject(
                export,
                f"the type {field.type} has no declared way to be written as text.",
                "Export it as text.",
                field=field.name,
            )
    sizes = [footer.row_group(group).total_byte_size for group in range(footer.num_row_groups)]
    if any(size > ROW_GROUP_BYTES for size in sizes):
        raise reject(
            export,
            f"a row group unpacks to more than {ROW_GROUP_BYTES >> 20} MB.",
            "Write smaller row groups.",
        )
    packed = export.path.stat().st_size
    if sum(sizes) > max(RATIO_FREE_BYTES, packed * RATIO_LIMIT):
        raise reject(
            export,
            f"the file grows more than {RATIO_LIMIT} times when unpacked.",
            "Write it without compression if it is genuine.",
        )
    return list(schema.names)


def _is_writable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    return any(
        is_kind(kind)
        for is_kind in (
            pa.types.is_string,
            pa.types.is_large_string,
            pa.types.is_integer,
            pa.types.is_floating,
            pa.types.is_decimal,
            pa.types.is_boolean,
            pa.types.is_timestamp,
            pa.types.is_date,
            pa.types.is_null,
        )
    )


def _read_rows(file: pq.ParquetFile, date_formats: tuple[str, ...]) -> Iterator[list[list[str]]]:
    for batch in file.iter_batches(_BATCH_ROWS, use_threads=False):
        columns = [_to_texts(column, date_formats) for column in batch.columns]
        yield [list(row) for row in zip(*columns, strict=True)]


def _to_texts(column: pa.Array, date_formats: tuple[str, ...]) -> list[str]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        # Nanoseconds are no Python datetime; landed instants are whole seconds.
        column = column.cast(pa.timestamp("us", column.type.tz), safe=False)
        if column.type.tz is not None:
            column = column.cast(pa.timestamp("us", "UTC"))
    return [_to_text(value, date_formats) for value in column.to_pylist()]


def _to_text(value: Any, date_formats: tuple[str, ...]) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float() | Decimal():
            number = Decimal(repr(value)) if isinstance(value, float) else value
            return write_number(number) if number.is_finite() else str(value)
        case datetime() if value.tzinfo is not None:
            return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case datetime():
            return write_date(value.replace(microsecond=0), date_formats)
        case date():
            return write_date(datetime(value.year, value.month, value.day), date_formats)
    raise ValueError(f"no rule for {type(value).__name__}")
