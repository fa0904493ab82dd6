"""The same entity (genre, decade, person, keyword) in the facts of both domains.

Two entities are one where type and id are equal, and where same-as statements join them, in however many steps. The
statements are the domains' own facts of the relation SAME_AS (`owl:sameAs` of triples becomes that) and, where given, a
table. They may lead through ids that neither domain has, and they may name items, which equal ids do not identify.
"""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from graph_schema.columns import Column
from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.schema import Schema
from graph_schema.tables import IDENTITY, TableDefinition, validate
from kgxfer.bridges.links import link_table
from kgxfer.splits import Split
from loaders.dataset import CrossDomainDataset, DomainTables
from loaders.fingerprint import file_sha256
from loaders.own import read_table
from loaders.own.bad_lines import refuse_bad_lines
from loaders.pairing import entities_of

_LOG = logging.getLogger(__name__)

STATEMENTS = TableDefinition(
    "same_as", (Column("head_id", "id"), Column("tail_id", "id"), Column("node_type", "string", required=False))
)
"""Same-as statements; without `node_type` an id means every entity and item of that id, of whatever type."""

_SHARED = "both"
_FAULTS = ["fault", "head_id", "tail_id", "detail"]


class SharedEntityConfig(Config):
    """Settings.

    Attributes:
        same_as: a file of same-as statements (CSV, JSON lines or Parquet): head_id, tail_id and, if at all, node_type.
        same_as_sha256: the checksum that the file has to have. A run fills it in, so that neither an audit nor a
            resumed run reads other statements.
    """

    same_as: str | None = None
    same_as_sha256: str | None = None


class SharedEntity:
    """Link the entities that are one by type and id or by same-as statements, and the items that statements join."""

    config_class = SharedEntityConfig

    def __init__(self, config: SharedEntityConfig | None = None, same_as: pd.DataFrame | None = None) -> None:
        """Read the file of statements that the settings name, or take a table of them.

        Raises:
            InputError: the file cannot be read or is another than expected, or the table has not the columns head_id,
                tail_id and, if at all, node_type.
        """
        self.config = config or SharedEntityConfig()
        self.same_as = None if same_as is None else validate(same_as, STATEMENTS, "bridge shared_entity")
        if self.config.same_as is not None and same_as is None:
            self.same_as = read_statements(Path(self.config.same_as), self.config.same_as_sha256)[0]

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per pair; the evidence of a pair with two ids is the path of statements between them.

        Statements that cannot be used, and those that say nothing new, are counted in one warning; `faults` has them.
        """
        closure = _Closure(split.dataset, self.same_as)
        if closure.faults:
            counts = pd.concat(closure.faults)["fault"].value_counts()
            told = ", ".join(f"{count} {fault}" for fault, count in counts.items())
            _LOG.warning("bridge shared_entity, same-as statements: %s; SharedEntity.faults(split) lists them", told)
        return closure.links()

    def faults(self, split: Split) -> pd.DataFrame:
        """What is wrong with the same-as statements: fault, head_id, tail_id, detail.

        "of one id": both ends are the same. "closing a loop": earlier statements say so already, which is harmless,
        but in a chain that is too long one link is often wrong. "of wrong type": a type joined to another, which is
        not followed, or nodes of two types that meet through an id without one, which are not linked.
        """
        closure = _Closure(split.dataset, self.same_as)
        tables = [*closure.faults, pd.DataFrame(columns=_FAULTS, dtype="str")]
        return pd.concat(tables, ignore_index=True)[_FAULTS]


def read_statements(path: Path, sha256: str | None = None) -> tuple[pd.DataFrame, str]:
    """Read same-as statements from a file, and return them with its checksum.

    Raises:
        InputError: the file is absent or unreadable, has another checksum than `sha256`, lines that are no rows, or not
            the columns of `STATEMENTS`.
    """
    raw = read_table(path)
    found = file_sha256(path)
    if sha256 is not None and found != sha256:
        raise InputError(f"same-as statements, {raw.where}: not the file of before; restore it, or start anew")
    refuse_bad_lines(raw)
    named = raw.frame[[name for name in STATEMENTS.names if name in raw.frame]]
    return validate(named, STATEMENTS, raw.where), found


class _Closure:
    """Nodes of both domains as numbers, and which of them statements join.

    A node is (scope, type, id). The scope of an entity is both domains, so that equal type and id are one node; that of
    an item is its domain.
    """

    def __init__(self, dataset: CrossDomainDataset, given: pd.DataFrame | None) -> None:
        self.faults: list[pd.DataFrame] = []
        self.members = [_members(domain, dataset.schema) for domain in dataset.domains]
        known = pd.concat(self.members, ignore_index=True).drop_duplicates(ignore_index=True)
        stated = [_own_statements(domain, dataset.schema) for domain in dataset.domains]
        if given is not None:
            stated.append(self._typed(given, known))
        heads, tails = (pd.concat([part[end] for part in stated], ignore_index=True) for end in (0, 1))
        self.nodes = pd.concat([known, heads, tails], ignore_index=True).drop_duplicates(ignore_index=True)
        self._numbers = pd.MultiIndex.from_frame(self.nodes)
        self.edges = self._distinct(self._number(heads), self._number(tails))
        size, (head, tail) = len(self.nodes), self.edges
        self.matrix = sparse.csr_matrix((np.ones(len(head)), (head, tail)), shape=(size, size))
        self.component = sparse.csgraph.connected_components(self.matrix, directed=False)[1]
        self._find_loops()
        self._find_mixed_types()

    def links(self) -> pd.DataFrame:
        """All pairs of a source's and a target's node of one component and type."""
        ends = []
        for members in self.members:
            number = self._number(members)
            ends.append(pd.DataFrame({"number": number, "type": members["type"], "part": self.component[number]}))
        pairs = ends[0].merge(ends[1], on=["part", "type"], suffixes=("_source", "_target"))
        source, target = pairs["number_source"].to_numpy(), pairs["number_target"].to_numpy()
        ids = self.nodes["id"].to_numpy(dtype=object)
        evidence = np.full(len(pairs), "equal type and id", dtype=object)
        apart = source != target
        evidence[apart] = "same as: " + self._paths(source[apart], target[apart])
        return link_table(ids[source], ids[target], pairs["type"], 1.0, "shared_entity", evidence)

    def _paths(self, source: np.ndarray, target: np.ndarray) -> np.ndarray:
        """The statements between pairs of nodes of one component, as text: up from both ends until they meet."""
        ids = self.nodes["id"].to_numpy(dtype=object)
        roots = pd.Series(np.arange(len(ids))).groupby(self.component).first().to_numpy()
        depth, above, _ = sparse.csgraph.dijkstra(
            self.matrix, directed=False, indices=roots, unweighted=True, min_only=True, return_predecessors=True
        )
        left, right = ids[source].copy(), np.full(len(source), "", dtype=object)
        low, high = source.copy(), target.copy()
        while (open_ := low != high).any():
            climbing = open_ & (depth[low] >= depth[high])
            low[climbing] = above[low[climbing]]
            left[climbing] = left[climbing] + " = " + ids[low[climbing]]
            climbing = open_ & ~climbing
            right[climbing] = " = " + ids[high[climbing]] + right[climbing]
            high[climbing] = above[high[climbing]]
        paths: np.ndarray = left + right
        return paths

    def _number(self, nodes: pd.DataFrame) -> np.ndarray:
        numbers: np.ndarray = self._numbers.get_indexer(pd.MultiIndex.from_frame(nodes))
        return numbers

    def _distinct(self, head: np.ndarray, tail: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Statements about two nodes, each pair once whichever way round and in whichever domain it was stated."""
        alone = head == tail
        self._report("of one id", head[alone], tail[alone])
        low, high = np.minimum(head, tail)[~alone], np.maximum(head, tail)[~alone]
        first = np.sort(np.unique(low * len(self.nodes) + high, return_index=True)[1])
        return low[first], high[first]

    def _find_loops(self) -> None:
        """Statements that are no part of the tree of the earliest ones."""
        head, tail = self.edges
        order = np.arange(1, len(head) + 1, dtype=float)
        weighted = sparse.csr_matrix((order, (head, tail)), shape=self.matrix.shape)
        tree = sparse.csgraph.minimum_spanning_tree(weighted).data.astype(int) - 1
        closing = np.setdiff1d(np.arange(len(head)), tree)
        self._report("closing a loop", head[closing], tail[closing])

    def _find_mixed_types(self) -> None:
        """Components in which nodes of two types meet; the first two that do stand for each."""
        typed = self.nodes.assign(part=self.component, number=np.arange(len(self.nodes)))
        typed = typed[typed["type"] != ""].drop_duplicates(["part", "type"])
        rank = typed.groupby("part").cumcount()
        first, second = (typed[rank == place].set_index("part")["number"] for place in (0, 1))
        self._report("of wrong type", first.reindex(second.index).to_numpy(dtype=int), second.to_numpy(dtype=int))

    def _report(self, fault: str, head: np.ndarray, tail: np.ndarray) -> None:
        if len(head):
            kinds = [self.nodes["type"].replace("", "no type").to_numpy(dtype=object)[end] for end in (head, tail)]
            ids = [self.nodes["id"].to_numpy(dtype=object)[end] for end in (head, tail)]
            detail = kinds[0] + " and " + kinds[1]
            self.faults.append(pd.DataFrame(dict(zip(_FAULTS, [fault, *ids, detail], strict=True))))

    def _typed(self, given: pd.DataFrame, known: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The nodes that the rows of a table mean; rows whose ends are known by different types only are faults."""
        rows = given.reset_index(names="statement")
        for end in ("head", "tail"):
            found = known.rename(columns=lambda name, end=end: f"{end}_{name}")
            rows = rows.merge(found, on=f"{end}_id", how="left")
            if "node_type" in given:
                fits = rows[f"{end}_type"].eq(rows["node_type"])
                rows[f"{end}_scope"] = rows[f"{end}_scope"].where(fits)
                rows[f"{end}_type"] = rows["node_type"]
            rows = rows.fillna({f"{end}_scope": _SHARED, f"{end}_type": ""}).drop_duplicates(ignore_index=True)
        fits = rows["head_type"].eq(rows["tail_type"]) | rows["head_type"].eq("") | rows["tail_type"].eq("")
        lost = rows[~rows["statement"].isin(rows.loc[fits, "statement"])].drop_duplicates("statement")
        if len(lost):
            detail = lost["head_type"] + " and " + lost["tail_type"]
            self.faults.append(lost.assign(fault="of wrong type", detail=detail)[_FAULTS])
        head, tail = (
            rows.loc[fits, [f"{end}_scope", f"{end}_type", f"{end}_id"]].set_axis(["scope", "type", "id"], axis=1)
            for end in ("head", "tail")
        )
        return head, tail


def _members(domain: DomainTables, schema: Schema) -> pd.DataFrame:
    """The entities and items of a domain: scope, type, id."""
    entities = entities_of(domain, schema).rename(columns={"node_type": "type", "node_id": "id"})
    items = pd.DataFrame({"scope": domain.domain, "type": domain.item_type, "id": domain.items["item_id"]})
    both = pd.concat([entities.assign(scope=_SHARED), items], ignore_index=True)[["scope", "type", "id"]]
    return both.astype("str")


def _own_statements(domain: DomainTables, schema: Schema) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both ends of a domain's SAME_AS facts: scope, type, id. Those about users are left to others."""
    facts = domain.facts[domain.facts["relation"] == IDENTITY]
    people = [kind for kind in facts["head_type"].unique() if schema.root(kind) == "User"]
    facts = facts[~facts["head_type"].isin(people)]
    ends = []
    for end in ("head", "tail"):
        nodes = facts[[f"{end}_type", f"{end}_id"]].set_axis(["type", "id"], axis=1).reset_index(drop=True)
        things = [kind for kind in nodes["type"].unique() if schema.root(kind) == "Item"]
        own = nodes["type"].isin(things) & nodes["id"].isin(domain.items["item_id"])
        nodes["type"] = nodes["type"].mask(own, domain.item_type)
        nodes.insert(0, "scope", np.where(own, domain.domain, _SHARED))
        ends.append(nodes.astype("str"))
    return ends[0], ends[1]
