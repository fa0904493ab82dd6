"""Triples as columns: many at once, out of N-Triples as pyoxigraph writes them, one triple per line.

Lines are cut at their first two blanks, which is where subject and predicate end; what an object says is decoded only
where it is asked for.
"""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

_ESCAPE = re.compile(r"\\U([0-9A-Fa-f]{8})")


class Triples:
    """Triples by predicate. Terms stand as N-Triples has them: ``<IRI>``, ``"text"^^<datatype>``."""

    def __init__(self, text: bytes | memoryview) -> None:
        """Cut the text of an N-Triples file in canonical form."""
        raw = np.frombuffer(text, dtype=np.uint8)
        ends = np.flatnonzero(raw == 10).astype(np.int64) + 1
        offsets = np.concatenate([np.zeros(1, dtype=np.int64), ends])
        lines = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
        parts = pc.split_pattern(lines, " ", max_splits=2).flatten()
        self._subjects, predicates, self._objects = (parts[place::3] for place in range(3))
        coded = predicates.dictionary_encode()
        codes = coded.indices.to_numpy(zero_copy_only=False)
        order = np.argsort(codes, kind="stable")
        bounds = np.searchsorted(codes[order], np.arange(len(coded.dictionary) + 1))
        self._of = {
            predicate: order[bounds[code] : bounds[code + 1]]
            for code, predicate in enumerate(coded.dictionary.to_pylist())
        }

    def __len__(self) -> int:
        return len(self._subjects)

    def of(self, predicate: str) -> tuple[pa.Array, pa.Array]:
        """Subjects and objects of one predicate, given without its brackets."""
        rows = pa.array(self._of.get(f"<{predicate}>", np.empty(0, dtype=np.int64)))
        # Behind the object stand a blank, a dot and the end of the line.
        return self._subjects.take(rows), pc.utf8_slice_codeunits(self._objects.take(rows), 0, -3)


class Terms:
    """Distinct terms with their place."""

    def __init__(self, terms: pa.Array) -> None:
        self.terms = terms

    def __len__(self) -> int:
        return len(self.terms)

    def places(self, terms: pa.Array) -> np.ndarray:
        """Where each of these terms stands; -1 where it does not."""
        coded = terms.dictionary_encode()
        of_distinct = pc.index_in(coded.dictionary, value_set=self.terms).fill_null(-1).to_numpy(zero_copy_only=False)
        found: np.ndarray = of_distinct.astype(np.int64)[coded.indices.to_numpy(zero_copy_only=False)]
        return found if len(self.terms) else np.full(len(terms), -1)


def texts(literals: pa.Array) -> pa.Array:
    """What literals say, without quotes, datatypes and languages."""
    said = pc.replace_substring_regex(literals, r'(?s)^"(.*)"[^"]*$', r"\1")
    escaped = pc.match_substring(said, "\\")
    if not pc.any(escaped).as_py():
        return said
    plain = [_unescaped(one) for one in said.filter(escaped).to_pylist()]
    return pc.replace_with_mask(said, escaped, pa.array(plain, said.type))


def _unescaped(text: str) -> str:
    short = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\U" in text else text
    said: str = json.loads(f'"{short}"', strict=False)
    return said


def values(literals: pa.Array, dtype: str) -> pd.Series:
    """Literals as values of a column that is to have this datatype; a text that is no such value is an error.

    Raises:
        ValueError: a literal says something else.
    """
    said = texts(literals)
    if dtype in ("str", "string", "object"):
        return said.to_pandas().astype(object)
    if dtype in ("bool", "boolean"):
        return pd.Series(pc.equal(said, "true").to_pandas(), dtype="boolean")
    if dtype.startswith("datetime"):
        moments = pd.to_datetime(pd.Series(said.to_pandas()), format="ISO8601", utc=True).astype("datetime64[ns, UTC]")
        return moments if "UTC" in dtype else moments.dt.tz_localize(None)
    if dtype.casefold().startswith(("int", "uint")):
        return pd.Series(said.cast(pa.int64()).to_pandas(), dtype="Int64")
    return pd.Series(pc.replace_substring(said, "INF", "inf").cast(pa.float64()).to_pandas(), dtype="float64")
