"""Leaks in the graph: held-out rows as edges of any relation and direction, and cold-start users who are not cold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.schema import EdgeType
from graph_schema.tables import LINKS
from kgxfer.evaluation.leakage.coded import Coded, CodedRows, among, distinct
from kgxfer.evaluation.leakage.finding import Finding, Kind
from kgxfer.graph import INTERACTION, USER, EdgeTable, KnowledgeGraph


def graph_findings(coded: Coded, graph: KnowledgeGraph) -> list[Finding]:
    """Held-out rows among the edges that join users and items.

    An edge is an accusation only where no training row accounts for it: nodes that a bridge collapsed may make an edge
    of a training row look like one of a test row.
    """
    places = _Places.of(coded, graph)
    found: list[Finding] = []
    for kind, edges in graph.edges.items():
        for code, users, items in _ends(kind, edges, graph):
            found += _edge_findings(coded, places, kind, code, users, items)
    return found


def fact_findings(coded: Coded) -> list[Finding]:
    """The same for the facts of the data set, where no graph is at hand."""
    found: list[Finding] = []
    for code, domain in enumerate(coded.split.dataset.domains):
        for (head, relation, tail), facts in domain.facts.groupby(["head_type", "relation", "tail_type"], sort=True):
            if {head, tail} != {USER, domain.item_type}:
                continue
            user_end, item_end = ("head", "tail") if head == USER else ("tail", "head")
            user = coded.users.get_indexer(pd.Index(facts[f"{user_end}_id"]))
            item = coded.item_codes(code, facts[f"{item_end}_id"])
            pair = distinct((user * coded.train.items + item)[(user >= 0) & (item >= 0)])
            pair = pair[~among(pair, coded.train.pair)]
            found += _held_out(EdgeType(head, relation, tail), pair, coded.test.pair, coded.valid.pair, "facts")
    return found


def identity_findings(
    coded: Coded, graph: KnowledgeGraph | None, links: pd.DataFrame | None
) -> list[Finding]:
    """Cold-start users who have training rows in the tested domain under another id of theirs.

    That two ids are one person is taken from the data set's own links, and from the graph where it joins users whom no
    link given joins. What a bridge proposes, rightly or not, is its own doing and no leak.
    """
    split = coded.split
    stated = _user_pairs(coded, *(_meant(table) for table in (split.dataset.links, split.train_links)))
    persons = [np.tile(_components(stated, len(coded.users)), (2, 1))]
    joined_by_bridge = None
    if graph is not None and links is not None:
        rows = np.stack([graph.user_rows(code, coded.users.to_numpy()) for code in (0, 1)])
        persons.append(np.where(rows >= 0, graph.persons[rows], -1))
        joined_by_bridge = _components(np.concatenate([stated, _user_pairs(coded, links)], axis=1), len(coded.users))
    warm = distinct(coded.train.place)
    count = 0
    for number, person in enumerate(persons):
        cold = _by_person(coded.cold, person, anywhere=True)
        pairs = cold.merge(_by_person(warm, person), on=["domain", "person"], suffixes=("_cold", "_warm"))
        pairs = pairs[pairs["user_cold"] != pairs["user_warm"]]
        if number and joined_by_bridge is not None:
            joined = joined_by_bridge[pairs["user_cold"]] == joined_by_bridge[pairs["user_warm"]]
            pairs = pairs[~joined]
        count = max(count, len(pairs[["domain", "user_cold"]].drop_duplicates()))
    if not count:
        return []
    message = (
        f"{count} of {len(coded.cold)} cold-start users have training rows in the tested domain under another id of "
        "theirs; give a person one id, or take them off the list of cold-start users"
    )
    return [Finding(Kind.COLD_USER_OTHER_ID, "error", "links", count, message)]


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the users and items of a split stand in a graph.

    Attributes:
        users: int64 [2, users], the rows as either domain knows them; -1 for unknown.
        items: per domain int64 [items of the domain].
    """

    graph: KnowledgeGraph
    users: np.ndarray
    items: tuple[np.ndarray, np.ndarray]
    first_target_item: int

    @staticmethod
    def of(coded: Coded, graph: KnowledgeGraph) -> _Places:
        ids = coded.users.to_numpy()
        users = np.stack([graph.user_rows(code, ids) for code in (0, 1)])
        first, second = (graph.item_rows(code, coded.items[code].to_numpy()) for code in (0, 1))
        return _Places(graph, users, (first, second), coded.first_target_item)

    def pairs(self, rows: CodedRows, code: int) -> np.ndarray:
        """Numbers of the edges that rows of one domain could be, by either row of the user."""
        own = rows.take(rows.domain == code)
        items = self.items[code][own.item - code * self.first_target_item]
        found = [self.number(code, users[own.user], items) for users in self.users]
        known = [(users[own.user] >= 0) & (items >= 0) for users in self.users]
        return distinct(np.concatenate([pair[kept] for pair, kept in zip(found, known, strict=True)]))

    def number(self, code: int, users: np.ndarray, items: np.ndarray) -> np.ndarray:
        """One number per (user row, item row) of a domain's item type."""
        numbers: np.ndarray = users * self.graph.nodes[self.graph.item_types[code]].size + items
        return numbers


def _ends(
    kind: EdgeType, edges: EdgeTable, graph: KnowledgeGraph
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Per domain the rows of users and items that edges of a type join; nothing for other types."""
    for code, item_type in enumerate(graph.item_types):
        if {kind.head, kind.tail} != {USER, item_type}:
            continue
        users, items = (edges.head, edges.tail) if kind.head == USER else (edges.tail, edges.head)
        member = graph.nodes[item_type].membership[:, items]
        # An item of both domains, collapsed into one node, belongs to the domain that the edge says.
        own = member[code] & (~member[1 - code] | (edges.domain == code) | (edges.domain < 0))
        yield code, users[own], items[own]


def _edge_findings(
    coded: Coded, places: _Places, kind: EdgeType, code: int, users: np.ndarray, items: np.ndarray
) -> list[Finding]:
    edges = distinct(places.number(code, users, items))
    edges = edges[~among(edges, places.pairs(coded.train, code))]
    test, valid = places.pairs(coded.test, code), places.pairs(coded.valid, code)
    found = _held_out(kind, edges, test, valid, "graph")
    if kind != places.graph.interaction_type(code):
        return found
    edges = edges[~among(edges, np.concatenate([test, valid]))]
    cold = coded.cold[coded.cold % 2 == code] // 2
    rows = edges // places.graph.nodes[places.graph.item_types[code]].size
    count = int(np.isin(places.users[:, cold], rows).any(axis=0).sum())
    if count:
        message = (
            f"{count} of {len(cold)} cold-start users have edges in {coded.domain_names[code]} that are no training "
            "rows; build the graph from the split"
        )
        found.append(Finding(Kind.COLD_USER_TRAINED, "error", f"graph, {_shown(kind)}", count, message))
    return found


def _held_out(
    kind: EdgeType, edges: np.ndarray, test: np.ndarray, valid: np.ndarray, where: str
) -> list[Finding]:
    """Findings for edges, numbered as the test and validation rows are, that no training row accounts for."""
    found = []
    in_test = among(edges, test)
    count = int(in_test.sum())
    if count:
        direct = kind.head == USER and kind.relation == INTERACTION
        what = "edges" if where == "graph" else "facts"
        message = f"{count} {what} join a test row's user and item; leave them out of what is learned from"
        leak = Kind.TEST_IN_GRAPH if direct else Kind.TEST_IN_RELATION
        found.append(Finding(leak, "error", f"{where}, {_shown(kind)}", count, message))
    count = int((among(edges, valid) & ~in_test).sum())
    if count:
        message = (
            f"{count} validation rows can be learned from while choosing happens on them; build the graph from the "
            "split's training rows"
        )
        found.append(Finding(Kind.VALIDATION_IN_GRAPH, "error", f"{where}, {_shown(kind)}", count, message))
    return found


def _shown(kind: EdgeType) -> str:
    return f"{kind.head} {kind.relation} {kind.tail}"


def _user_pairs(coded: Coded, *tables: pd.DataFrame) -> np.ndarray:
    """Users that links join, int64 [2, links]."""
    given = [table for table in tables if len(table)]
    links = pd.concat(given) if given else LINKS.empty()
    links = links[links["node_type"] == USER]
    pairs = np.stack([coded.users.get_indexer(pd.Index(links[end])) for end in ("source_id", "target_id")])
    return pairs[:, (pairs >= 0).all(axis=0)]


def _meant(links: pd.DataFrame) -> pd.DataFrame:
    """Links but those that were shuffled, a control that says nothing about identity."""
    return links[~links["method"].str.endswith("(shuffled)")] if len(links) else links


def _components(pairs: np.ndarray, size: int) -> np.ndarray:
    matrix = sparse.coo_matrix((np.ones(pairs.shape[1], dtype=np.int8), (pairs[0], pairs[1])), shape=(size, size))
    labels: np.ndarray = sparse.csgraph.connected_components(matrix, directed=False)[1]
    return labels


def _by_person(places: np.ndarray, person: np.ndarray, anywhere: bool = False) -> pd.DataFrame:
    """Domain, user and person of (user, domain) places; with `anywhere` the person as either domain knows the user."""
    user, domain = places // 2, places % 2
    tables = [
        pd.DataFrame({"domain": domain, "user": user, "person": person[known, user]})
        for known in ((domain, 1 - domain) if anywhere else (domain,))
    ]
    table = pd.concat(tables).drop_duplicates()
    return table[table["person"] >= 0]
