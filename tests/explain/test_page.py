"""What the page about explanations shows is run."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loaders import CrossDomainDataset

PAGE = Path(__file__).parent.parent.parent / "docs" / "explanations.md"


@pytest.mark.slow
@pytest.mark.real_data
def test_the_page_runs(
    loaded: Callable[[str], CrossDomainDataset], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded("movielens-genres")
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(block, names)
    told = names["told"]
    assert told.item.name == "Heat (1995)" and told.domain == "suspense" and len(told.paths) == 3
    assert (tmp_path / "heat.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert len(names["every"]) == 20 and {path.through for one in names["every"] for path in one.paths} == {"facts"}
    assert names["found"]["path"].iloc[0][::2] == [node.key for node in told.paths[0].nodes]
