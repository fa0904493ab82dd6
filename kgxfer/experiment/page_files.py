"""How every page is filled in, and a folder with an answer for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loaders.files import new_folder

SHARED = Path(__file__).parent
"""Where `parts.html.jinja` lies, which templates anywhere may import from."""


def filled(template: Path, **values: Any) -> str:
    """Fill a template in; everything from the data is escaped, and a name without a value is an error.

    Args:
        template: its path; it may import from templates beside it and in `SHARED`.
        values: by their names in the template.
    """
    environment = Environment(
        loader=FileSystemLoader([template.parent, SHARED]), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**values)


def save_both(folder: Path, pages: Mapping[str, str], records: Mapping[str, Any]) -> None:
    """Write pages and records, by the names of their files; the folder appears complete or not at all.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    with new_folder(folder) as draft:
        for name, value in records.items():
            text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
            (draft / name).write_text(text + "\n", encoding="utf-8")
        for name, text in pages.items():
            (draft / name).write_text(text, encoding="utf-8")
