"""A graph as the tables that stores write, and back; what a trained model gives a store to write.

A node table has the columns key, id, domain (list of names), row, place, aliases, name and what else the vocabulary
knows; an edge table head and tail (keys), row, domain, and the edges' own properties. Both come back in any order.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from graph_schema.ddl import ALIASES, DOMAIN, ID, KEY, PLACE, ROW
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType, Schema
from kgxfer.graph import USER, EdgeTable, KnowledgeGraph, Vocabulary
from kgxfer.graph.convert import node_labels
from kgxfer.graph.storage import FORMAT, describe, restore, schema_of
from kgxfer.recommender import Recommender
from kgxfer.stores.base import NodeVectors

ENDS = ("head", "tail")
_FIXED = ("domain", "id", "row")


RECOMMENDATION = {
    "head": "str", "tail": "str", "score": "float64", "rank": "int64", "run": "str", "model": "str",
    "at": "datetime64[us, UTC]",
}
"""The columns of recommendations that are read back, and their datatypes."""


@dataclass(frozen=True)
class Described:
    """What a store keeps of a graph beside its rows; `description` as `description_of` made it."""

    description: str

    @cached_property
    def told(self) -> dict[str, Any]:
        """The description, read."""
        return json.loads(self.description)  # type: ignore[no-any-return]

    @cached_property
    def schema(self) -> Schema:
        """Of the graph."""
        return schema_of(self.told)


def description_of(graph: KnowledgeGraph) -> str:
    """What `graph_from` needs beside the tables, as JSON: schema, types in order, datatypes of all properties."""
    dtypes = {
        "node_properties": [_dtypes(vocabulary.keys.drop(columns=[*_FIXED])) for vocabulary in graph.nodes.values()],
        "edge_properties": [_dtypes(edges.properties) for edges in graph.edges.values()],
    }
    sizes = [len(edges) for edges in graph.edges.values()]
    return json.dumps({**describe(graph), "edge_sizes": sizes, **dtypes}, ensure_ascii=False)


def node_table(graph: KnowledgeGraph, kind: str) -> pd.DataFrame:
    """The nodes of one type, one line per row; InputError where two nodes would have one key.

    What several keys were collapsed into has the values of its first key; `aliases` holds the others as JSON.
    """
    vocabulary = graph.nodes[kind]
    keys = vocabulary.keys.reset_index(drop=True).assign(**{PLACE: np.arange(len(vocabulary.keys))})
    ordered = keys.sort_values(["row", "domain"], kind="stable")
    first = ~ordered["row"].duplicated()
    table = ordered[first].reset_index(drop=True)
    labels = node_labels(graph, kind)
    if labels.duplicated().any():
        raise InputError(f'two nodes would have the key "{labels[labels.duplicated()].iloc[0]}"; rename a domain')
    member = vocabulary.membership
    source, target = graph.domain_names
    lists = np.empty(4, dtype=object)
    lists[:] = [[], [source], [target], [source, target]]
    domain = lists[member[0] + 2 * member[1]]
    table = table.drop(columns=["domain"]).assign(**{KEY: labels.to_numpy(), DOMAIN: domain, ALIASES: None})
    said = table["row"].map(_aliases(ordered[~first], graph.domain_names)).astype(object)
    table[ALIASES] = said.where(said.notna(), None)
    front = [KEY, ID, DOMAIN, ROW, PLACE, ALIASES]
    return table[[*front, *(name for name in table if name not in front)]]


def edge_table(graph: KnowledgeGraph, kind: EdgeType) -> pd.DataFrame:
    """The edges of one type, in their order."""
    edges = graph.edges[kind]
    names = np.array([*graph.domain_names, None], dtype=object)  # -1, a link between domains, is the last
    head = node_labels(graph, kind.head).to_numpy()[edges.head]
    tail = node_labels(graph, kind.tail).to_numpy()[edges.tail]
    table = pd.DataFrame({"head": head, "tail": tail, ROW: np.arange(len(edges)), DOMAIN: names[edges.domain]})
    return table.join(edges.properties.reset_index(drop=True))


def graph_from(
    description: str, nodes: dict[str, pd.DataFrame], edges: dict[EdgeType, pd.DataFrame]
) -> KnowledgeGraph:
    """Put a graph together again; tables of types that had no rows may be missing.

    Raises:
        InputError: rows are missing, or the description is of another version.
    """
    told = json.loads(description)
    if told["format"] != FORMAT:
        found = told["format"]
        raise InputError(f"the graph was written in format {found}, this version reads {FORMAT}; load it again")
    codes = {one["name"]: code for code, one in enumerate(told["domains"])}
    vocabularies, rows_of = {}, {}
    for (kind, size), dtypes in zip(told["nodes"].items(), told["node_properties"], strict=True):
        table = nodes.get(kind, pd.DataFrame())
        _require_all(kind, len(table), size)
        vocabularies[kind] = _vocabulary(table, size, dtypes, codes)
        rows_of[kind] = pd.Series(table[ROW].to_numpy(np.int64), index=table[KEY]) if size else pd.Series(dtype="int64")
    tables = {}
    for names, size, dtypes in zip(told["edges"], told["edge_sizes"], told["edge_properties"], strict=True):
        kind = EdgeType(*names)
        table = edges.get(kind, pd.DataFrame())
        _require_all(" ".join(kind), len(table), size)
        tables[kind] = _edges(table, (rows_of[kind.head], rows_of[kind.tail]), dtypes, codes)
    return restore(told, vocabularies, tables)


def vectors_of(recommender: Recommender, graph: KnowledgeGraph) -> dict[str, NodeVectors]:
    """The vectors that a recommender scores with, as the node that has them; in both domains, the target's."""
    catalogue = recommender.catalogue
    parts = [
        (USER, graph.user_rows(0, catalogue.user_ids), recommender.vectors[0].users),
        (USER, graph.user_rows_anywhere(1, catalogue.user_ids), recommender.vectors[1].users),
    ]
    for domain in (0, 1):
        rows = graph.item_rows(domain, catalogue.item_index(domain))
        parts.append((graph.item_types[domain], rows, recommender.vectors[domain].items))
    made = {}
    for kind in dict.fromkeys(kind for kind, _, _ in parts):
        rows = np.concatenate([rows for one, rows, _ in parts if one == kind])
        vectors = np.concatenate([vectors for one, _, vectors in parts if one == kind])
        places = pd.Series(np.arange(len(rows)), index=rows)[rows >= 0]
        last = places[~places.index.duplicated(keep="last")].sort_index()
        keys = pd.Index(node_labels(graph, kind).to_numpy()[last.index.to_numpy()])
        made[kind] = NodeVectors(keys, np.ascontiguousarray(vectors[last.to_numpy()], dtype=np.float32))
    return made


def recommended_edges(graph: KnowledgeGraph, recommendations: pd.DataFrame, domain: str | None = None) -> pd.DataFrame:
    """Recommendations of a domain (user_id, item_id, score, rank) as a table head, tail, score, rank of keys.

    A user stands for the node that the domain knows, else for the one that the other domain knows.

    Raises:
        InputError: a user or item that the graph does not have.
    """
    code = graph.domain_code(domain) if domain is not None else 1
    ends = {
        "head": (USER, "user_id", graph.user_rows_anywhere(code, recommendations["user_id"])),
        "tail": (graph.item_types[code], "item_id", graph.item_rows(code, recommendations["item_id"])),
    }
    made: dict[str, Any] = {}
    for end, (kind, column, rows) in ends.items():
        if (rows < 0).any():
            lost = recommendations[column].iloc[int((rows < 0).argmax())]
            raise InputError(f'recommendations: {column} "{lost}" is no {kind} of the graph; was it another data set?')
        made[end] = node_labels(graph, kind).to_numpy()[rows]
    values = {name: recommendations[name].to_numpy() for name in ("score", "rank")}
    return pd.DataFrame({**made, **values})


def recommendations_from(rows: pd.DataFrame) -> pd.DataFrame:
    """Recommendations as `GraphStore.read_recommendations` returns them, of what a store has, in any order."""
    table = rows.reindex(columns=[*RECOMMENDATION])
    table["at"] = pd.to_datetime(table["at"], utc=True, format="ISO8601")
    return table.astype(RECOMMENDATION).sort_values(["run", "head", "rank", "tail"], ignore_index=True)


def nearest_of(
    embeddings: Mapping[str, NodeVectors], schema: Schema, node_type: str, vector: np.ndarray, n: int
) -> pd.DataFrame:
    """Key and similarity of the `n` nodes of a type, or of one below it, nearest by cosine; exact.

    Raises:
        InputError: no such type, or vectors of another length.
    """
    below = schema.subtypes(node_type)
    found = {kind: one for kind, one in embeddings.items() if kind in below}
    fitting = [one for one in found.values() if one.vectors.shape[1] == len(vector)]
    if found and not fitting:
        dim = next(iter(found.values())).vectors.shape[1]
        raise InputError(f"the vector has {len(vector)} numbers, those of {node_type} have {dim}")
    keys = np.concatenate([np.empty(0, dtype=object), *(one.keys.to_numpy(dtype=object) for one in fitting)])
    given = np.concatenate([np.empty((0, len(vector)), dtype=np.float32), *(one.vectors for one in fitting)])
    return nearest_among(keys, given, vector, n)


def nearest_among(keys: np.ndarray, vectors: np.ndarray, vector: np.ndarray, n: int) -> pd.DataFrame:
    """Key and similarity of the `n` of these nodes that are nearest by cosine, which is 0 for a vector of zeros."""
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    table = pd.DataFrame({"key": keys, "similarity": vectors @ vector / np.where(lengths > 0, lengths, 1)})
    best = table.sort_values(["similarity", "key"], ascending=[False, True]).head(n).reset_index(drop=True)
    return best.astype({"key": "str", "similarity": "float64"})


def communities_by_type(communities: pd.Series) -> dict[str, pd.Series]:
    """Communities of the nodes of each type, as the keys name it."""
    kinds = communities.index.astype("str").str.replace("(?s):.*", "", regex=True).to_numpy()
    return {str(kind): communities[kinds == kind] for kind in pd.unique(kinds)}


def require_found(kind: str, communities: pd.Series, found: int) -> None:
    """Refuse communities of nodes that the graph does not have."""
    if found < len(communities):
        raise InputError(
            f"{len(communities) - found:,} of {len(communities):,} {kind} nodes that have a community are not in the "
            "stored graph; find communities in the graph that was loaded"
        )


def _dtypes(table: pd.DataFrame) -> dict[str, str]:
    return {name: str(column.dtype) for name, column in table.items()}


def _aliases(others: pd.DataFrame, domain_names: tuple[str, str]) -> pd.Series:
    """Row -> the further keys of a node as JSON."""
    plain = others.drop(columns=["row"]).assign(domain=np.array(domain_names, dtype=object)[others["domain"]])
    records = plain.astype(object).where(plain.notna(), None).to_dict("records")
    said = pd.Series([json.dumps(one, ensure_ascii=False) for one in records], index=others["row"], dtype=object)
    return "[" + said.groupby(level=0).agg(", ".join) + "]"


def _require_all(what: str, found: int, expected: int) -> None:
    if found != expected:
        state = f"{found:,} of {expected:,} are there"
        raise InputError(f"{what}: {state}; the graph was changed or not written whole; clear it and load it again")


def _vocabulary(table: pd.DataFrame, size: int, dtypes: dict[str, str], codes: dict[str, int]) -> Vocabulary:
    columns = {"domain": "int8", "id": "str", **dtypes, "row": "int64"}
    if not size:
        return Vocabulary(_typed(pd.DataFrame(columns=[*columns]), columns), 0)
    first = table.assign(domain=table[DOMAIN].str[0]).reindex(columns=[*columns, PLACE])
    merged = table.loc[table[ALIASES].notna(), [ROW, ALIASES]]
    said = zip(merged[ROW], map(json.loads, merged[ALIASES]), strict=True)
    others = pd.DataFrame([{**one, "row": row} for row, keys in said for one in keys], columns=first.columns)
    every = pd.concat([first.astype(object), others.astype(object)]) if len(others) else first
    every = every.assign(domain=every["domain"].map(codes)).sort_values(PLACE).reset_index(drop=True)
    return Vocabulary(_typed(every, columns), size)


def _edges(
    table: pd.DataFrame, rows_of: tuple[pd.Series, pd.Series], dtypes: dict[str, str], codes: dict[str, int]
) -> EdgeTable:
    if table.empty:
        none = np.empty(0, dtype=np.int64)
        return EdgeTable(none, none, none.astype(np.int8), _typed(pd.DataFrame(columns=[*dtypes]), dtypes))
    table = table.sort_values(ROW).reset_index(drop=True)
    head, tail = (rows.reindex(table[end]).to_numpy(np.int64) for rows, end in zip(rows_of, ENDS, strict=True))
    domain = table[DOMAIN].map(codes).fillna(-1).to_numpy(np.int8)
    return EdgeTable(head, tail, domain, _typed(table.reindex(columns=[*dtypes]), dtypes))


def _typed(table: pd.DataFrame, dtypes: dict[str, str]) -> pd.DataFrame:
    """Columns in their datatypes; what is missing becomes what the datatype calls missing."""
    made = {}
    for name, dtype in dtypes.items():
        column = table[name]
        if dtype in ("str", "string"):
            column = column.astype(object).where(column.notna(), None)
        made[name] = column.astype(dtype)
    return pd.DataFrame(made, index=table.index)
