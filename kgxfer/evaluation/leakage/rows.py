"""Leaks that the rows of a split show by themselves."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from kgxfer.evaluation.leakage.coded import Coded, among, distinct
from kgxfer.evaluation.leakage.finding import Finding, Kind, Severity

_TEMPORAL = re.compile(r"\b(temporal|time|last|latest)\b")
_PER_USER = re.compile(r"\b(per user|each user|leave-one-out|user's)\b")


def row_findings(coded: Coded) -> list[Finding]:
    """Rows in two parts, repeated rows, cold-start users who are warm, and whose rows serve for choosing."""
    return [*_shared(coded), *_repeated(coded), *_warm(coded), *_choosing(coded)]


def time_findings(coded: Coded) -> list[Finding]:
    """Training rows later than the test, under a protocol that claims to divide by time.

    A protocol claims it by the words temporal, time, last or latest. It divides everyone at one cut, unless it says
    per user, each user or leave-one-out: then only a user's own rows are compared. Rows of equal time are in order.
    Late rows that are not relevant, and those of an untested domain, are no part of what is ranked: warned.
    """
    split, protocol = coded.split, coded.split.protocol.lower()
    if not _TEMPORAL.search(protocol) or "timestamp" not in split.train:
        return []
    train, test = split.train["timestamp"], split.test["timestamp"]
    if _PER_USER.search(protocol):
        first = test.groupby(coded.test.place).min()
        late = (train > pd.Series(coded.train.place).map(first).set_axis(train.index)).to_numpy()
        return _late(coded, late, None, "later than the user's first test row")
    found = []
    for code in np.unique(coded.test.domain):
        cut = test[coded.test.domain == code].min()
        # A domain that is tested has a cut of its own.
        here = (coded.train.domain == code) | bool((coded.test.domain == code).all())
        late = (train > cut).to_numpy() & here
        found += _late(coded, late, code, f"later than {cut}, when the test of {coded.domain_names[code]} begins")
    return found


def _late(coded: Coded, late: np.ndarray, tested: int | None, text: str) -> list[Finding]:
    relevant = coded.split.train["relevant"].to_numpy(dtype=bool)
    if tested is not None:
        relevant = relevant & (coded.train.domain == tested)
    found = []
    cases: tuple[tuple[Severity, np.ndarray, str], ...] = (
        ("error", late & relevant, ""), ("warning", late & ~relevant, "not ranked and "),
    )
    for severity, rows, what in cases:
        count = int(rows.sum())
        if count:
            domains = ", ".join(coded.domain_names[code] for code in np.unique(coded.train.domain[rows]))
            message = (
                f"{count} training rows are {what}{text}; drop them from training, or call the protocol something else"
            )
            found.append(Finding(Kind.TRAINING_AFTER_TEST, severity, f"train, {domains}", count, message))
    return found


def _shared(coded: Coded) -> list[Finding]:
    found = []
    for name, rows in (("train", coded.train), ("valid", coded.valid)):
        count = int(among(coded.test.pair, rows.pair).sum())
        if count:
            message = f"{count} test rows are rows of {name} too; keep each row in one part"
            found.append(Finding(Kind.ROWS_IN_TWO_PARTS, "error", f"{name} and test", count, message))
    count = int(among(coded.valid.pair, coded.train.pair).sum())
    if count:
        message = (
            f"{count} validation rows are training rows too, so that choosing rewards what was memorised; take them "
            "out of training until everything is chosen (Split.for_refit puts them back)"
        )
        found.append(Finding(Kind.VALIDATION_IN_TRAINING, "error", "train and valid", count, message))
    return found


def _repeated(coded: Coded) -> list[Finding]:
    found = []
    for name, rows in (("train", coded.train), ("valid", coded.valid), ("test", coded.test)):
        count = len(rows.pair) - len(distinct(rows.pair))
        if count:
            message = f"{count} rows of {name} repeat another one and count twice; keep each (user, item) once"
            severity: Severity = "warning" if name == "train" else "error"
            found.append(Finding(Kind.REPEATED_ROWS, severity, name, count, message))
    return found


def _warm(coded: Coded) -> list[Finding]:
    train = coded.train.take(among(coded.train.place, coded.cold))
    # A row that is held out as well is named as what it is, a row in two parts.
    count = len(distinct(train.place[~_held_out(coded, train.pair)]))
    if not count:
        return []
    message = (
        f"{count} of {len(coded.cold)} cold-start users have training rows in the domain they are tested in; take the "
        "rows out of training, or the users off the list of cold-start users"
    )
    return [Finding(Kind.COLD_USER_TRAINED, "error", "train", count, message)]


def _held_out(coded: Coded, pair: np.ndarray) -> np.ndarray:
    return among(pair, np.concatenate([coded.valid.pair, coded.test.pair]))


def _choosing(coded: Coded) -> list[Finding]:
    # Warm users are known to a model anyway; for cold-start users the figure is a claim about people never met.
    tested = np.intersect1d(coded.cold, coded.test.place)
    count = int(among(tested, coded.valid.place).sum())
    if not count:
        return []
    message = (
        f"{count} of {len(tested)} cold-start users have validation rows in the domain they are tested in, so choosing "
        "looks at the users of the test; choose on pseudo-cold users, or on one half of them for the other"
    )
    return [Finding(Kind.CHOSEN_ON_TEST_USERS, "warning", "valid", count, message)]
