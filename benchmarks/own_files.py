"""How fast a user's own files are read: ``python -m benchmarks.own_files [ROWS]``.

Files of one table (user, item, rating, time) are made in several forms, clean and faulty, and each is read in a process
of its own. Seconds are of the clock and of the processor; other work on the machine lengthens only the former.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.memory import peak_bytes

RESULT = Path(__file__).parent / "results" / "own_files.json"
HEADER = b"user_id,item_id,rating,timestamp\n"
_ROWS_AT_ONCE = 500_000


def _rows(rows: int) -> bytes:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "user_id": rng.integers(0, 500_000, rows),
            "item_id": rng.integers(0, 100_000, rows),
            "rating": rng.integers(1, 11, rows) / 2,
            "timestamp": rng.integers(10**9, 17 * 10**8, rows),
        }
    )
    text: str = frame.to_csv(index=False, header=False, lineterminator="\n")
    return text.encode()


def _quoted(rows: bytes) -> bytes:
    return b'"' + rows[:-1].replace(b",", b'","').replace(b"\n", b'"\n"') + b'"\n'


def _faulty(rows: bytes) -> bytes:
    """Spoil one line in a hundred, in turn: ragged, a quote left open, doubled quotes, Latin-1, a NUL."""
    lines = rows.split(b"\n")[:-1]
    spoilt = (b'"a ""b"" c",%b', b'"%b', b"%b,x", b"\xe9%b", b"\0%b")
    for number, line in enumerate(lines[::100]):
        lines[number * 100] = spoilt[number % len(spoilt)] % (line.partition(b",")[2] if number % 5 == 0 else line)
    return b"\n".join(lines) + b"\n"


def _objects(rows: bytes) -> bytes:
    lines = [line.split(b",") for line in rows.split(b"\n")[:-1]]
    return b"".join(b'{"user_id": %b, "item_id": %b, "rating": %b, "timestamp": %b}\n' % tuple(line) for line in lines)


FORMS: dict[str, tuple[str, bytes, Callable[[bytes], bytes], float]] = {
    "CSV": ("ratings.csv", HEADER, lambda rows: rows, 1.0),
    "CSV, gzip": ("ratings.csv.gz", HEADER, lambda rows: rows, 1.0),
    "CSV, all fields quoted": ("quoted.csv", HEADER, _quoted, 1.0),
    "CSV, one line in 100 faulty": ("faulty.csv", HEADER, _faulty, 1.0),
    "separator ::": ("ratings.dat", b"", lambda rows: rows.replace(b",", b"::"), 1.0),
    "JSON lines": ("ratings.jsonl", b"", _objects, 0.1),
}
"""Form -> file name, first line, how it is made of plain rows, and of how many rows compared with the others."""


def write(path: Path, header: bytes, form: Callable[[bytes], bytes], rows: int) -> None:
    """Make a file of the same block of rows over and over, so that making it takes little time and memory."""
    block = form(_rows(min(rows, _ROWS_AT_ONCE)))
    if path.suffix == ".gz":
        header, block = gzip.compress(header, 1), gzip.compress(block, 1)
    with path.open("wb") as file:
        file.write(header)
        for _ in range(0, rows, _ROWS_AT_ONCE):
            file.write(block)


def measure(path: Path) -> dict[str, Any]:
    """Read a file in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.own_files", "--read", str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own program)
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def read(path: Path) -> dict[str, Any]:
    """Read a file here and say what it took."""
    from loaders.own import read_table

    before = peak_bytes()
    start, processor = time.perf_counter(), time.process_time()
    table = read_table(path)
    return {
        "rows": len(table.frame),
        "bad_lines": len(table.bad_lines),
        "file_mb": round(path.stat().st_size / 1e6, 1),
        "seconds": round(time.perf_counter() - start, 1),
        "processor_seconds": round(time.process_time() - processor, 1),
        "peak_gb": round(peak_bytes() / 1e9, 2),
        "program_gb": round(before / 1e9, 2),
    }


def main(rows: int) -> None:
    """Measure every form and keep the figures."""
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (file, header, form, share) in FORMS.items():
            path = Path(folder) / file
            write(path, header, form, int(rows * share))
            figures[name] = measure(path)
            path.unlink()
            print(name, figures[name], flush=True)
    RESULT.write_text(json.dumps({"rows": rows, "forms": figures}, indent=2) + "\n")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--read"]:
        print(json.dumps(read(Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
