"""A world of two domains with names, ratings, times and facts, and ways to make a run on it leak, one kind each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd

from graph_schema import FACTS, SCHEMA, Relation
from graph_schema.schema import EdgeType
from graph_schema.tables import IDENTITY, LIKENESS
from kgxfer.baselines import Popularity
from kgxfer.bridges import BehaviourTwins, propose_links
from kgxfer.bridges.links import link_table
from kgxfer.bridges.review import REVIEWED
from kgxfer.evaluation.leakage import Finding, Kind, check_leakage
from kgxfer.graph import USER, EdgeTable, KnowledgeGraph, build_graph
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.splits import ColdStartUsers, FixedFiles, Ratio, Split
from loaders import CrossDomainDataset, DomainTables, pair

USERS, ITEMS, PER_USER = 80, 150, 12
CINEMA, TELEVISION = "cinema", "television"
LIKES = SCHEMA.extend(relations=[Relation("LIKES", "User", "Item"), Relation("LIKED_BY", "Item", "User")])


@dataclass(frozen=True)
class Run:
    """What a leak check is given."""

    split: Split
    graph: KnowledgeGraph | None = None
    links: pd.DataFrame | None = None
    models: Mapping[str, RankingModel] | None = None

    def check(self) -> list[Finding]:
        return check_leakage(self.split, self.graph, self.links, self.models)


@cache
def interactions(prefix: str, seed: int) -> pd.DataFrame:
    """Every user has twelve different items, popular ones more often, with ratings from 1 to 5 and times."""
    generator = np.random.default_rng(seed)
    keys = generator.random((USERS, ITEMS)) ** (1 + np.arange(ITEMS) / 40)
    chosen = np.argsort(-keys, axis=1)[:, :PER_USER].ravel()
    return pd.DataFrame(
        {
            "user_id": np.repeat([f"u{user}" for user in range(USERS)], PER_USER),
            "item_id": [f"{prefix}{item}" for item in chosen],
            "rating": generator.integers(1, 6, len(chosen)).astype(float),
            "timestamp": 1_500_000_000 + 1_000 * generator.permutation(len(chosen)) + seed,
        }
    )


def domain(
    name: str, rows: pd.DataFrame, facts: pd.DataFrame | None = None, more: pd.DataFrame | None = None
) -> DomainTables:
    """Items are named after their ids and the domain; genres are facts, `facts` come on top."""
    prefix = name[0]
    items = pd.DataFrame({"item_id": [f"{prefix}{item}" for item in range(ITEMS)]})
    items["name"] = f"{name} piece " + items["item_id"]
    items["length"] = np.arange(ITEMS) % 90 + 30
    extra = set(rows["item_id"]) - set(items["item_id"])
    if extra:
        items = pd.concat([items, pd.DataFrame({"item_id": sorted(extra), "name": sorted(extra), "length": 1})])
    of_item = [f"g{item % 30}" for item in range(len(items))]
    genres = fact_table(items["item_id"], "HAS_GENRE", of_item, "Movie", "Genre")
    table = pd.concat([genres, facts]) if facts is not None else genres
    items = items if more is None else items.merge(more, on="item_id", how="left")
    return DomainTables.from_frames(name, rows, item_type="Movie", items=items, facts=table)


def fact_table(heads: object, relation: str, tails: object, head_type: str, tail_type: str) -> pd.DataFrame:
    table = pd.DataFrame({"head_id": heads, "tail_id": tails})
    return table.assign(head_type=head_type, relation=relation, tail_type=tail_type)[list(FACTS.names[:5])]


def data_set(
    facts: pd.DataFrame | None = None,
    *,
    more: pd.DataFrame | None = None,
    links: pd.DataFrame | None = None,
    source: pd.DataFrame | None = None,
    columns: int = 4,
    fixed: Mapping[str, pd.DataFrame] | None = None,
) -> CrossDomainDataset:
    """The world; `facts` and `more` columns belong to the target domain's items."""
    rows = [interactions("c", 0) if source is None else source, interactions("t", 1)]
    first, second = (table.iloc[:, :columns] for table in rows)
    tables = domain(CINEMA, first), domain(TELEVISION, second, facts, more)
    return pair("world", *tables, links, schema=LIKES, positive_from=2 if columns > 2 else None, fixed=fixed)


def split_of(data: CrossDomainDataset) -> Split:
    """Twenty cold-start users in television, eight pseudo-cold ones."""
    return ColdStartUsers(test_share=0.25, pseudo_cold_share=0.1).split(data, rng=0)


@cache
def honest() -> Run:
    return built(split_of(data_set()))


def built(split: Split, combine: str = "same_as_edges") -> Run:
    bridges = ["shared_id", "shared_entity", "same_name"]
    if split.dataset.source.item_type == split.dataset.target.item_type:
        bridges.append("behaviour_twins")
    links = propose_links(split, bridges)
    graph = build_graph(split, links, combine)
    return Run(split, graph, links, {"popularity": Popularity().fit(graph, split)})


def with_rows(split: Split, **parts: pd.DataFrame) -> Split:
    """A split whose parts are replaced, rows numbered anew."""
    return replace(split, **{name: table.reset_index(drop=True) for name, table in parts.items()})


def with_edges(run: Run, kind: EdgeType, users: pd.Series, items: pd.Series) -> Run:
    """The run with television edges added to its graph, in the direction that the edge type says."""
    graph = run.graph
    assert graph is not None
    ends = [graph.user_rows(1, users), graph.item_rows(1, items)]
    heads, tails = ends if kind.head == USER else ends[::-1]
    old = graph.edges.get(kind, EdgeTable(heads[:0], tails[:0], np.zeros(0, dtype=np.int8)))
    joined = EdgeTable(
        np.concatenate([old.head, heads]), np.concatenate([old.tail, tails]),
        np.concatenate([old.domain, np.ones(len(heads), dtype=np.int8)]),
        old.properties.reindex(range(len(old) + len(heads))),
    )
    return replace(run, graph=replace(graph, edges={**graph.edges, kind: joined}), links=run.links)


RATED = EdgeType("User", "RATED", "Movie")


def edges_of(kind: EdgeType, part: str = "test", count: int = 1000) -> Run:
    rows = getattr(honest().split, part).iloc[:count]
    return with_edges(honest(), kind, rows["user_id"], rows["item_id"])


def facts_of_test_rows() -> Run:
    test = split_of(data_set()).test
    return built(split_of(data_set(fact_table(test["user_id"], "LIKES", test["item_id"], "User", "Movie"))))


def cold_user_in_training() -> Run:
    split = honest().split
    moved = split.test.drop_duplicates("user_id").iloc[:3]
    return built(with_rows(split, train=pd.concat([split.train, moved]), test=split.test.drop(moved.index)))


def cold_user_in_graph() -> Run:
    cold = honest().split.cold_users["user_id"].iloc[:2]
    held = honest().split.test
    free = [sorted({f"t{n}" for n in range(ITEMS)} - set(held["item_id"][held["user_id"] == user]))[0] for user in cold]
    return with_edges(honest(), RATED, cold, pd.Series(free))


def other_id() -> pd.DataFrame:
    """A cold-start user's id in cinema, and the id of someone else in television who has training rows there."""
    split = honest().split
    warm = split.train.loc[split.train["domain"] == TELEVISION, "user_id"].iloc[0]
    return link_table([split.cold_users["user_id"].iloc[0]], [warm], "User", 1.0, "accounts", "same address")


def cold_user_under_another_id(combine: str) -> Run:
    return built(split_of(data_set(links=other_id())), combine)


def other_id_in_graph_only() -> Run:
    run = honest()
    assert run.links is not None
    return replace(run, graph=build_graph(run.split, pd.concat([run.links, other_id()], ignore_index=True), "collapse"))


def copies(columns: int, renamed: bool) -> Run:
    """Television rows of ten users are in the cinema's table too, under the same item id or the same name."""
    copied = interactions("t", 1).iloc[: 10 * PER_USER]
    if renamed:
        copied = copied.assign(item_id="television piece " + copied["item_id"])
    source = pd.concat([interactions("c", 0), copied], ignore_index=True)
    return built(split_of(data_set(source=source, columns=columns)))


def copies_by_link(relation: str = IDENTITY) -> Run:
    """As `copies`, and only links tell that the ids mean the same things, or alike ones."""
    copied = interactions("t", 1).iloc[: 20 * PER_USER]
    items = copied["item_id"].unique()
    source = pd.concat([interactions("c", 0), copied.assign(item_id="x" + copied["item_id"])], ignore_index=True)
    links = link_table("x" + pd.Series(items), items, "Movie", 1.0, "catalogue", "same barcode", relation)
    return built(split_of(data_set(source=source, links=links)))


def repeated(part: str) -> Run:
    split = honest().split
    rows = split.test.iloc[:4]
    if part == "train":
        return built(with_rows(split, train=pd.concat([split.train, rows])))
    return built(with_rows(split, test=pd.concat([split.test, rows])))


def together(rows: pd.DataFrame, by: str, what: str, least: int = 1) -> pd.DataFrame:
    """Pairs of `what` that at least so many of `by` have in common."""
    pairs = rows.merge(rows, on=by)
    pairs = pairs[pairs[f"{what}_x"] < pairs[f"{what}_y"]]
    counts = pairs.groupby([f"{what}_x", f"{what}_y"]).size()
    return counts[counts >= least].reset_index().set_axis(["head", "tail", "count"], axis=1)


def similar(rows: pd.DataFrame, least: int = 1) -> Run:
    pairs = together(rows, "user_id", "item_id", least)
    return built(split_of(data_set(fact_table(pairs["head"], "SIMILAR_TO", pairs["tail"], "Movie", "Movie"))))


def television(*parts: str) -> pd.DataFrame:
    return pd.concat([getattr(honest().split, part).query(f"domain == '{TELEVISION}'") for part in parts])


def acquainted() -> Run:
    """Users know each other who have an item in common among the test rows."""
    protocol = Ratio(test_share=0.4, valid_share=0)
    pairs = together(protocol.split(data_set(), rng=0).test.query(f"domain == '{TELEVISION}'"), "item_id", "user_id")
    facts = fact_table(pairs["head"], "KNOWS", pairs["tail"], "User", "User")
    return built(protocol.split(data_set(facts), rng=0))


def figures(statistic: str) -> Run:
    """A column of the items that is computed from all rows."""
    by_item = interactions("t", 1).groupby("item_id")["rating"]
    return built(split_of(data_set(more=by_item.agg(statistic).rename("figure").reset_index())))


def trained_after_the_test(protocol: str) -> Run:
    split = Ratio(test_share=0.3, valid_share=0).split(data_set(), rng=0)
    return built(replace(split, protocol=protocol))


def validation_in_training() -> Run:
    split = honest().split
    return built(with_rows(split, train=pd.concat([split.train, split.valid])))


def chosen_on_test_users() -> Run:
    rows = television("test").iloc[:, :3][["domain", "user_id", "item_id"]]
    fixed = {"valid": rows.iloc[::2], "test": rows.iloc[1::2]}
    return built(FixedFiles().split(data_set(fixed=fixed)))


def twins_of_test_rows() -> Run:
    split = honest().split
    seen = with_rows(split, train=pd.concat([split.train, split.test]))
    return replace(honest(), links=BehaviourTwins(minimum_jaccard=0.3).links(seen), graph=None)


def links_of_test_rows(node_type: str = "Movie", relation: str = IDENTITY, method: str = "text") -> Run:
    """Pairs that only cold-start users have in common, proposed by a bridge of another name."""
    split = honest().split
    cinema = split.train[split.train["domain"] == CINEMA]
    pairs = cinema.merge(split.test, on="user_id", suffixes=("_source", "_target")).drop_duplicates(
        ["item_id_source", "item_id_target"]
    )
    links = link_table(pairs["item_id_source"], pairs["item_id_target"], node_type, 0.5, method, "alike", relation)
    return Run(split, None, links)


def fitted_on_test_rows() -> Run:
    split = honest().split
    seen = with_rows(split, train=pd.concat([split.train, split.test]))
    assert honest().links is not None
    model = Popularity().fit(build_graph(seen, honest().links), seen)
    return replace(honest(), models={"popularity": model})


class Counted(RankingModel):
    """Popularity over any rows, with an honest catalogue."""

    def __init__(self, split: Split, rows: pd.DataFrame) -> None:
        super().__init__(Catalogue.of(split))
        self._counts = [rows.groupby("item_id").size().reindex(table["item_id"]).fillna(0).to_numpy(dtype=np.float32)
                        for table in self.catalogue.items]

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        return np.tile(self._counts[domain], (len(places), 1))


def counted_on_test_rows() -> Run:
    split = honest().split
    return replace(honest(), models={"counts": Counted(split, pd.concat([split.train, split.test]))})


WORLDS: dict[str, tuple[Kind, Callable[[], Run]]] = {
    "test edges": (Kind.TEST_IN_GRAPH, lambda: edges_of(RATED)),
    "one test edge": (Kind.TEST_IN_GRAPH, lambda: edges_of(RATED, count=1)),
    "validation edges": (Kind.VALIDATION_IN_GRAPH, lambda: edges_of(RATED, "valid")),
    "reversed test edges": (Kind.TEST_IN_RELATION, lambda: edges_of(EdgeType("Movie", "RATED", "User"))),
    "inverse relation": (Kind.TEST_IN_RELATION, lambda: edges_of(EdgeType("Movie", "LIKED_BY", "User"), count=1)),
    "facts of test rows": (Kind.TEST_IN_RELATION, facts_of_test_rows),
    "facts of test rows, no graph": (Kind.TEST_IN_RELATION, lambda: Run(facts_of_test_rows().split)),
    "cold user in training": (Kind.COLD_USER_TRAINED, cold_user_in_training),
    "cold user in the graph": (Kind.COLD_USER_TRAINED, cold_user_in_graph),
    "other id, collapsed": (Kind.COLD_USER_OTHER_ID, lambda: cold_user_under_another_id("collapse")),
    "other id, SAME_AS": (Kind.COLD_USER_OTHER_ID, lambda: cold_user_under_another_id("same_as_edges")),
    "other id, graph alone": (Kind.COLD_USER_OTHER_ID, other_id_in_graph_only),
    "same event by id and time": (Kind.SAME_EVENT, lambda: copies(4, renamed=False)),
    "same event by name and time": (Kind.SAME_EVENT, lambda: copies(4, renamed=True)),
    "same event by link and time": (Kind.SAME_EVENT, copies_by_link),
    "same rating in both tables": (Kind.SAME_EVENT, lambda: copies(3, renamed=False)),
    "same pair in both tables": (Kind.SAME_EVENT, lambda: copies(2, renamed=False)),
    "rows in train and test": (Kind.ROWS_IN_TWO_PARTS, lambda: repeated("train")),
    "rows twice in test": (Kind.REPEATED_ROWS, lambda: repeated("test")),
    "similarity from test": (Kind.FACTS_FROM_TEST, lambda: similar(television("test"))),
    "similarity from all rows": (Kind.FACTS_FROM_TEST, lambda: similar(television("train", "valid", "test"), 2)),
    "acquaintance from test": (Kind.FACTS_FROM_TEST, acquainted),
    "counts of all rows": (Kind.FACTS_FROM_TEST, lambda: figures("size")),
    "mean ratings of all rows": (Kind.FACTS_FROM_TEST, lambda: figures("mean")),
    "training after the cut": (Kind.TRAINING_AFTER_TEST, lambda: trained_after_the_test("temporal (rows from 2017)")),
    "training after a user's test": (
        Kind.TRAINING_AFTER_TEST, lambda: trained_after_the_test("temporal (the last 30% of each user's rows)")
    ),
    "validation in training": (Kind.VALIDATION_IN_TRAINING, validation_in_training),
    "choosing on test users": (Kind.CHOSEN_ON_TEST_USERS, chosen_on_test_users),
    "twins from test rows": (Kind.LINKS_FROM_TEST, twins_of_test_rows),
    "links from test rows": (Kind.LINKS_FROM_TEST, links_of_test_rows),
    "soft links from test rows": (Kind.LINKS_FROM_TEST, lambda: links_of_test_rows("Item", LIKENESS)),
    "accepted twins from test rows": (
        Kind.LINKS_FROM_TEST, lambda: links_of_test_rows(method="behaviour_twins" + REVIEWED)
    ),
    "model fitted on test rows": (Kind.TEST_IN_MODEL, fitted_on_test_rows),
    "counts with test rows": (Kind.TEST_IN_MODEL, counted_on_test_rows),
}
"""Each world leaks in one way, which has to be found and named, and nothing else."""
