"""Faults that files of interactions have, one small function each, and what cleaning has to make of them.

A function takes a raw domain and the rows it may use, and returns the domain with one fault per row. Faults that cannot
be repaired come as further rows, so that the clean tables are those of the domain without faults; rows of interactions
are used by one fault only.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from loaders.raw import BadLine, RawDomain, RawTable

Change = Callable[[RawDomain, np.ndarray], RawDomain]

FUTURE, LONG_AGO = "4102444800", "86400"


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        put: puts one fault into each of the rows.
        rule, table, action: of the finding that has to report them, with as many rows.
        needs: which rows of the table can have the fault; None: every one.
    """

    put: Change
    rule: str
    table: str
    action: str
    needs: Callable[[pd.DataFrame], np.ndarray] | None = None


def _table(raw: RawDomain, name: str) -> RawTable:
    table = getattr(raw, name)
    assert isinstance(table, RawTable)
    return table


def _with(raw: RawDomain, name: str, frame: pd.DataFrame, bad: tuple[BadLine, ...] = ()) -> RawDomain:
    table = _table(raw, name)
    lines = np.arange(2, 2 + len(frame))
    tables: dict[str, Any] = {name: replace(table, frame=frame, lines=lines, bad_lines=table.bad_lines + bad)}
    return replace(raw, **tables)


def changed(table: str, column: str, change: Callable[[pd.Series], Any]) -> Change:
    """Change a column of the rows in their places."""

    def put(raw: RawDomain, rows: np.ndarray) -> RawDomain:
        frame = _table(raw, table).frame.copy()
        column_number = frame.columns.get_loc(column)
        frame.iloc[rows, column_number] = np.asarray(change(frame[column].iloc[rows]), dtype=object)
        return _with(raw, table, frame)

    return put


def added(table: str, **values: Any) -> Change:
    """Append a copy of each of the rows in which the columns named have other values: one, or a function of the old."""

    def put(raw: RawDomain, rows: np.ndarray) -> RawDomain:
        frame = _table(raw, table).frame
        more = frame.iloc[rows].reset_index(drop=True)
        more = more.assign(**{name: new(more[name]) if callable(new) else new for name, new in values.items()})
        return _with(raw, table, pd.concat([frame, more], ignore_index=True))

    return put


def unreadable_lines(raw: RawDomain, rows: np.ndarray) -> RawDomain:
    """Lines that gave no row."""
    bad = tuple(BadLine(int(row), "too few fields", "1,2") for row in rows)
    return _with(raw, "interactions", _table(raw, "interactions").frame, bad)


def _mojibake(names: pd.Series) -> pd.Series:
    return names.map(lambda name: name.encode("utf-8").decode("latin-1"))


def _accented(frame: pd.DataFrame) -> np.ndarray:
    """Say which names have an accented letter, and so two forms in Unicode."""
    texts = frame["name"].fillna("")
    return np.asarray((texts.str.normalize("NFD") != texts) & (texts.str.normalize("NFC") == texts))


def _latin(frame: pd.DataFrame) -> np.ndarray:
    """Say which names have an accented letter whose bytes read as two letters that hardly stand side by side."""
    return np.asarray(frame["name"].fillna("").str.contains("[éèäöüß]", regex=True))


def _named(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(frame["name"].notna())


def _dated(frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(frame["name"].notna() & frame["year"].notna())


def _of_good_users(frame: pd.DataFrame) -> np.ndarray:
    """Say which rows are a user's who rated at least ten times, so that one fault more makes no other user of them."""
    return np.asarray(frame["user_id"].map(frame["user_id"].value_counts()) >= 10)


def _milliseconds(times: pd.Series) -> pd.Series:
    return times + "000"


def _iso(times: pd.Series) -> pd.Series:
    return pd.to_datetime(times.astype("int64"), unit="s").dt.strftime("%Y-%m-%dT%H:%M:%S")


def _earlier(times: pd.Series) -> pd.Series:
    return (times.astype("int64") - 100).astype("str")


def _decomposed(names: pd.Series) -> pd.Series:
    return names.map(lambda name: unicodedata.normalize("NFD", name))


REPAIRED, DROPPED = ("interactions", "repaired"), ("interactions", "dropped")
MERGED = ("interactions", "merged")
more, other = partial(added, "interactions"), partial(changed, "interactions")
renamed = partial(changed, "items", "name")

FAULTS: Mapping[str, Fault] = {
    "unreadable lines": Fault(unreadable_lines, "unreadable line", *DROPPED),
    "missing ids": Fault(more(user_id=" NA"), "missing id", *DROPPED),
    "empty ids": Fault(more(item_id=None), "missing id", *DROPPED),
    "spaces around ids": Fault(
        other("user_id", lambda ids: " " + ids + "\t"), "spaces around an id", *REPAIRED
    ),
    "ids as decimals": Fault(
        other("item_id", lambda ids: ids + ".0"), "id written as a decimal number", *REPAIRED
    ),
    "control characters in ids": Fault(
        other("item_id", lambda ids: "\ufeff" + ids), "control characters in an id", *REPAIRED
    ),
    "long ids": Fault(more(item_id="9" * 300), "id too long", *DROPPED),
    "decimal commas": Fault(
        other("rating", lambda ratings: ratings.str.replace(".", ",")),
        "rating with a decimal comma", *REPAIRED,
        lambda frame: frame["rating"].str.contains(".", regex=False).to_numpy(),
    ),
    "words for ratings": Fault(more(rating="good"), "rating is no number", *DROPPED),
    "missing ratings": Fault(more(rating=None), "missing rating", *DROPPED),
    "ratings outside the scale": Fault(
        more(rating="6.5"), "rating outside its scale", *DROPPED, _of_good_users
    ),
    "times in milliseconds": Fault(
        other("timestamp", _milliseconds), "time in another unit", *REPAIRED
    ),
    "times as text": Fault(other("timestamp", _iso), "time in another form", *REPAIRED),
    "times in the future": Fault(more(timestamp=FUTURE), "time in the future", *DROPPED),
    "times long ago": Fault(
        more(timestamp=LONG_AGO), "time before the earliest", *DROPPED
    ),
    "words for times": Fault(more(timestamp="soon"), "time that cannot be read", *DROPPED),
    "missing times": Fault(more(timestamp=None), "missing time", *DROPPED),
    "exact copies": Fault(more(), "exact copy of an interaction", *MERGED),
    "earlier ratings": Fault(
        more(rating="1", timestamp=_earlier), "repeated interaction", *MERGED
    ),
    "unknown items": Fault(
        more(item_id=lambda ids: "99" + ids.str.zfill(9)), "unknown item", *DROPPED
    ),
    "HTML": Fault(
        renamed(lambda names: names.str.replace("e", "&#101;", n=1)), "HTML in a text", "items", "repaired",
        lambda frame: frame["name"].fillna("").str.contains("e").to_numpy(),
    ),
    "mojibake": Fault(renamed(_mojibake), "wrongly decoded text", "items", "repaired", _latin),
    "decomposed letters": Fault(
        renamed(_decomposed), "unequal Unicode form", "items", "repaired", _accented
    ),
    "spaces in names": Fault(
        renamed(lambda names: "  " + names + "\n"), "superfluous white space", "items", "repaired", _named
    ),
    "control characters in names": Fault(
        renamed(lambda names: names + "\x00\u200b"), "control characters in a text", "items", "repaired",
        _named,
    ),
    "impossible years": Fault(
        changed("items", "year", lambda years: "1" + years), "year that is none", "items", "emptied", _dated
    ),
    "copied items": Fault(added("items"), "exact copy of a row", "items", "merged"),
    "conflicting items": Fault(
        added("items", name="Something else"), "conflicting rows of one id", "items", "merged", _named
    ),
    "items under two ids": Fault(
        added("items", item_id=lambda ids: "88" + ids.str.zfill(9), name=lambda names: names.str.upper() + "!"),
        "item listed under two ids", "items", "merged", _dated,
    ),
    "copied facts": Fault(added("facts"), "fact that is there twice", "facts", "merged"),
    "misspelt relations": Fault(
        added("facts", relation="HAS_GENER"), "relation or type outside the schema", "facts", "dropped"
    ),
    "facts about unknown items": Fault(
        added("facts", head_id=lambda ids: "77" + ids.str.zfill(9)), "unknown item", "facts", "dropped"
    ),
}  # fmt: skip


Key = tuple[str, str, str]
"""Rule, table and action of a finding."""

OTHER_SCALE: Key = ("rating on another scale", *REPAIRED)


def inject(
    raw: RawDomain, counts: Mapping[str, int], users_of_hundred: int = 0, rng: int = 0
) -> tuple[RawDomain, Counter[Key]]:
    """Return the domain with so many faults of each kind, no two of them in one row, and the findings to expect.

    Args:
        users_of_hundred: so many users rate up to 100 where the others rate up to 5.
    """
    generator = np.random.default_rng(rng)
    free = {name: np.ones(len(_table(raw, name).frame), dtype=bool) for name in ("interactions", "items", "facts")}
    expected: Counter[Key] = Counter()
    chosen = {}
    if users_of_hundred:
        users = raw.interactions.frame["user_id"]
        scaled = np.flatnonzero(users.isin(generator.choice(users.unique(), users_of_hundred, replace=False)))
        raw = other("rating", lambda ratings: (ratings.astype(float) * 20).astype("str"))(raw, scaled)
        free["interactions"][scaled] = False
        expected[OTHER_SCALE] = len(scaled)
    # The pickiest first, or others take the rows that they need.
    for name in sorted(counts, key=lambda name: FAULTS[name].needs is None):
        fault = FAULTS[name]
        possible = free[fault.table].copy()
        if fault.needs is not None:
            possible &= fault.needs(_table(raw, fault.table).frame)
        chosen[name] = generator.choice(np.flatnonzero(possible), counts[name], replace=False)
        free[fault.table][chosen[name]] = False
        expected[fault.rule, fault.table, fault.action] += counts[name]
    for name, rows in chosen.items():
        raw = FAULTS[name].put(raw, rows)
    return raw, expected
