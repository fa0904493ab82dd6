"""A generated world whose truth is known: shoppers of a large shop, some of whom begin to take online courses.

Every person has a taste, a concentrated Dirichlet draw over K topics, and the taste is the *same in both domains*.
Every item belongs to one topic. What shows the topic is its keywords, entities with equal ids in both domains. An
interaction is drawn with probability proportional to

    p(item | person) ~ ((1 - wander) * taste[person, topic of item] + wander / K) * popularity[item]

without repeats. With as many source interactions as source items there is hardly any collaborative signal: a method has
to find the taste through the keywords. Because p is known, so is the best ranking there can be (`World.oracle_scores`);
shuffling who is who between the domains gives the floor. Judge methods over many seeds, never on one world.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from graph_schema.errors import InputError, unknown_name
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.pairing import assert_counts, pair

SOURCE = "e-commerce"
TARGET = "online-education"
_SEED_PARTS = ("people", "taste", "source items", "target items", "source interactions", "target interactions")
_CELLS_AT_ONCE = 4_000_000
"""Users times items handled in one go, which bounds the memory that a large world takes."""


class CaseStudyConfig(BaseModel):
    """Sizes and strengths of a world; the defaults are the case study's.

    `overlap` is the share of the target users who are source users too; `wander` the share of interactions made
    whatever the topic; `keyword_noise` the share of an item's keywords that come from any topic; `category_signal` the
    share of items whose category follows from the topic.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: int = Field(default=0, ge=0)
    overlap: float = Field(default=1.0, ge=0, le=1)
    source_users: int = Field(default=1_000, ge=2)
    source_items: int = Field(default=10_000, ge=10)
    source_interactions: int = Field(default=10_000, ge=2)
    target_users: int = Field(default=50, ge=2)
    target_items: int = Field(default=500, ge=10)
    target_interactions: int = Field(default=500, ge=2)
    topics: int = Field(default=20, ge=2)
    keywords_per_topic: int = Field(default=6, ge=4)
    categories: int = Field(default=12, ge=1)
    concentration: float = Field(default=0.08, gt=0)
    popularity_exponent: float = Field(default=0.4, ge=0, le=2)
    wander: float = Field(default=0.05, gt=0, le=1)
    keyword_noise: float = Field(default=0.15, ge=0, le=1)
    category_signal: float = Field(default=0.2, ge=0, le=1)
    overlapping_source_minimum: int = Field(default=5, ge=1)

    @property
    def overlapping_users(self) -> int:
        """The number of people in both domains."""
        return round(self.overlap * self.target_users)

    @model_validator(mode="after")
    def _interactions_fit(self) -> Self:
        source_minimum = self.source_users + self.overlapping_users * (self.overlapping_source_minimum - 1)
        for domain, least, given, cells in (
            (SOURCE, source_minimum, self.source_interactions, self.source_users * self.source_items),
            (TARGET, self.target_users, self.target_interactions, self.target_users * self.target_items),
        ):
            if not least <= given <= cells // 4:
                raise ValueError(f"{domain} cannot have {given} interactions; choose from {least} to {cells // 4}")
        if self.overlapping_users > self.source_users:
            raise ValueError(f"{self.overlapping_users} overlapping users exceed the {self.source_users} source users")
        if self.overlapping_source_minimum > self.source_items:
            raise ValueError(f"overlapping_source_minimum exceeds the {self.source_items} source items")
        return self


@dataclass(frozen=True, eq=False)
class World:
    """A generated data set and its truth.

    Attributes:
        dataset: what a method may see.
        oracle: true probability that a person's next interaction is with an item, shape [target users, target items],
            in the order of the target's tables; each row sums to 1; read-only.
        source_topics: the topic of each source item, in the order of the source's items.
        target_topics: the topic of each target item, in the order of the target's items.
    """

    dataset: CrossDomainDataset
    oracle: np.ndarray
    source_topics: np.ndarray
    target_topics: np.ndarray

    def oracle_scores(self, user_ids: Iterable[str]) -> np.ndarray:
        """Return the true probabilities of these target users, shape [users, target items]; InputError if unknown."""
        known = pd.Index(self.dataset.target.users["user_id"])
        wanted = list(user_ids)
        rows = known.get_indexer(pd.Index(wanted, dtype="str"))
        if (rows < 0).any():
            raise unknown_name("target user", wanted[int((rows < 0).argmax())], known[:10])
        scores: np.ndarray = self.oracle[rows]
        return scores


def card_of(config: CaseStudyConfig) -> DataCard:
    """Return the card of the worlds with this configuration; the counts hold for every seed."""
    sizes = {
        f"{SOURCE}.users": config.source_users,
        f"{SOURCE}.items": config.source_items,
        f"{SOURCE}.interactions": config.source_interactions,
        f"{TARGET}.users": config.target_users,
        f"{TARGET}.items": config.target_items,
        f"{TARGET}.interactions": config.target_interactions,
    }
    return DataCard(
        name="case-study",
        title="Case study: a generated shop and its course platform",
        url="",
        sha256={},
        size_bytes=0,
        licence="Apache-2.0 (made by this package)",
        redistributable=True,
        citation="Generated by loaders.synthetic.case_study; no real person is in it.",
        counts={"overlapping_users": config.overlapping_users, **sizes},
    )


CARD = card_of(CaseStudyConfig())


OPTIONS = tuple(CaseStudyConfig.model_fields)
"""The names of the options of `load`."""


def load(root: Path | None = None, **options: Any) -> CrossDomainDataset:
    """Return the data set of a world, without its truth; `root` is not needed, options are those of the configuration.

    Raises:
        InputError: an option that does not exist or a value out of bounds.
    """
    try:
        config = CaseStudyConfig(**options)
    except ValidationError as error:
        raise _input_error(error) from error
    return generate(config).dataset


def _input_error(error: ValidationError) -> InputError:
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":
        return unknown_name('option of data set "case-study"', str(first["loc"][0]), OPTIONS)
    place = f'option "{first["loc"][0]}"={first["input"]}' if first["loc"] else "options"
    return InputError(f'data set "case-study": {place}: {first["msg"]}; change the value')


def generate(config: CaseStudyConfig) -> World:
    """Make the world of a configuration; equal configurations give equal bytes.

    Each part draws from a random stream of its own, so that changing one size leaves the other parts as they are.
    """
    streams = {part: np.random.default_rng([config.seed, number]) for number, part in enumerate(_SEED_PARTS)}
    people = _people(config, streams["people"])
    tastes = _tastes(config, streams["taste"])
    worlds = {}
    for domain, members in ((SOURCE, people[0]), (TARGET, people[1])):
        side = "source" if domain == SOURCE else "target"
        items = _items(config, domain, streams[f"{side} items"])
        shares = tastes[members][:, items.topics]
        degrees = _degrees(config, domain, people, streams[f"{side} interactions"])
        drawn = _draw(shares, items.popularity, degrees, streams[f"{side} interactions"])
        worlds[domain] = (_tables(card_of(config), domain, members, items, drawn), items, shares)
    dataset = assert_counts(pair("case-study", worlds[SOURCE][0], worlds[TARGET][0]), card_of(config))
    oracle = worlds[TARGET][2] * worlds[TARGET][1].popularity
    oracle /= oracle.sum(axis=1, keepdims=True)
    topics = [worlds[domain][1].topics for domain in (SOURCE, TARGET)]
    for array in (oracle, *topics):
        array.flags.writeable = False
    return World(dataset, oracle, *topics)


@dataclass(frozen=True)
class _Items:
    """The items of one domain as arrays: topic, relative popularity, and which item has which entity."""

    topics: np.ndarray
    popularity: np.ndarray
    keyword_items: np.ndarray
    keywords: np.ndarray
    categories: np.ndarray


def _people(config: CaseStudyConfig, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the numbers of the people in the source and in the target; who overlaps is drawn at random."""
    source = np.arange(config.source_users)
    shuffled = rng.permutation(config.source_users)
    newcomers = config.source_users + np.arange(config.target_users - config.overlapping_users)
    return source, np.sort(np.concatenate([shuffled[: config.overlapping_users], newcomers]))


def _tastes(config: CaseStudyConfig, rng: np.random.Generator) -> np.ndarray:
    """Return the taste of every person, shape [people, topics]: one taste each, whatever the domain."""
    people = config.source_users + config.target_users
    concentrated = rng.dirichlet(np.full(config.topics, config.concentration), size=people)
    return (1 - config.wander) * concentrated + config.wander / config.topics


def _items(config: CaseStudyConfig, domain: str, rng: np.random.Generator) -> _Items:
    """Give every item a topic, a popularity by its rank, 2 to 4 keywords and a category."""
    count = config.source_items if domain == SOURCE else config.target_items
    topics = rng.permutation(np.arange(count) % config.topics)
    popularity = (1.0 + rng.permutation(count)) ** -config.popularity_exponent
    wanted = rng.integers(2, 5, size=count)
    within = np.argsort(rng.random((count, config.keywords_per_topic)), axis=1)[:, :4]
    keywords = topics[:, None] * config.keywords_per_topic + within
    strange = rng.integers(0, config.topics * config.keywords_per_topic, size=keywords.shape)
    keywords = np.where(rng.random(keywords.shape) < config.keyword_noise, strange, keywords)
    kept = np.arange(4) < wanted[:, None]
    telling = rng.random(count) < config.category_signal
    categories = np.where(telling, topics % config.categories, rng.integers(0, config.categories, size=count))
    pairs = np.unique(np.column_stack([np.nonzero(kept)[0], keywords[kept]]), axis=0)
    return _Items(topics, popularity, pairs[:, 0], pairs[:, 1], categories)


def _degrees(
    config: CaseStudyConfig, domain: str, people: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Return how many interactions each user has: a minimum, and the rest of the exact total by activity."""
    if domain == SOURCE:
        users, items, total = config.source_users, config.source_items, config.source_interactions
        minimum = np.where(np.isin(people[0], people[1]), config.overlapping_source_minimum, 1)
    else:
        users, items, total = config.target_users, config.target_items, config.target_interactions
        minimum = np.ones(users, dtype=np.int64)
    room = items - minimum
    activity = rng.lognormal(sigma=0.6, size=users)
    wanted = np.ceil(activity / activity.sum() * total * 8).astype(np.int64)
    places = np.minimum(wanted, room)
    rest = total - int(minimum.sum())
    if places.sum() < rest:
        places = room
    return minimum + rng.multivariate_hypergeometric(places, rest, method="marginals")


def _draw(
    shares: np.ndarray, popularity: np.ndarray, degrees: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw each user's items without repeats, with probability proportional to share times popularity.

    The items with the smallest exponential(1) / weight are such a draw (Efraimidis and Spirakis 2006), for all users of
    a block at once.
    """
    users, items = shares.shape
    most = int(degrees.max())
    block = max(1, _CELLS_AT_ONCE // items)
    chosen = np.empty((users, most), dtype=np.int64)
    for start in range(0, users, block):
        weights = shares[start : start + block] * popularity
        keys = rng.standard_exponential(weights.shape) / weights
        smallest = np.argpartition(keys, min(most, items - 1), axis=1)[:, :most]
        order = np.argsort(np.take_along_axis(keys, smallest, axis=1), axis=1)
        chosen[start : start + block] = np.take_along_axis(smallest, order, axis=1)
    kept = np.arange(most) < degrees[:, None]
    return np.nonzero(kept)[0], chosen[kept]


def _tables(
    card: DataCard, domain: str, members: np.ndarray, items: _Items, drawn: tuple[np.ndarray, np.ndarray]
) -> DomainTables:
    """Turn numbers into tables; people's and entities' ids are the same in both domains, items' are not."""
    item_type, prefix = ("Product", "p") if domain == SOURCE else ("Course", "c")
    user_ids = "u" + pd.Series(members).astype("str")
    numbers = pd.Series(np.arange(len(items.topics))).astype("str")
    item_ids = prefix + numbers
    table = pd.DataFrame({"item_id": item_ids, "item_type": item_type, "name": f"{item_type} " + numbers})
    interactions = pd.DataFrame({"user_id": user_ids.to_numpy()[drawn[0]], "item_id": item_ids.to_numpy()[drawn[1]]})
    ids = item_ids.to_numpy()
    keywords = _facts(ids[items.keyword_items], item_type, "HAS_KEYWORD", "Keyword", items.keywords)
    categories = _facts(ids, item_type, "IN_CATEGORY", "Category", items.categories)
    facts = pd.concat([keywords, categories])
    return DomainTables(domain, item_type, user_ids.to_frame("user_id"), table, interactions, facts, card)


def _facts(heads: np.ndarray, item_type: str, relation: str, tail_type: str, tails: np.ndarray) -> pd.DataFrame:
    """Return facts whose tails are numbered; the number, and so the id, means the same in both domains."""
    tail_ids = f"{tail_type.lower()}-" + pd.Series(tails).astype("str")
    return pd.DataFrame(
        {
            "head_id": heads,
            "head_type": item_type,
            "relation": relation,
            "tail_id": tail_ids,
            "tail_type": tail_type,
            "tail_name": tail_ids.str.replace("-", " "),
        }
    )
