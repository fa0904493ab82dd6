"""The folder of a data check: the report for programs, and for people."""

from __future__ import annotations

from pathlib import Path

from kgxfer.data_check.page import render
from kgxfer.experiment.page_files import save_both
from loaders.quality import QualityReport

PAGE, RECORD = "quality.html", "quality.json"


def save(report: QualityReport, folder: Path) -> None:
    """Write `quality.json` and `quality.html`; the folder appears complete or not at all.

    Raises:
        InputError: the folder exists already, or the disk is full.
    """
    save_both(folder, {PAGE: render(report)}, {RECORD: report.record()})
