"""Leaks in what was computed from interactions before the split was looked at: facts, figures, links, fitted models.

*Pairs of items or users* (SIMILAR_TO and the like). Of the pairs that no training or validation user supports, some are
supported once test rows count. Under chance, their share is that of pairs with the tails exchanged. Facts that were
computed with the test rows betray themselves: all pairs without other support have that of the test. So a relation is
reported when at least `LEAST_PAIRS` of its pairs, and at least half of those without other support, are supported by
test rows, and chance gives as many with a probability below `CHANCE`. What content or training rows suggest does not
come near: that a pair nobody took together in training is taken together in the test is rare there. A few such facts
among many honest ones of the same relation stay unseen.

*Figures* (numeric columns of items and users, scores that are the same for every user) are reported when, wherever test
rows change the number of interactions or the mean rating, they equal the figure with test rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import binom

from kgxfer.bridges.review import REVIEWED
from kgxfer.evaluation.leakage.coded import PARTS, Coded, CodedRows, among
from kgxfer.evaluation.leakage.finding import Finding, Kind
from kgxfer.graph import USER, KnowledgeGraph
from kgxfer.recommender import RankingModel
from kgxfer.rng import numpy_generator

LEAST_PAIRS, LEAST_SHARE, CHANCE = 5, 0.5, 1e-6
MOST_PAIRS = 20_000
"""Of a relation with more pairs so many are looked at, drawn with a fixed seed; bounds the time."""

BLOCK = 1_000
"""Pairs counted at a time; bounds the memory."""

_READ_NO_ROWS = ("shared_id", "shared_entity", "same_name", "fuzzy_name", "text_neighbours")

LEAST_FIGURES, EQUAL_SHARE = 5, 0.9


def derived_findings(coded: Coded, graph: KnowledgeGraph | None, links: pd.DataFrame | None) -> list[Finding]:
    """Facts and figures of the data set, or facts of the graph where there is one, and links between items."""
    known = coded.incidence(coded.train, coded.valid)
    everything = coded.incidence(coded.train, coded.valid, coded.test)
    found = []
    for where, by_user, pairs in _fact_pairs(coded, graph):
        turned = (known.T.tocsc(), everything.T.tocsc()) if by_user else (known, everything)
        count = _supported_by_test(pairs, *turned)
        if count:
            message = (
                f"{count} facts join pairs that only test rows have in common; compute the facts from training rows"
            )
            found.append(Finding(Kind.FACTS_FROM_TEST, "error", where, count, message))
    return found + _figure_findings(coded) + ([] if links is None else _link_findings(coded, links, known, everything))


def model_findings(coded: Coded, models: Mapping[str, RankingModel]) -> list[Finding]:
    """Test rows among what a model takes for seen, or in the counts that it ranks by."""
    found = []
    pair = ~among(coded.test.pair, coded.train.pair)
    test = coded.test.take(pair)
    for name, model in models.items():
        catalogue = model.catalogue
        users = catalogue.user_ids.get_indexer(coded.users)[test.user]
        seen = 0
        for code in (0, 1):
            columns = catalogue.item_index(code).get_indexer(coded.items[code])
            own = test.domain == code
            user, item = users[own], columns[test.item[own] - code * coded.first_target_item]
            kept = (user >= 0) & (item >= 0)
            seen += int(np.asarray(catalogue.seen[code][user[kept], item[kept]]).sum()) if kept.any() else 0
        if seen:
            message = f"{seen} test rows count as seen already; fit the model on the training rows of this split"
            found.append(Finding(Kind.TEST_IN_MODEL, "error", f"model {name}", seen, message))
        elif count := _popularity_count(coded, model):
            message = f"{count} items are scored by counts that include test rows; fit on training rows"
            found.append(Finding(Kind.TEST_IN_MODEL, "error", f"model {name}", count, message))
    return found


def _fact_pairs(coded: Coded, graph: KnowledgeGraph | None) -> Iterator[tuple[str, bool, np.ndarray]]:
    """Facts that join two items of a domain or two users: where, whether users, and the distinct pairs of codes."""
    for code, domain in enumerate(coded.split.dataset.domains):
        for head, relation, tail, heads, tails in _facts_of(coded, graph, code):
            if head == tail == USER:
                ends = np.stack([coded.users.get_indexer(pd.Index(ids)) for ids in (heads, tails)])
            elif head == tail == domain.item_type:
                ends = np.stack([coded.item_codes(code, ids) for ids in (heads, tails)])
            else:
                continue
            ends = np.sort(ends[:, (ends >= 0).all(axis=0) & (ends[0] != ends[1])], axis=0)
            yield f"facts of {domain.domain}, {head} {relation} {tail}", head == USER, np.unique(ends, axis=1)


def _facts_of(
    coded: Coded, graph: KnowledgeGraph | None, code: int
) -> Iterator[tuple[str, str, str, pd.Series, pd.Series]]:
    if graph is None:
        facts = coded.split.dataset.domains[code].facts
        for (head, relation, tail), table in facts.groupby(["head_type", "relation", "tail_type"], sort=True):
            yield head, relation, tail, table["head_id"], table["tail_id"]
        return
    for kind, edges in graph.facts.items():
        if kind.head != kind.tail or kind.head not in (USER, graph.item_types[code]):
            continue
        keys = graph.nodes[kind.head].keys
        id_of_row = keys[keys["domain"] == code].drop_duplicates("row").set_index("row")["id"]
        own = edges.domain == code
        heads, tails = (pd.Series(rows[own]).map(id_of_row) for rows in (edges.head, edges.tail))
        known = heads.notna() & tails.notna()
        yield kind.head, kind.relation, kind.tail, heads[known], tails[known]


def _supported_by_test(pairs: np.ndarray, known: sparse.csc_matrix, everything: sparse.csc_matrix) -> int:
    """How many pairs, int64 [2, pairs], have test rows for their only support; 0 where that is nothing special."""
    generator = numpy_generator(0, "pairs of facts")
    if pairs.shape[1] > MOST_PAIRS:
        pairs = pairs[:, generator.choice(pairs.shape[1], MOST_PAIRS, replace=False)]
    unsupported, supported = _by_test(pairs, known, everything)
    if supported < max(LEAST_PAIRS, LEAST_SHARE * unsupported):
        return 0
    rounds = -(-BLOCK // pairs.shape[1])
    exchanged = np.concatenate([[pairs[0], generator.permutation(pairs[1])] for _ in range(rounds)], axis=1)
    others, supported_others = _by_test(exchanged[:, exchanged[0] != exchanged[1]], known, everything)
    chance = (supported_others + 1) / (others + 2)
    return supported if binom.sf(supported - 1, unsupported, chance) < CHANCE else 0


def _by_test(pairs: np.ndarray, known: sparse.csc_matrix, everything: sparse.csc_matrix) -> tuple[int, int]:
    """How many pairs have no support in `known`, and how many of these have some in `everything`."""
    alone = pairs[:, _common(pairs, known) == 0]
    return alone.shape[1], int((_common(alone, everything) > 0).sum())


def _common(pairs: np.ndarray, matrix: sparse.csc_matrix) -> np.ndarray:
    """Rows that the two columns of each pair have in common, int64 [pairs]."""
    counts = [np.zeros(0, dtype=np.int64)]
    for start in range(0, pairs.shape[1], BLOCK):
        first, second = (matrix[:, ends[start : start + BLOCK]] for ends in pairs)
        counts.append(np.asarray(first.multiply(second).sum(axis=0)).ravel().astype(np.int64))
    return np.concatenate(counts)


def _link_findings(
    coded: Coded, links: pd.DataFrame, known: sparse.csc_matrix, everything: sparse.csc_matrix
) -> list[Finding]:
    """Links between items that training rows alone do not give.

    Links of the data set and of bridges that read no rows are taken at their word, reviewed or not, and shuffled ones
    mean nothing. A type above that of the items, as of the link between a book and its film, means the items too.
    """
    schema = coded.split.dataset.schema
    types = {name for domain in coded.split.dataset.domains for name in schema.ancestors(domain.item_type)}
    given = coded.split.train_links
    trusted = {*_READ_NO_ROWS, *(given["method"] if len(given) else [])}
    found = []
    for method, table in links[links["node_type"].isin(types)].groupby("method", sort=True):
        if method.removesuffix(REVIEWED) in trusted or method.endswith("(shuffled)"):
            continue
        pairs = np.stack([coded.item_codes(code, table[f"{end}_id"]) for code, end in enumerate(("source", "target"))])
        kept = (pairs >= 0).all(axis=0)
        if method == "behaviour_twins":
            count = _twins_with_test(coded, pairs[:, kept], table["confidence"].to_numpy()[kept])
        else:
            count = _supported_by_test(pairs[:, kept], known, everything)
        if count:
            message = (
                f"{count} links are what test rows give and training rows alone do not; propose links from the split "
                "(propose_links)"
            )
            found.append(Finding(Kind.LINKS_FROM_TEST, "error", f"links, {method}", count, message))
    return found


def _twins_with_test(coded: Coded, pairs: np.ndarray, stated: np.ndarray) -> int:
    """Of the pairs whose Jaccard index test rows change, those that state the changed one; 0 where most do not."""
    relevant = [
        rows.take(getattr(coded.split, name)["relevant"].to_numpy(dtype=bool))
        for name, rows in (("train", coded.train), ("valid", coded.valid), ("test", coded.test))
    ]
    train, valid, test = relevant
    honest = _jaccard(coded, pairs, train)
    most = 0
    for parts in ((train, test), (train, valid, test), (test,)):
        leaking = _jaccard(coded, pairs, *parts)
        changed = ~np.isclose(honest, leaking, atol=1e-4)
        count = int((changed & np.isclose(stated, leaking, atol=1e-4)).sum())
        most = max(most, count if count >= LEAST_SHARE * changed.sum() else 0)
    return most


def _jaccard(coded: Coded, pairs: np.ndarray, *parts: CodedRows) -> np.ndarray:
    """Jaccard index of item pairs over the users who are active in both domains in these parts; float64 [pairs]."""
    matrix = coded.incidence(*parts).tocsr()
    first = coded.first_target_item
    active = (np.diff(matrix[:, :first].indptr) > 0) & (np.diff(matrix[:, first:].indptr) > 0)
    matrix = matrix[active].tocsc()
    degrees = np.diff(matrix.indptr)
    common = _common(pairs, matrix)
    index: np.ndarray = common / np.maximum(degrees[pairs[0]] + degrees[pairs[1]] - common, 1)
    return index


def _figure_findings(coded: Coded) -> list[Finding]:
    found = []
    for code, domain in enumerate(coded.split.dataset.domains):
        items = coded.item_codes(code, domain.items["item_id"])
        users = coded.users.get_indexer(pd.Index(domain.users["user_id"]))
        for by, table, places in (("item", domain.items, items), ("user", domain.users, users)):
            numeric = [name for name in table.select_dtypes("number").columns if name != "year"]
            with_test = _figures(coded, code, by, places) if numeric else []
            for name in numeric:
                count = _equal_with_test(table[name].to_numpy(dtype=np.float64, na_value=np.nan), with_test)
                if count:
                    message = f"{count} values are computed from rows that include test rows; use training rows alone"
                    found.append(
                        Finding(
                            Kind.FACTS_FROM_TEST, "error", f"{by}s of {domain.domain}, column {name}", count, message
                        )
                    )
    return found


def _popularity_count(coded: Coded, model: RankingModel) -> int:
    """Items whose score, where a model scores them alike for all users, is a count that includes test rows."""
    most = 0
    for code in np.unique(coded.test.domain):
        scores = model.score_places(int(code), np.arange(min(3, len(model.catalogue.user_ids))))
        if (scores == scores[0]).all():
            places = coded.item_codes(code, model.catalogue.items[code]["item_id"])
            most = max(most, _equal_with_test(scores[0].astype(np.float64), _figures(coded, code, "item", places)))
    return most


def _figures(coded: Coded, code: int, by: str, places: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Counts and mean ratings from a domain's training rows, each with what they are when test rows are included.

    `by` is "item" or "user", `places` are the codes that the figures, float64 [places], are wanted for.
    """
    found = []
    for relevant in (True, False):
        counts, totals = [], []
        for name in PARTS:
            table, rows = getattr(coded.split, name), getattr(coded, name)
            kept = (rows.domain == code) & (table["relevant"].to_numpy(dtype=bool) | (not relevant))
            numbers, size = getattr(rows, by)[kept], max(len(coded.users), rows.items)
            counts.append(np.bincount(numbers, minlength=size)[places].astype(np.float64))
            ratings = table["rating"].to_numpy(dtype=np.float64)[kept] if "rating" in table else None
            totals.append(np.bincount(numbers, weights=ratings, minlength=size)[places])
        for parts in ([0, 2], [0, 1, 2], [2]):
            both, sums = (np.sum([values[part] for part in parts], axis=0) for values in (counts, totals))
            found += [(counts[0], both), (_ratio(totals[0], counts[0]), _ratio(sums, both))]
    return found


def _ratio(totals: np.ndarray, counts: np.ndarray) -> np.ndarray:
    ratio: np.ndarray = np.divide(totals, counts, out=np.full(len(counts), np.nan), where=counts > 0)
    return ratio


def _equal_with_test(values: np.ndarray, figures: list[tuple[np.ndarray, np.ndarray]]) -> int:
    """Values that equal a figure with test rows where test rows change it; 0 where not nearly all of them do."""
    most = 0
    for train, with_test in figures:
        changed = np.isfinite(with_test) & ~np.isclose(train, with_test)
        count = int(np.isclose(values[changed], with_test[changed], rtol=1e-5).sum())
        most = max(most, count if count >= max(LEAST_FIGURES, EQUAL_SHARE * changed.sum()) else 0)
    return most
