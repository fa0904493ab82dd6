"""Items, or entities, of both domains whose names are nearly the same.

Names are compared in the form of `plain_names`. All pairs would be too many, so candidates are pairs that share one of
their rarest words, or stand near each other when names are sorted: by their letters, by their letters from the end, or
by their words in alphabetical order. Their score is the normalised edit similarity of the letters (insertions and
deletions, spaces aside), with the words as they stand or sorted, whichever is higher; numbers in them must agree, since
"Rocky II" is not "Rocky III", and years where both are known.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pydantic import Field
from rapidfuzz import fuzz, process

from graph_schema.config import Config
from graph_schema.tables import IDENTITY
from kgxfer.bridges.links import item_link_type, link_table
from kgxfer.bridges.names import entity_names, item_names, plain_names
from kgxfer.splits import Split

RAREST_WORDS = 3
LARGEST_BLOCK = 5_000
WINDOW = 6
PAIRS_AT_ONCE = 1_000_000
MOST_BEARERS = 20
"""Bounds of the search: words per name that make candidates, pairs that one word may make, neighbours in sorted order,
pairs scored at once, and items of a domain that bear one name before it says nothing."""

MOST_CERTAIN, STEEPNESS = 0.96, 18
"""Confidence = MOST_CERTAIN * score ** STEEPNESS, set by eye: of equal names 94 to 99 in 100 are right, of near misses
few where the right name is not there (``python -m benchmarks.linking``)."""


class FuzzyNameConfig(Config):
    """Settings.

    Attributes:
        threshold: the least score of a link.
        year_tolerance: how far years may differ where both are known; None: as far as they like.
        one_to_one: keep pairs only that are each other's best, and no pair where two are equally good.
        items: whether items are linked.
        entities: node types of facts that are linked by their names too, such as "Person".
    """

    threshold: float = Field(0.94, gt=0, le=1)
    year_tolerance: int | None = Field(1, ge=0)
    one_to_one: bool = True
    items: bool = True
    entities: tuple[str, ...] = ()


class FuzzyName:
    """Link items, and entities on request, by similar names.

    Items of one type, and entities, get SAME_AS links; items of two types, such as a book and its film, SIMILAR_TO,
    whatever their years.
    """

    config_class = FuzzyNameConfig

    def __init__(self, config: FuzzyNameConfig | None = None, **settings: object) -> None:
        self.config = config or FuzzyNameConfig.parse(settings, "bridge fuzzy_name")

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair, with `confidence_of` its score, and both names as evidence.

        Raises:
            InputError: an unknown node type in `entities`.
        """
        source, target = split.dataset.domains
        tables = []
        if self.config.items:
            node_type, relation = item_link_type(split)
            years = {} if relation == IDENTITY else {"year_tolerance": None}
            config = self.config.model_copy(update=years)
            pairs = matched_names(item_names(source), item_names(target), config)
            tables.append(_links(pairs, node_type, relation))
        for entity in self.config.entities:
            name = split.dataset.schema.node_type(entity).name
            pairs = matched_names(entity_names(source, name), entity_names(target, name), self.config)
            tables.append(_links(pairs, name, IDENTITY))
        filled = [table for table in tables if len(table)]
        return pd.concat(filled, ignore_index=True) if filled else link_table([], [], "Item", 1.0, "fuzzy_name", "")


def matched_names(source: pd.DataFrame, target: pd.DataFrame, config: FuzzyNameConfig | None = None) -> pd.DataFrame:
    """Pairs of similar names; both frames have the columns id, name and, where known, year.

    Returns:
        A frame source_id, target_id, score, source_name, target_name, in the order of the source.
    """
    config = config or FuzzyNameConfig()
    sides = [_prepared(frame) for frame in (source, target)]
    keys = [pd.Series(side["key"].unique(), dtype="str") for side in sides]
    first, second = candidate_pairs(*keys)
    score = _scores(keys[0], keys[1], first, second, config.threshold)
    kept = score >= config.threshold
    scored = pd.DataFrame({"key": keys[0].to_numpy()[first[kept]], "other": keys[1].to_numpy()[second[kept]]})
    scored["score"] = score[kept]
    pairs = sides[0].merge(scored, on="key").merge(
        sides[1].rename(columns={"key": "other"}), on="other", suffixes=("_source", "_target")
    )
    if config.year_tolerance is not None:
        apart = (pairs["year_source"] - pairs["year_target"]).abs().gt(config.year_tolerance).fillna(False)
        pairs = pairs[~apart.astype(bool)]
    if config.one_to_one:
        pairs = pairs[_alone_best(pairs, "id_source") & _alone_best(pairs, "id_target")]
    pairs = pairs.sort_values(["row_source", "row_target"], ignore_index=True)
    columns = {"id_source": "source_id", "id_target": "target_id", "name_source": "source_name"}
    columns["name_target"] = "target_name"
    return pairs.rename(columns=columns)[["source_id", "target_id", "score", "source_name", "target_name"]]


def candidate_pairs(source: pd.Series, target: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Places of the pairs of distinct names that are worth comparing, int64 [pairs] each, every pair once."""
    found = [_by_rare_words(source, target)]
    for form in (_letters, _letters_from_the_end, _sorted_words):
        found.append(_by_neighbourhood(form(source), form(target)))
    codes = np.unique(np.concatenate(found))
    return np.divmod(codes, max(len(target), 1))


def _by_rare_words(source: pd.Series, target: pd.Series) -> np.ndarray:
    """Codes (source place * targets + target place) of pairs that share one of the rarest words of each."""
    words = [side.str.split().explode() for side in (source, target)]
    counts = [side.value_counts() for side in words]
    block = counts[0].mul(counts[1]).dropna()
    block = block[block <= LARGEST_BLOCK]
    rarest = []
    for name, side in zip(("source", "target"), words, strict=True):
        table = pd.DataFrame({name: side.index.to_numpy(), "word": side.to_numpy(), "size": side.map(block).to_numpy()})
        table = table.dropna().drop_duplicates([name, "word"]).sort_values([name, "size", "word"])
        rarest.append(table[table.groupby(name).cumcount() < RAREST_WORDS][[name, "word"]])
    pairs = rarest[0].merge(rarest[1], on="word")
    codes: np.ndarray = pairs["source"].to_numpy(np.int64) * len(target) + pairs["target"].to_numpy(np.int64)
    return codes


def _by_neighbourhood(source: pd.Series, target: pd.Series) -> np.ndarray:
    """Codes of pairs of a source and a target that are at most `WINDOW` places apart when all are sorted."""
    forms = pd.concat([source, target], ignore_index=True)
    order = np.argsort(forms.to_numpy(dtype=object), kind="stable")
    found = [np.zeros(0, dtype=np.int64)]
    for step in range(1, WINDOW + 1):
        first, second = order[:-step], order[step:]
        low, high = np.minimum(first, second), np.maximum(first, second)
        across = (low < len(source)) & (high >= len(source))
        found.append(low[across].astype(np.int64) * len(target) + (high[across] - len(source)))
    return np.concatenate(found)


def _letters(names: pd.Series) -> pd.Series:
    return names.str.replace(" ", "")


def _letters_from_the_end(names: pd.Series) -> pd.Series:
    return _letters(names).str[::-1]


def _sorted_words(names: pd.Series) -> pd.Series:
    """Words in alphabetical order; of names with several words alone, since others are sorted already."""
    several = names.str.contains(" ").to_numpy(dtype=bool)
    result = names.copy()
    words = names[several].str.split().explode()
    table = pd.DataFrame({"place": words.index, "word": words.to_numpy()}).sort_values(["place", "word"])
    result[several] = table.groupby("place")["word"].agg(" ".join)
    return result


def _scores(
    source: pd.Series, target: pd.Series, first: np.ndarray, second: np.ndarray, threshold: float
) -> np.ndarray:
    """Similarity of each pair, float32 [pairs]; 0 below the threshold and where numbers differ."""
    sides = (source, target)
    numbers = [side.str.replace(r"\D+", " ", regex=True).str.strip().to_numpy(dtype=object) for side in sides]
    score = np.zeros(len(first), dtype=np.float32)
    reordered = [_sorted_words(side) for side in sides]
    forms = [[_letters(side).to_numpy(dtype=object) for side in pair] for pair in (sides, reordered)]
    for start in range(0, len(first), PAIRS_AT_ONCE):
        place = slice(start, start + PAIRS_AT_ONCE)
        rows = np.flatnonzero(numbers[0][first[place]] == numbers[1][second[place]]) + start
        for own, others in forms:
            found = process.cpdist(
                own[first[rows]], others[second[rows]], scorer=fuzz.ratio, score_cutoff=100 * threshold,
                dtype=np.float32, workers=-1,
            )
            score[rows] = np.maximum(score[rows], found / 100)
    return score


def _alone_best(pairs: pd.DataFrame, end: str) -> pd.Series:
    """Whether a pair is the best of its end and no other is as good."""
    best = pairs["score"].eq(pairs.groupby(end)["score"].transform("max"))
    return best & best.groupby(pairs[end]).transform("sum").eq(1)


def _prepared(frame: pd.DataFrame) -> pd.DataFrame:
    """Columns id, name, key, year, row; without names that are empty or that more than a few bear."""
    names = frame.reindex(columns=["id", "name", "year"]).reset_index(drop=True)
    plain = plain_names(names["name"])
    known = names["year"].astype("Int64")
    names = names.assign(key=plain["key"], year=known.fillna(plain["year"]), row=np.arange(len(names)))
    names = names[names["key"].fillna("") != ""]
    bearers = names.groupby("key")["row"].transform("size")
    return names[bearers <= MOST_BEARERS]


def confidence_of(score: pd.Series) -> pd.Series:
    """How likely names of this score mean one thing: falls steeply, since most near misses are other works."""
    return MOST_CERTAIN * score.astype(float) ** STEEPNESS


def _links(pairs: pd.DataFrame, node_type: str, relation: str) -> pd.DataFrame:
    evidence = pairs["source_name"] + " / " + pairs["target_name"]
    return link_table(
        pairs["source_id"], pairs["target_id"], node_type, confidence_of(pairs["score"]), "fuzzy_name", evidence,
        relation,
    )
