"""How fast official files are read and how much memory it takes: ``python -m benchmarks.reading [PART OF A NAME]``.

Files of two sizes, one a third of the other, are made in the official formats, and each is read in a process of its
own, as rows (`read_domain`) and as checked tables (`load_domain`). The memory beyond that of the bare program grows
with the rows; its slope between the two sizes says what 10 GB of the format would take.
Seconds are the processor's. The lines of formats that are not named stay as they are in `results/reading.json`.
"""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import loaders
from benchmarks.memory import peak_bytes

RESULT = Path(__file__).parent / "results" / "reading.json"
LARGE_BYTES = 10e9
_ROWS_AT_ONCE = 10_000
_TEXT = "the story was good and so were most of the people in it, although not always; " * 6


def _ids(prefix: str, numbers: np.ndarray, digits: int) -> np.ndarray:
    return np.char.add(prefix, np.char.zfill(numbers.astype(str), digits))


def _pairs(rng: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw users and items with popular ones among them, and times."""
    users, items = (rng.random(rows) ** 2 * 4_000_000).astype(int), (rng.random(rows) ** 2 * 700_000).astype(int)
    return _ids("A", users, 13), _ids("B", items, 9), rng.integers(10**9, 15 * 10**8, rows)


def _reviews(rng: np.random.Generator) -> str:
    """Lines of about 650 bytes, as those of Amazon's reviews."""
    lines = [
        f'{{"overall": {rating}.0, "verified": true, "reviewTime": "05 1, 2015", "reviewerID": "{user}", '
        f'"asin": "{item}", "style": {{"Format:": " Paperback"}}, "reviewerName": "A Reader", "reviewText": "{_TEXT}", '
        f'"summary": "Good", "unixReviewTime": {moment}}}'
        for user, item, moment, rating in zip(
            *_pairs(rng, _ROWS_AT_ONCE), rng.integers(1, 6, _ROWS_AT_ONCE), strict=True
        )
    ]
    return "\n".join(lines) + "\n"


def _ratings(rng: np.random.Generator) -> str:
    users, items, moments = _pairs(rng, _ROWS_AT_ONCE)
    return "\n".join(f"{i},{u},4.0,{t}" for u, i, t in zip(users, items, moments, strict=True)) + "\n"


def _descriptions(rng: np.random.Generator) -> str:
    """Lines of about 500 bytes of Python, as those of Amazon's descriptions of 2014."""
    lines = [
        f"{{'asin': '{item}', 'title': \"It's a book\", 'price': 9.5, 'salesRank': {{'Books': 7}}, 'related': "
        f"{{'also_bought': {[f'B{number:09d}' for number in range(15)]}}}, 'categories': "
        f"[['Books', 'Crime'], ['Books', 'Noir']], 'description': '{_TEXT[:100]}'}}"
        for item in _pairs(rng, _ROWS_AT_ONCE)[1]
    ]
    return "\n".join(lines) + "\n"


def _films(rng: np.random.Generator) -> str:
    rows = zip(
        (rng.random(_ROWS_AT_ONCE) * 160_000).astype(int) + 1,
        (rng.random(_ROWS_AT_ONCE) ** 2 * 60_000).astype(int) + 1,
        rng.integers(1, 11, _ROWS_AT_ONCE) / 2,
        rng.integers(10**9, 15 * 10**8, _ROWS_AT_ONCE),
        strict=True,
    )
    return "\n".join(f"{user},{film},{rating},{moment}" for user, film, rating, moment in rows) + "\n"


def _text(make: Callable[[np.random.Generator], str], megabytes: float, header: str = "") -> Iterator[str]:
    """Yield whole lines until there are enough bytes."""
    rng = np.random.default_rng(0)
    yield header
    written = 0
    while written < megabytes * 1e6:
        lines = make(rng)
        written += len(lines)
        yield lines


def _write(path: Path, parts: Iterator[str]) -> int:
    """Write a file, compressed where its name says so, and return its bytes before compression."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with gzip.open(path, "wb", compresslevel=1) if path.suffix == ".gz" else path.open("wb") as stream:
        for part in parts:
            size += stream.write(part.encode())
    return size


def _make_reviews(root: Path, megabytes: float) -> int:
    return _write(root / "amazon-reviews/2018/Books.json.gz", _text(_reviews, megabytes))


def _make_ratings(root: Path, megabytes: float) -> int:
    return _write(root / "amazon-reviews/2018/Books.csv", _text(_ratings, megabytes))


def _make_descriptions(root: Path, megabytes: float) -> int:
    _write(root / "amazon-reviews/2014/ratings_Books.csv", _text(_ratings, 1))
    return _write(root / "amazon-reviews/2014/meta_Books.json.gz", _text(_descriptions, megabytes))


def _make_films(root: Path, megabytes: float) -> int:
    films = (f"{film},Film {film} (1999),Drama|Crime\n" for film in range(1, 60_002))
    _write(root / "movielens/movies.csv", iter(["movieId,title,genres\n", *films]))
    return _write(root / "movielens/ratings.csv", _text(_films, megabytes, "userId,movieId,rating,timestamp\n"))


@dataclass(frozen=True)
class Case:
    """A format: how its files are made, how large before compression, and what reads them."""

    make: Callable[[Path, float], int]
    megabytes: float
    name: str
    options: Mapping[str, Any]


CASES: dict[str, Case] = {
    "Amazon 2018, reviews, JSON in gzip": Case(
        _make_reviews, 900, "amazon-reviews", {"release": "2018", "form": "reviews", "descriptions": False}
    ),
    "Amazon 2018, ratings, CSV": Case(_make_ratings, 90, "amazon-reviews", {"release": "2018", "descriptions": False}),
    "Amazon 2014, descriptions, Python literals in gzip": Case(
        _make_descriptions, 20, "amazon-reviews", {"release": "2014"}
    ),
    "MovieLens 25M, ratings, CSV": Case(_make_films, 90, "movielens", {"release": "25m", "whole": False}),
}


def _one(task: str, case: str, root: str) -> dict[str, Any]:
    """What a process of its own measures: seconds, lines, and the largest amount of memory before and after."""
    import warnings

    warnings.simplefilter("ignore")
    before = peak_bytes() / 2**20
    clock = time.process_time()
    name, options = CASES[case].name, CASES[case].options
    if task == "read":
        raw = loaders.read_domain(name, root, **options)
        described = case.startswith("Amazon 2014") and raw.items is not None
        lines = len(raw.items.frame) if described and raw.items is not None else len(raw.interactions.frame)
    else:
        lines = len(loaders.load_domain(name, root, **options).interactions)
    seconds = time.process_time() - clock
    return {"lines": lines, "seconds": seconds, "before": before, "peak": peak_bytes() / 2**20}


def _measured(task: str, case: str, root: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.reading", task, case, str(root)]
    finished = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def measure(case: str) -> dict[str, Any]:
    """Make the files of a case in two sizes and read them."""
    found: dict[str, Any] = {}
    sizes = []
    peaks: dict[str, list[float]] = {"read": [], "load": []}
    for size in (CASES[case].megabytes / 3, CASES[case].megabytes):
        with tempfile.TemporaryDirectory() as folder:
            sizes.append(CASES[case].make(Path(folder), size))
            for task, seen in peaks.items():
                run = _measured(task, case, Path(folder))
                seen.append(run["peak"] - run["before"])
                if task == "read":
                    found |= {"lines": run["lines"], "lines per second": round(run["lines"] / run["seconds"])}
                    found["MB per second"] = round(sizes[-1] / 1e6 / run["seconds"], 1)
                    found["program, MiB"] = round(run["before"])
                else:
                    found["tables, seconds"] = round(run["seconds"], 1)
    found["MB"] = round(sizes[1] / 1e6)
    for task, word in (("read", "rows"), ("load", "tables")):
        slope = max(peaks[task][1] - peaks[task][0], 0) / (sizes[1] - sizes[0])
        found[f"{word}, peak MiB"] = round(peaks[task][1])
        found[f"{word}, MiB of 10 GB, extrapolated"] = round(peaks[task][1] + slope * (LARGE_BYTES - sizes[1]))
    return found


def main() -> None:
    """Measure all cases, or, inside a process of its own, one."""
    if len(sys.argv) == 4:
        print(json.dumps(_one(*sys.argv[1:])))
        return
    results = json.loads(RESULT.read_text()) if RESULT.is_file() else {}
    for case in [case for case in CASES if not sys.argv[1:] or sys.argv[1] in case]:
        results[case] = measure(case)
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
