"""Types of single values in files that people write: what pydantic checks, and what is said of a value that is none."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    PlainValidator,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, core_schema

from pipeline.declarations.dates import hint_zone, parse_date, parse_moment
from pipeline.declarations.explain_errors import refused
from pipeline.zones import known_zones


@dataclass(frozen=True)
class Refusal:
    """For `Annotated`: what is said of a value that the type before it does not take. `{value}` stands for the value."""

    reason: str
    hint: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            handler(source),
            custom_error_type="wrong_value",
            custom_error_message="wrong value",
            custom_error_context={"reason": self.reason, "hint": self.hint},
        )


@dataclass(frozen=True)
class OneOf:
    """For `Annotated`: text out of a vocabulary; any other is reported with the nearest."""

    known: Sequence[str]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(
            core_schema.literal_schema(list(self.known)),
            custom_error_type="unknown_name",
            custom_error_message="unknown name",
            custom_error_context={"known": list(self.known)},
        )


def whole_number(minimum: int, maximum: int) -> Any:
    """For `Annotated[int, ...]`, unpacked: a whole number within bounds, both included."""
    reason = f"{{value}} is not a whole number from {minimum} to {maximum}."
    return Field(strict=True, ge=minimum, le=maximum), Refusal(reason, "Correct it.")


def filled(reason: str, hint: str) -> AfterValidator:
    """For `Annotated`: a list or a mapping that must not be empty, and what is said where it is."""

    def require(value: Any) -> Any:
        if not value:
            raise refused(reason, hint)
        return value

    return AfterValidator(require)


def matching(pattern: str, reason: str, hint: str) -> Any:
    """For `Annotated[Text, ...]`, unpacked: text of a pattern, and what is said of any other."""

    def require(value: str) -> str:
        if not re.search(pattern, value):
            raise refused(f"{value!r} {reason}", hint)
        return value

    return AfterValidator(require), Field(json_schema_extra={"pattern": pattern})


def told_apart_by(key: str, known: Sequence[str]) -> Discriminator:
    """For `Annotated`: which of several models, each with its `Tag`, a mapping is: the one that stands under `key`."""

    def find_kind(value: Any) -> str | None:
        kind = value.get(key) if isinstance(value, dict) else getattr(value, key, None)
        return kind if isinstance(kind, str) else None

    told: dict[str, Any] = {"key": key, "known": list(known)}
    return Discriminator(
        find_kind,
        custom_error_type="unknown_kind",
        custom_error_message="unknown kind",
        custom_error_context=told,
    )


def _read_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _require_filled(value: str) -> str:
    if not value.strip():
        raise refused("the value is empty.", "Write one.")
    return value


def _check_zone(value: str) -> str:
    if value not in known_zones():
        raise refused(f"{value!r} is not a time zone.", hint_zone(value, known_zones()))
    return value


def _check_moment(value: str) -> str:
    if parse_moment(value, "UTC") is None:
        raise refused(
            f"{value!r} is neither a date nor an instant with its zone.",
            "Write it like 2026-11-22, or like 2026-11-22T06:00:00Z.",
        )
    return value


def read_date(value: object) -> date:
    """For a validator: a date as it is written."""
    day = parse_date(value) if isinstance(value, str) else None
    if day is None:
        raise refused(f"{value!r} is not a date.", "Write it as 2026-12-25.")
    return day


def _refuse_repetitions(values: tuple[Any, ...]) -> tuple[Any, ...]:
    for index, value in enumerate(values):
        if value in values[:index]:
            raise refused(f"{value!r} stands here twice.", "Keep one of the two.", (index,))
    return values


# Whole numbers count as text, as they are written.
PossiblyEmptyText = Annotated[str, BeforeValidator(_read_text)]
Text = Annotated[PossiblyEmptyText, AfterValidator(_require_filled)]
# What other files refer to.
Name = Annotated[
    Text,
    *matching(
        r"^[a-z][a-z0-9_]*$",
        "is not a usable name.",
        "Use lower case letters, digits and underscores, beginning with a letter.",
    ),
]
Flag = Annotated[bool, Field(strict=True)]
Zone = Annotated[Text, AfterValidator(_check_zone)]
# A date, or an instant with its zone, as it is written; `parse_moment` reads it once its zone is known.
Moment = Annotated[Text, AfterValidator(_check_moment)]
Date = Annotated[date, PlainValidator(read_date), WithJsonSchema({"type": "string", "format": "date"})]
# For `Annotated`, unpacked: a list in which nothing may stand twice.
UNREPEATED: Any = (AfterValidator(_refuse_repetitions), Field(json_schema_extra={"uniqueItems": True}))
