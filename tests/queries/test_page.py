"""The page of docs says what the pack is today."""

from __future__ import annotations

from pathlib import Path

from kgxfer.queries.page import page

PAGE = Path(__file__).parent.parent.parent / "docs" / "queries.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m kgxfer.queries.page > docs/queries.md"
