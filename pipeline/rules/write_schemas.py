"""JSON Schemas of the files that people write, for editors: they complete keys and mark what `sla` would refuse.

`make schemas` writes them again; `sla init` copies them into a workspace, where the first line of each file names its own.
"""

from __future__ import annotations

import json
from pathlib import Path

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from pipeline.calendars.calendar_file import CalendarFile
from pipeline.declarations.declared import Declared
from pipeline.rules.access_file import AccessFile
from pipeline.rules.mapping_file import MappingFile
from pipeline.rules.plan_file import PlanFile
from pipeline.rules.sources_file import SlaFile
from pipeline.rules.words_file import WordsFile
from pipeline.settings import CHECKOUT

SCHEMAS_FOLDER = CHECKOUT / "data" / "reference" / "schemas"
# Kind of file -> its model. A kind that is added here is written and shipped with the others.
DECLARED_FILES: dict[str, type[Declared]] = {
    "sla": SlaFile,
    "plan": PlanFile,
    "calendars": CalendarFile,
    "mapping": MappingFile,
    "words": WordsFile,
    "access": AccessFile,
}


class _UntitledSchema(GenerateJsonSchema):
    """Pydantic's schema without a title for every field, which would only repeat its key."""

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """What is written in one of several ways; some words may be read in two of them, such as `{unknown: pass}`."""
        found = super().tagged_union_schema(schema)
        return {"anyOf" if key == "oneOf" else key: value for key, value in found.items()}


def render_schema(model: type[Declared]) -> str:
    schema: JsonSchemaValue = model.model_json_schema(schema_generator=_UntitledSchema)
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(dialect | schema, indent=1, ensure_ascii=False) + "\n"


def write_schemas(folder: Path = SCHEMAS_FOLDER) -> None:
    """One file per kind, such as `plan.schema.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    for kind, model in DECLARED_FILES.items():
        (folder / f"{kind}.schema.json").write_text(render_schema(model), encoding="utf-8")


if __name__ == "__main__":
    write_schemas()
