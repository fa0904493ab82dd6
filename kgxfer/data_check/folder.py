"""The folder of a data check: the report for programs, and for people."""

from __future__ import annotations

import json
from pathlib import Path

from kgxfer.data_check.page import render
from loaders.files import new_folder
from loaders.quality import QualityReport

PAGE, RECORD = "quality.html", "quality.json"


def save(report: QualityReport, folder: Path) -> None:
    """Write `quality.json` and `quality.html`; the folder appears complete or not at all.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    with new_folder(folder) as draft:
        record = json.dumps(report.record(), ensure_ascii=False, indent=1, allow_nan=False)
        (draft / RECORD).write_text(record + "\n", encoding="utf-8")
        (draft / PAGE).write_text(render(report), encoding="utf-8")
