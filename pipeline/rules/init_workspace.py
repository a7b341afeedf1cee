"""Write an empty, commented workspace: `sla init DIR`."""

from __future__ import annotations

import shutil
from pathlib import Path

from pipeline.errors import ConfigurationError
from pipeline.rules.load_reference import HEADER_COMMENTS, REFERENCE_FILES
from pipeline.settings import CHECKOUT

_TEMPLATE = Path(__file__).resolve().parent / "workspace_template"
_SHIPPED = CHECKOUT / "data" / "reference"
# Folder below reference/ -> the files of it that a new workspace gets. The first line of each YAML file names its schema.
_COPIED = {"plans": "*.yml", "calendars": "*.yml", "schemas": "*.schema.json"}


def init_workspace(directory: Path) -> list[Path]:
    """Fill a new or empty folder and give the files written, in order of name.

    Raises ConfigurationError when the folder holds anything, or cannot be written.
    """
    if directory.exists() and not directory.is_dir():
        raise ConfigurationError(f"{directory} is a file. Name a new or an empty folder.")
    if directory.is_dir() and any(directory.iterdir()):
        raise ConfigurationError(
            f"{directory} is not empty. Name a new or an empty folder; nothing was written."
        )
    if not _SHIPPED.is_dir():
        raise ConfigurationError(
            f"The plans to copy are not in {_SHIPPED}. Install from a checkout and keep it."
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_TEMPLATE / "sla.yml", directory / "sla.yml")
        (directory / "inbox").mkdir()
        (directory / "branding").mkdir()
        (directory / "reference" / "mappings").mkdir(parents=True)
        shutil.copyfile(
            _TEMPLATE / "my_helpdesk.yml", directory / "reference" / "mappings" / "my_helpdesk.yml"
        )
        for name, files in _COPIED.items():
            folder = directory / "reference" / name
            folder.mkdir(parents=True, exist_ok=True)
            for source in sorted((_SHIPPED / name).glob(files)):
                shutil.copyfile(source, folder / source.name)
        shutil.copyfile(_SHIPPED / "words.yml", directory / "reference" / "words.yml")
        for name, columns in REFERENCE_FILES.items():
            comment = f"{HEADER_COMMENTS[name]}\n" if name in HEADER_COMMENTS else ""
            text = f"{comment}{','.join(columns)}\n"
            (directory / "reference" / f"{name}.csv").write_text(text, encoding="utf-8")
    except OSError as problem:
        raise ConfigurationError(f"{directory} cannot be written: {problem}.") from problem
    return sorted(path for path in directory.rglob("*") if path.is_file())
