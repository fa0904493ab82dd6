"""Time and memory of reading, cleaning and measuring a large file: ``python -m benchmarks.cleaning [ROWS]``.

A CSV file of interactions (10 million by default) is made with faults of known counts. A process of its own reads it,
cleans it with the default rules, and takes the measures of the data-quality report; the findings must agree with the
counts. The peak of memory is that of the whole process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.memory import peak_bytes
from graph_schema import SCHEMA
from loaders.cleaning import CleaningConfig, clean
from loaders.own import read_table
from loaders.quality.domain import DOMAIN_MEASURES, DomainView
from loaders.raw import RawDomain

RESULT = Path(__file__).parent / "results" / "cleaning.json"
SECONDS, GIGABYTES = 60, 6
"""What reading, cleaning and measuring may take together."""

_ROWS_AT_ONCE = 1_000_000
_USERS, _ITEMS = 1_000_000, 200_000
_EVERY = 1_000
"""Each kind of fault is in one row of so many."""

_FAULTS: dict[tuple[str, str], Callable[[pd.DataFrame], pd.DataFrame]] = {
    ("missing id", "dropped"): lambda rows: rows.assign(user_id="NULL"),
    ("spaces around an id", "repaired"): lambda rows: rows.assign(item_id=" " + rows["item_id"]),
    ("rating with a decimal comma", "repaired"): lambda rows: rows.assign(rating='"3,5"'),
    ("rating is no number", "dropped"): lambda rows: rows.assign(rating="good"),
    ("rating outside its scale", "dropped"): lambda rows: rows.assign(rating="7"),
    ("time in another unit", "repaired"): lambda rows: rows.assign(timestamp=rows["timestamp"] + "000"),
    ("time in another form", "repaired"): lambda rows: rows.assign(timestamp="2010-05-05 10:00:00"),
    ("time that cannot be read", "dropped"): lambda rows: rows.assign(timestamp="soon"),
    ("unreadable line", "dropped"): lambda rows: rows.assign(timestamp=rows["timestamp"] + ",more,fields"),
}


def make(path: Path, rows: int) -> dict[tuple[str, str], int]:
    """Write the file and return how often each fault is in it."""
    counts = dict.fromkeys(_FAULTS, 0)
    with path.open("w", newline="") as stream:
        stream.write("user_id,item_id,rating,timestamp\n")
        for start in range(0, rows, _ROWS_AT_ONCE):
            lines = _lines(min(_ROWS_AT_ONCE, rows - start), start)
            for place, (fault, put) in enumerate(_FAULTS.items()):
                faulty = lines.iloc[place::_EVERY]
                lines.iloc[place::_EVERY] = put(faulty).to_numpy()
                counts[fault] += len(faulty)
            texts = lines["user_id"] + "," + lines["item_id"] + "," + lines["rating"] + "," + lines["timestamp"]
            stream.write("\n".join(texts) + "\n")
    return counts


def _lines(rows: int, seed: int) -> pd.DataFrame:
    """Draw interactions with popular items among them, as text."""
    generator = np.random.default_rng(seed)
    columns = {
        "user_id": "u" + pd.Series((generator.random(rows) ** 2 * _USERS).astype(int)).astype("str"),
        "item_id": "i" + pd.Series((generator.random(rows) ** 2 * _ITEMS).astype(int)).astype("str"),
        "rating": pd.Series(generator.integers(1, 11, rows) / 2).astype("str"),
        "timestamp": pd.Series(generator.integers(10**9, 15 * 10**8, rows)).astype("str"),
    }
    return pd.DataFrame(columns).astype(object)


def measure(path: Path) -> dict[str, Any]:
    """Read, clean and measure the file in this process; seconds per step, peak of memory, and what was found."""
    clock, work = [time.perf_counter()], [time.process_time()]
    table = read_table(path)
    clock.append(time.perf_counter())
    work.append(time.process_time())
    cleaned = clean(RawDomain("films", "Movie", table), CleaningConfig(now=datetime(2024, 1, 1, tzinfo=UTC)))
    del table
    clock.append(time.perf_counter())
    work.append(time.process_time())
    view = DomainView(cleaned.tables, SCHEMA, None)
    figures = [one.of(view) for _, measures in DOMAIN_MEASURES for one in measures]
    clock.append(time.perf_counter())
    work.append(time.process_time())
    steps = ("read", "clean", "measure")
    return {
        "seconds": dict(zip(steps, np.diff(clock).round(1).tolist(), strict=True)),
        "processor_seconds": dict(zip(steps, np.diff(work).round(1).tolist(), strict=True)),
        "total_seconds": round(clock[-1] - clock[0], 1),
        "peak_gigabytes": round(peak_bytes() / 1e9, 2),
        "figures": len(figures),
        "rows_before": cleaned.before["interactions"],
        "rows_after": cleaned.after["interactions"],
        "unaccounted": cleaned.unaccounted["interactions"],
        "findings": [[one.rule, one.action, one.count] for one in cleaned.findings if one.table == "interactions"],
    }


def run(rows: int) -> dict[str, Any]:
    """Make the file, measure it in a process of its own, and compare what was found with what was put there."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "interactions.csv"
        expected = make(path, rows)
        size = path.stat().st_size
        command = [sys.executable, "-m", "benchmarks.cleaning", "--measure", str(path)]
        finished = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    result: dict[str, Any] = json.loads(finished.stdout)
    found = {(rule, action): count for rule, action, count in result["findings"]}
    wrong = {" ".join(key): [count, found.get(key, 0)] for key, count in expected.items() if found.get(key) != count}
    limits = {"seconds": SECONDS, "gigabytes": GIGABYTES}
    return {
        "rows": rows, "file_megabytes": round(size / 1e6), "processors": os.cpu_count(), "load": os.getloadavg()[0],
        "limits": limits, **result, "expected_and_found_differ": wrong,
    }  # fmt: skip


def main(arguments: list[str]) -> None:
    """Measure, print and keep the result; only the default number of rows is kept."""
    if arguments[:1] == ["--measure"]:
        print(json.dumps(measure(Path(arguments[1]))))
        return
    rows = int(arguments[0]) if arguments else 10_000_000
    result = run(rows)
    print(json.dumps(result, indent=1))
    if not arguments:
        RESULT.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
