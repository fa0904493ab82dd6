"""What stands behind the public pairs: ``python -m benchmarks.audit [DATA_SET ...]``, all six when none is named.

Twins, ties, sampling, popularity, users to choose on, harm and power, with popularity, ItemKNN and personalised
PageRank as the models. The lines of data sets that are not named stay as they are in `benchmarks/results/audit.json`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import loaders
from benchmarks.memory import peak_bytes
from kgxfer.audit import Audit, audit, source_of

PAIRS = [name for name in loaders.DATA_SETS if name.startswith(("cdrib-", "disencdr-"))]
RESULT = Path(__file__).parent / "results" / "audit.json"
ITEM_KNN = "item_knn"


def measure(name: str) -> dict[str, Any]:
    """Audit a data set: its verdicts, and the figures of the table."""
    clock = time.perf_counter()
    source = source_of(name)
    found = audit(source.final, choosing=source.choosing, config=source.settings)
    return {
        "rows": _rows(found),
        "verdicts": {finding.name: finding.verdict for finding in found.findings},
        "numbers": {finding.name: finding.record()["numbers"] for finding in found.findings},
        "split": found.facts["split"],
        "seconds": round(time.perf_counter() - clock, 1),
        # The largest amount so far, in whole MiB: of one data set only where one was named.
        "memory_mib": peak_bytes() // 2**20,
    }


def _rows(found: Audit) -> list[dict[str, Any]]:
    """One line per tested domain; shares in percent."""
    twins, ties, power = (found[name].numbers for name in ("twins", "ties", "power"))
    return [
        {
            "pair": found.name, "tested in": domain, "twins": int(twins["pairs"]),
            "by chance": round(twins["pairs by chance"], 1),
            "twin rows": _percent(twins[f"share of test rows, {domain}"]),
            "of ItemKNN's gain": _percent(found["twin gain"].numbers[f"share from twins, {ITEM_KNN}, {domain}"]),
            "ItemKNN tied": _percent(ties[f"tied rows, {ITEM_KNN}, {domain}"]),
            "sampled HR": _percent(ties[f"sampled HR, uniform, {ITEM_KNN}, {domain}"]),
            "sampled HR, ties for": _percent(ties[f"sampled HR, optimistic, {ITEM_KNN}, {domain}"]),
            "popularity": _percent(found["popularity of the test"].numbers[f"popularity hits, sampled, {domain}"]),
            "test users validated": _percent(found["validation users"].numbers[f"share of test users, {domain}"]),
            "smallest decidable": _percent(power[f"smallest decidable, {domain}"]),
        }
        for domain in found.facts["split"]["domains"]
    ]


def _percent(share: float) -> float:
    return round(100 * float(share), 2)


def markdown(results: dict[str, Any]) -> str:
    """The table of all pairs measured so far, in their order."""
    rows = [row for name in PAIRS for row in results.get(name, {}).get("rows", [])]
    lines = [list(rows[0]), ["---"] * len(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Audit what is named, and keep and print the table."""
    results = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    for name in sys.argv[1:] or PAIRS:
        results[name] = measure(name)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps({pair: results[pair] for pair in PAIRS if pair in results}, indent=1) + "\n")
    print(markdown(results))


if __name__ == "__main__":
    main()
