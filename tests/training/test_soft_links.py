"""A world in which nothing but soft links between items carries the answer, and a model that has to find it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from kgxfer.bridges import propose_links, shuffle_links
from kgxfer.bridges.links import link_table
from kgxfer.evaluation import EvaluationConfig, evaluate
from kgxfer.graph import build_graph
from kgxfer.model import TransferModel
from kgxfer.splits import FixedFiles, Split
from kgxfer.training import Trainer
from tests.worlds import Likes, domain_of, pair_of

ITEMS, BLOCK = 8, 4


def whole_block(letter: str, person: int) -> str:
    return " ".join(f"{letter}{item}" for item in range(person % 2, ITEMS, 2))


@pytest.fixture(scope="module")
def split() -> Split:
    """Two blocks of books and of films. Who reads sees no film in training, who sees films does not read, and there
    are no facts: which block of films belongs to which block of books nobody says. In the test readers see theirs."""
    readers: Likes = {f"u{person}": whole_block("b", person) for person in range(12)}
    held: Likes = {f"u{person}": whole_block("f", person) for person in range(12)}
    viewers: Likes = {f"v{person}": whole_block("f", person) for person in range(12)}
    test = {user: held[user] for user in list(held)[:6]}
    valid = {user: held[user] for user in list(held)[6:]}
    books, films = domain_of("books", "Book", readers), domain_of("films", "Movie", {**viewers, **held})
    return FixedFiles().split(pair_of(books, films, {"films": test}, {"films": valid}))


def alike(films: list[int]) -> pd.DataFrame:
    """Book n is like film films[n]."""
    ids = [f"f{number}" for number in films]
    return link_table([f"b{n}" for n in range(ITEMS)], ids, "Item", 1.0, "hand", "", "SIMILAR_TO")


def recall(split: Split, soft: pd.DataFrame, seed: int) -> float:
    """Share of the films of the right block among the first four, for readers who are new to films."""
    links = pd.concat([propose_links(split, ["shared_id"]), soft], ignore_index=True)
    model = TransferModel("relational", dim=8, encoder_settings={"learning_rate": 0.01})
    settings = {"share": 0.3, "hidden_share": 0.0, "negatives": 16, "rows_per_domain": 128}
    trainer = Trainer(epochs=2, steps_per_epoch=5, supervision_settings=settings)
    recommender = trainer.fit(model, build_graph(split, links), split, rng=seed)
    return evaluate({"": recommender}, split, EvaluationConfig(k=BLOCK)).value("", f"recall@{BLOCK}", "films")


def test_a_soft_link_alone_carries_the_answer(split: Split) -> None:
    """Links inside the blocks give the right one, links across them the wrong one."""
    right, wrong = list(range(ITEMS)), [item ^ 1 for item in range(ITEMS)]
    for seed in range(2):
        assert recall(split, alike(right), seed) == 1
        assert recall(split, alike(wrong), seed) == 0


def test_shuffled_soft_links_are_chance(split: Split) -> None:
    """An item of 8 gets one of the 7 others, 3 of them of its own block; a draw is right as far as its links are."""
    true = alike(list(range(ITEMS)))
    found = [recall(split, shuffle_links(true, np.random.default_rng(seed)), seed) for seed in range(8)]
    # Between 0 and 1 a draw deviates by at most 1/2, so that two standard errors of eight draws are 0.35.
    assert np.mean(found) == pytest.approx(3 / 7, abs=0.35)
