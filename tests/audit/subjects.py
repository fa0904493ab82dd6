"""Small subjects of audits: splits with known answers, and models that are lists."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kgxfer.audit import Listed, listed_model
from kgxfer.audit.audit import BRIDGES
from kgxfer.audit.subject import AuditConfig, Subject, prepare
from kgxfer.experiment.config import GraphConfig
from kgxfer.experiment.state import Ground
from kgxfer.splits import LeaveOneOut, Split
from tests.worlds import TARGET, Likes, checkerboard, split_of

PEOPLE, FILMS = 24, 33


def cold_split(valid_users: int = 0) -> Split:
    """Twenty-four people, 11 books and 33 films; people 0-7 are cold in films, and tested on two of them each.

    The films f0 .. f3, the most popular, are twins of the books b0 .. b3: whoever reads the book sees the film. No
    other pair has more than one common user. The tested people n = 0 .. 3 have read b{n} and are tested on f{n}, a twin
    row, and on f{20 + n}. People 4-7 have read no twin and are tested on f{10 + n} and f{20 + n}. Of the first
    `valid_users` people there is a validation row too.
    """
    books, films, test, valid = {}, {}, {}, {}
    for person in range(PEOPLE):
        own = person % 4
        books[f"u{person}"] = f"b{4 + person % 7}" if 4 <= person < 8 else f"b{own} b{4 + person % 7}"
        seen = [own, 10 + person % 10, 20 + person % 9, 30 + person % 10]
        if person < 8:
            seen = [own if person < 4 else 10 + person, 20 + person]
            test[f"u{person}"] = " ".join(f"f{film}" for film in seen)
        if person < valid_users:
            valid[f"u{person}"] = "f39"
            seen = [*seen, 39]
        films[f"u{person}"] = " ".join(f"f{film}" for film in seen)
    return split_of(books, films, {TARGET: test}, {TARGET: valid} if valid else None)


def warm_split(people: int = 40) -> Split:
    """The checkerboard, everyone tested on one liked film."""
    return LeaveOneOut(domains=["target"]).split(checkerboard(people, 12))


def lists(split: Split, likes: Likes) -> Listed:
    """A model of lists of films, best first."""
    rows = [(user, item, -place) for user, items in likes.items() for place, item in enumerate(items.split())]
    return listed_model(pd.DataFrame(rows, columns=["user_id", "item_id", "score"]), split, TARGET)


def subject_of(split: Split, models: Mapping[str, Listed] | None = None, **settings: object) -> Subject:
    """What the checks read, everything chosen on the split's own validation rows."""
    ground = Ground.of(split, GraphConfig(bridges=BRIDGES))
    config = AuditConfig.parse({"k": 2, "sampled_negatives": 10, **settings}, "test")
    return prepare(ground, ground, models or {}, {}, config, lambda line: None)
