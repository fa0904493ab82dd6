"""A small random world, and plain dense counterparts of what the baselines read from its graph."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kgxfer.bridges import propose_links
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.recommender import RankingModel
from kgxfer.splits import FixedFiles, Split
from loaders import DomainTables
from tests.worlds import domain_of, pair_of

BRIDGES = ["shared_id", "shared_entity"]


def graph_of(split: Split, combine: str = "same_as_edges") -> KnowledgeGraph:
    return build_graph(split, propose_links(split, BRIDGES), combine)


def dated(domain: DomainTables) -> DomainTables:
    """The same domain with a timestamp on every interaction, spread over 81 days."""
    days = (7 * np.arange(len(domain.interactions))) % 81
    when = pd.Timestamp("2020-01-01") + pd.to_timedelta(days, unit="D")
    return replace(domain, interactions=domain.interactions.assign(timestamp=when))


def random_world() -> Split:
    """A random world: 14 people in both domains, 4 more in each, of whom some are cold; genres, and actors in films."""
    generator = np.random.default_rng(4)

    def likes(letter: str, own: list[str]) -> dict[str, str]:
        people = [f"u{number}" for number in range(14)] + own
        return {
            person: " ".join(f"{letter}{item}" for item in sorted(generator.permutation(9)[: generator.integers(1, 6)]))
            for person in people
        }

    genres = [{f"{letter}{item}": f"g{item % 3} g{(item + 1) % 4}" for item in range(8)} for letter in "bf"]
    acted = pd.DataFrame(
        {
            "head_id": ["x", "x", "y"],
            "head_type": "Person",
            "relation": "ACTED_IN",
            "tail_id": ["f0", "f5", "f5"],
            "tail_type": "Movie",
        }
    )
    films = likes("f", [f"t{number}" for number in range(4)])
    books = likes("b", [f"s{number}" for number in range(4)])
    dataset = pair_of(
        dated(domain_of("books", "Book", books, items=["b9"], genres=genres[0])),
        dated(domain_of("films", "Movie", films, items=["f9"], genres=genres[1], facts=acted)),
        test={"films": {person: films[person] for person in ("u0", "u1", "u2")}},
        valid={"films": {person: films[person] for person in ("u3", "u4", "u5")}},
    )
    return FixedFiles().split(dataset)


def dense_matrix(split: Split, joint: bool = True) -> tuple[np.ndarray, list[str], dict[str, slice]]:
    """People (per domain where not joint) by items, read from the training rows with nothing but loops."""
    domains = split.dataset.domains
    items = [(domain.domain, item) for domain in domains for item in domain.items["item_id"]]
    users = list(dict.fromkeys(user for domain in domains for user in domain.users["user_id"]))
    people = users if joint else [f"{domain.domain}/{user}" for domain in domains for user in users]
    matrix = np.zeros((len(people), len(items)))
    for row in split.train[split.train["relevant"]].itertuples():
        person = row.user_id if joint else f"{row.domain}/{row.user_id}"
        matrix[people.index(person), items.index((row.domain, row.item_id))] = 1
    first = len(domains[0].items)
    return matrix, people, {domains[0].domain: slice(0, first), domains[1].domain: slice(first, len(items))}


def dense_facts(split: Split) -> np.ndarray:
    """Entities by items; an entity of both domains is one row."""
    items = [(domain.domain, item) for domain in split.dataset.domains for item in domain.items["item_id"]]
    cells: dict[tuple[str, str], np.ndarray] = {}
    for domain in split.dataset.domains:
        for row in domain.facts.itertuples():
            ends = [(row.head_type, row.head_id), (row.tail_type, row.tail_id)]
            entity, item = sorted(ends, key=lambda end: end[0] == domain.item_type)
            cells.setdefault(entity, np.zeros(len(items)))[items.index((domain.domain, item[1]))] += 1
    return np.array(list(cells.values()))


def rows_for(model: RankingModel, split: Split, domain: str, people: list[str], joint: bool) -> list[int]:
    return [people.index(user if joint else f"{domain}/{user}") for user in model.catalogue.user_ids]


def scaled(values: np.ndarray) -> np.ndarray:
    return np.where(values > 0, 1 / np.maximum(values, 1e-12), 0)
