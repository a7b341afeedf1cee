"""A YAML file as a pydantic model that is read to its end: every problem is kept with its place, none ends the reading.

Pydantic stops a model at its first wrong field, so that what depends on the others could not be checked in the same run.
Here a wrong or missing field becomes a problem and a harmless stand-in: a default, else an empty value.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, get_origin

from pydantic import (
    BaseModel,
    ConfigDict,
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
    model_validator,
)
from pydantic.fields import FieldInfo

from pipeline.declarations.explain_errors import explain_error
from pipeline.declarations.problems import Place, name_nearest
from pipeline.declarations.read_yaml import Key, YamlDocument
from pipeline.errors import Problem

_MISSING = object()
# Of a value that must be there; text for everything else.
_STAND_INS: dict[Any, Any] = {int: 0, bool: False, tuple: (), dict: {}}


@dataclass
class _Reading:
    """One file while it is read: the places of the models that are being read, outermost first."""

    document: YamlDocument
    problems: list[Problem]
    places: list[Place] = field(default_factory=list)
    is_silent: bool = False

    @contextmanager
    def within(self, place: Place) -> Iterator[None]:
        self.places.append(place)
        try:
            yield
        finally:
            self.places.pop()

    @contextmanager
    def silently(self) -> Iterator[None]:
        """Within it nothing is reported: what is read is a stand-in, or is read once more."""
        was_silent, self.is_silent = self.is_silent, True
        try:
            yield
        finally:
            self.is_silent = was_silent

    def place_of(self, value: dict[Key, Any]) -> Place:
        return Place(self.document, self.document.mappings.get(id(value), ()), self.problems)

    def record(self, error: ValidationError, key: Key, value: object) -> set[Key]:
        """Keep what is wrong with the value under `key`, and give the keys within it that hold what is wrong."""
        wrong: set[Key] = set()
        for one in error.errors(include_url=False):
            path = _find_path(one["loc"], value)
            wrong |= set(path[:1])
            for inner, reason, hint in () if self.is_silent else explain_error(one):
                self.places[-1].report([key, *path, *inner], reason, hint)
        return wrong


def _find_path(location: tuple[Key, ...], value: Any) -> list[Key]:
    """The part of pydantic's location that the file holds; the rest names alternatives, or says that a key is meant."""
    path: list[Key] = []
    for step in location:
        is_there = (
            step in value
            if isinstance(value, dict)
            else isinstance(value, list) and step in range(len(value))
        )
        if is_there:
            value = value[step]
            path.append(step)
    return path


class Declared(BaseModel):
    """Base of everything that a file may say. Each field is a key; unknown keys are reported with the nearest known one.

    A key without a value counts as not written, where it need not be.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    def check(self, place: Place) -> None:
        """Report what single values cannot show. A wrong value of this model has its stand-in here."""

    @model_validator(mode="wrap")
    @classmethod
    def _read(cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo) -> Self:
        reading = info.context
        if not isinstance(reading, _Reading) or not isinstance(value, dict):
            return handler(value)
        fields = {declared.alias or name: declared for name, declared in cls.model_fields.items()}
        given = {
            key: one
            for key, one in value.items()
            if key in fields and (one is not None or fields[str(key)].is_required())
        }
        missing = [key for key in fields if fields[key].is_required() and key not in value]
        place = reading.place_of(value)
        if not reading.is_silent:
            for key in value:
                if key not in fields:
                    place.report([key], "this key is not known here.", name_nearest(key, fields))
            for key in missing:
                place.report([], f"the key {key!r} is missing.", "Add it.")
        with reading.within(place):
            read = handler(given | dict.fromkeys(missing, _MISSING))
        if not reading.is_silent:
            read.check(place)
        return read

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_going(cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo) -> Any:
        reading = info.context
        if not isinstance(reading, _Reading):
            return handler(value)
        assert info.field_name is not None
        declared = cls.model_fields[info.field_name]
        kind = get_origin(declared.annotation) or declared.annotation
        if value is None and kind in (tuple, dict):
            value = _STAND_INS[kind]
        if value is not _MISSING:
            try:
                return handler(value)
            except ValidationError as error:
                wrong = reading.record(error, declared.alias or info.field_name, value)
                with reading.silently():
                    return _read_rest(value, wrong, handler, _stand_in(declared, kind, reading))
        return _stand_in(declared, kind, reading)


def _read_rest(value: Any, wrong: set[Key], handler: ValidatorFunctionWrapHandler, stand_in: Any) -> Any:
    """A list or a mapping without its wrong entries: others may refer to the rest. Models keep their number, as empty ones."""
    if not wrong or not isinstance(value, dict | list):
        return stand_in
    if isinstance(value, list):
        # Without its wrong entries, the numbers of the others would be wrong.
        rests: list[Any] = [[{} if index in wrong else one for index, one in enumerate(value)]]
    else:
        rests = [
            {key: {} if key in wrong else one for key, one in value.items()},
            {key: one for key, one in value.items() if key not in wrong},
        ]
    for rest in rests:
        try:
            return handler(rest)
        except ValidationError:
            continue
    return stand_in


def _stand_in(declared: FieldInfo, kind: Any, reading: _Reading) -> Any:
    if not declared.is_required():
        return declared.get_default(call_default_factory=True, validated_data={})
    if isinstance(kind, type) and issubclass(kind, Declared):
        with reading.silently():
            return kind.model_validate({}, context=reading)
    return _STAND_INS.get(kind, "")


AnyDeclared = TypeVar("AnyDeclared", bound=Declared)


def read_declared(
    model: type[AnyDeclared], document: YamlDocument, problems: list[Problem]
) -> tuple[AnyDeclared, Place]:
    """The whole file as `model`, and its place. What is wrong is added to `problems`; without any, all of it is as written."""
    reading = _Reading(document, problems)
    place = Place(document, (), problems)
    data = {} if document.data is None else document.data
    if not isinstance(data, dict):
        for _, reason, hint in explain_error({"type": "model_type", "input": data}):
            place.report([], reason, hint)
        with reading.silently():
            return model.model_validate({}, context=reading), place
    return model.model_validate(data, context=reading), place
