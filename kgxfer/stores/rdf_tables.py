"""What RDF says of a graph, as the tables that make a graph again; and what has to be written besides for that.

Of a node its row, its place among the keys of its type, and its aliases; of all edges of a type their order and
domains. An edge without a statement is one triple and nothing more: where such edges stood among all, and what domains
they come from, is said for a whole type at once, in JSON, as compressed numbers.
"""

from __future__ import annotations

import base64
import json
import zlib
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.ddl import ALIASES, DOMAIN, ID, KEY, PLACE, ROW
from graph_schema.errors import InputError
from graph_schema.ontology import BASE
from graph_schema.schema import EdgeType
from kgxfer.graph import EdgeTable, KnowledgeGraph
from kgxfer.graph.rdf import Pairs, property_local, relation_properties, stated_rows
from kgxfer.graph.rdf_terms import RDF, STORE, Form, edge_local, literals, strings
from kgxfer.graph.storage import schema_of
from kgxfer.stores.contents import graph_from, node_table
from kgxfer.stores.rdf_triples import Terms, Triples, texts, values

GRAPH = f"{BASE}graph"
"""The IRI of the graph itself, which carries what is said of all of it."""

OF_GRAPH = DESCRIPTION, FINGERPRINT, ORDER, STATE = tuple(
    f"{BASE}{STORE}{name}" for name in ("description", "fingerprint", "order", "state")
)


def more_of(graph: KnowledgeGraph, form: Form, kind: str) -> Pairs:
    """What nodes carry for the way back, in the order of their rows."""
    table = node_table(graph, kind)
    numbers = [(form.iri(STORE + name), literals(form, table[name], "integer", name)) for name in (ROW, PLACE)]
    aliases = pa.array(table[ALIASES].tolist(), pa.string())
    return [*numbers, *([(form.iri(STORE + ALIASES), strings(aliases))] if aliases.null_count < len(aliases) else [])]


def order_of(graph: KnowledgeGraph) -> str:
    """Order and domains of the edges of all types, as JSON."""
    return json.dumps([_order(edges, stated_rows(graph, kind)) for kind, edges in graph.edges.items()])


class _Reader:
    """The tables of a graph, out of its triples."""

    def __init__(self, triples: Triples, told: dict[str, Any]) -> None:
        """Find the nodes: whatever has a key."""
        subjects, keys = triples.of(BASE + STORE + KEY)
        self.triples, self.nodes, self.keys = triples, Terms(subjects), texts(keys)
        kinds = pc.list_element(pc.split_pattern(self.keys, ":", max_splits=1), 0)
        self.kinds = kinds.to_pandas().to_numpy(dtype=object)
        self.key = self.keys.to_pandas().to_numpy(dtype=object)
        self.domains, self.schema = [one["name"] for one in told["domains"]], schema_of(told)
        self.subjects, self.ends, self.member = cache(self._subjects), cache(self._ends), cache(self._member)
        self.rows = self.column(ROW, np.arange(len(self.nodes)), "int64", STORE).to_numpy(np.int64)

    def column(self, name: str, chosen: np.ndarray, dtype: str, space: str = "") -> pd.Series:
        """One property of some nodes, missing where missing."""
        subjects, objects = self.subjects(BASE + space + name)
        place = np.full(len(self.nodes), -1)
        place[chosen] = np.arange(len(chosen))
        return _column(place, subjects, objects, len(chosen), dtype)

    def _subjects(self, predicate: str) -> tuple[np.ndarray, pa.Array]:
        """Places of the nodes that are subjects of a predicate (-1: no node), and the objects."""
        subjects, objects = self.triples.of(predicate)
        return self.nodes.places(subjects), objects

    def _ends(self, relation: str) -> tuple[np.ndarray, np.ndarray]:
        """Places of heads and tails of a relation."""
        heads, tails = self.subjects(BASE + relation)
        return heads, self.nodes.places(tails)

    def _member(self) -> np.ndarray:
        """Bool [2, nodes]: which nodes are of the source and of the target domain."""
        places, said = self.subjects(f"{BASE}{STORE}{DOMAIN}")
        found = np.zeros((3, len(self.nodes)), dtype=bool)  # the last for a domain that is none
        found[pd.Index(self.domains).get_indexer(texts(said).to_pandas()), places] = True
        return found[:2]

    def node_table(self, kind: str, dtypes: dict[str, str]) -> pd.DataFrame:
        """The nodes of one type."""
        chosen = np.flatnonzero(self.kinds == kind)
        member = self.member()
        lists = np.empty(4, dtype=object)
        lists[:] = [None, self.domains[:1], self.domains[1:], self.domains]
        columns = {KEY: self.key[chosen], DOMAIN: lists[(member[0] + 2 * member[1])[chosen]]}
        table = pd.DataFrame({**columns, ROW: self.rows[chosen], PLACE: self.column(PLACE, chosen, "int64", STORE)})
        cut = {code: len(f"{kind}:{name}/") for code, name in enumerate(self.domains)}
        first = np.where(member[0][chosen], cut[0], cut[1])
        for length in set(cut.values()):
            table.loc[first == length, ID] = table.loc[first == length, KEY].str[length:]
        table[ALIASES] = self.column(ALIASES, chosen, "str", STORE)
        known = {row.name for row in self.schema.properties(kind)}
        own = {name: self.column(property_local(name, known), chosen, dtype) for name, dtype in dtypes.items()}
        return table.assign(**own)

    def edge_table(self, kind: EdgeType, dtypes: dict[str, str], size: int, order: dict[str, Any]) -> pd.DataFrame:
        """The edges of one type: those with a statement, and those that are a triple alone."""
        stated = self._stated(kind, dtypes)
        head, tail = self.ends(kind.relation)
        own = (head >= 0) & (tail >= 0) & (self.kinds[head] == kind.head) & (self.kinds[tail] == kind.tail)
        pairs = head * len(self.nodes) + tail
        if len(stated):
            own &= ~np.isin(pairs, stated["head"].to_numpy() * len(self.nodes) + stated["tail"].to_numpy())
        plain = pd.DataFrame({"head": head[own], "tail": tail[own]})
        plain = plain.iloc[np.lexsort((self.rows[plain["tail"]], self.rows[plain["head"]]))]
        free = np.ones(size, dtype=bool)
        free[stated[ROW]] = False
        rows = np.flatnonzero(free) if order["rows"] is None else _unpacked(order["rows"], "<i4")
        if len(rows) != len(plain):
            raise ValueError(f"{' '.join(kind)}: {len(plain) + len(stated):,} edges, {size:,} were written")
        every = pd.concat([plain.assign(**{ROW: rows}), stated], ignore_index=True)
        codes = _unpacked(order["domains"], "i1")
        names = np.array([*self.domains, None], dtype=object)[codes if len(codes) > 1 else np.repeat(codes, size)]
        return every.assign(head=self.key[every["head"]], tail=self.key[every["tail"]], **{DOMAIN: names[every[ROW]]})

    def _stated(self, kind: EdgeType, dtypes: dict[str, str]) -> pd.DataFrame:
        """Edges with a statement: head and tail (places of nodes), row, properties."""
        front = f"<{BASE}{edge_local(kind)}"

        def own(predicate: str) -> tuple[pa.Array, pa.Array]:
            subjects, objects = self.triples.of(predicate)
            mine = pc.starts_with(subjects, front)
            return subjects.filter(mine), objects.filter(mine)

        about, heads = own(f"{RDF}subject")
        statements = Terms(about)
        subjects, tails = own(f"{RDF}object")
        place = np.arange(len(statements))
        row = pc.utf8_slice_codeunits(about, len(front), -1).cast(pa.int64()).to_numpy()
        ends = np.full((2, len(statements)), -1)
        ends[0], ends[1, statements.places(subjects)] = self.nodes.places(heads), self.nodes.places(tails)
        if (ends < 0).any():
            raise ValueError(f"{' '.join(kind)}: a statement about what is no node")
        table = pd.DataFrame({"head": ends[0], "tail": ends[1], ROW: row})
        known = relation_properties(self.schema, kind.relation)
        for name, dtype in dtypes.items():
            subjects, objects = own(BASE + property_local(name, known))
            table[name] = _column(place, statements.places(subjects), objects, len(statements), dtype)
        return table


def graph_of(triples: Triples, description: str, order: str) -> KnowledgeGraph:
    """Put the graph together again.

    Raises:
        InputError: it was changed, or written by another version.
    """
    told = json.loads(description)
    try:
        reader = _Reader(triples, told)
        nodes = {
            kind: reader.node_table(kind, dtypes)
            for kind, dtypes in zip(told["nodes"], told["node_properties"], strict=True)
        }
        parts = zip(told["edges"], told["edge_properties"], told["edge_sizes"], json.loads(order), strict=True)
        edges = {EdgeType(*kind): reader.edge_table(EdgeType(*kind), *part) for kind, *part in parts}
    except (ValueError, KeyError, IndexError, TypeError, zlib.error) as error:
        problem = str(error).splitlines()[0]
        raise InputError(f"the graph was changed after it was written ({problem}); clear it, load it again") from error
    return graph_from(description, nodes, edges)


def _column(place: np.ndarray, subjects: np.ndarray, objects: pa.Array, size: int, dtype: str) -> pd.Series:
    """Values at the places of their subjects, of which those at -1 are not meant."""
    places = place[subjects]
    meant = (subjects >= 0) & (places >= 0)
    return values(objects.filter(pa.array(meant)), dtype).set_axis(places[meant]).reindex(range(size))


def _order(edges: EdgeTable, stated: np.ndarray) -> dict[str, Any]:
    """Where the edges without a statement, sorted by their ends, stood (None: in this order), and all domains."""
    rows = np.flatnonzero(~stated)
    ordered = rows[np.lexsort((edges.tail[rows], edges.head[rows]))]
    same = len(edges) and (edges.domain == edges.domain[0]).all()
    return {
        "rows": None if (np.diff(ordered) > 0).all() else _packed(ordered, "<i4"),
        "domains": _packed(edges.domain[:1] if same else edges.domain, "i1"),
    }


def _packed(numbers: np.ndarray, dtype: str) -> str:
    return base64.b64encode(zlib.compress(numbers.astype(dtype).tobytes(), 1)).decode()


def _unpacked(text: str, dtype: str) -> np.ndarray:
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), dtype=dtype).astype(np.int64)
