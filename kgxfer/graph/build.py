"""Build the knowledge graph from what a model may know: the training rows of a split, facts, and links."""

from __future__ import annotations

import numpy as np
import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import Datatype, EdgeType, Property, Schema
from graph_schema.tables import IDENTITY, LIKENESS, LINKS, validate, validate_facts
from kgxfer.bridges.links import relations_of
from kgxfer.graph.combine import COMBINATIONS, link_edges
from kgxfer.graph.knowledge_graph import INTERACTION, USER, EdgeTable, KnowledgeGraph
from kgxfer.graph.vocabulary import Vocabulary
from kgxfer.splits import Split
from loaders.dataset import CrossDomainDataset, DomainTables


def build_graph(split: Split, links: pd.DataFrame, combine: str = "same_as_edges") -> KnowledgeGraph:
    """Build the graph of a split.

    Only `split.train` supplies interactions, so no model that reads the graph can see validation or test rows.

    Args:
        split: what may be learned from.
        links: a link table, as `propose_links` returns it.
        combine: "disjoint", "same_as_edges" or "collapse".

    Raises:
        InputError: an unknown combination, facts outside the schema or that call the domain's items by another type,
            or links that name nodes which do not exist.
    """
    if combine not in COMBINATIONS:
        raise unknown_name("combination", combine, COMBINATIONS)
    dataset = split.dataset
    keys = _keys(dataset.domains, dataset.schema)
    links = validate(links, LINKS, "links")
    soft = relations_of(links) == LIKENESS
    links, likenesses = links[~soft], links[soft]
    vocabularies: dict[str, Vocabulary] = {}
    identities: dict[EdgeType, EdgeTable] = {}
    for kind, table in keys.items():
        apart = Vocabulary(table, len(table))
        joined = COMBINATIONS[combine](len(table), _links_of(kind, links, apart))
        vocabularies[kind] = Vocabulary(table.assign(row=joined.rows), int(joined.rows.max()) + 1 if len(table) else 0)
        if joined.identity is not None:
            identities[dataset.schema.edge_type(kind, IDENTITY, kind)] = joined.identity
    stray = set(links["node_type"]) - set(keys)
    if stray:
        known = ", ".join(keys)
        raise InputError(f"links name nodes of type {sorted(stray)[0]}, which neither domain has; known: {known}")
    parts: dict[EdgeType, list[EdgeTable]] = {}
    for code, domain in enumerate(dataset.domains):
        rated = dataset.schema.edge_type(USER, INTERACTION, domain.item_type)
        parts.setdefault(rated, []).append(_interaction_edges(split, code, domain, vocabularies))
        validate_facts(domain.facts, dataset.schema, f'domain "{domain.domain}"')
        _check_item_types(domain, dataset.schema)
        for edge_type, facts in _fact_edges(code, domain, vocabularies).items():
            parts.setdefault(edge_type, []).append(facts)
    if combine != "disjoint":
        for edge_type, alike in _likeness_edges(likenesses, dataset, vocabularies).items():
            parts.setdefault(edge_type, []).append(alike)
    for edge_type, identity in identities.items():
        parts.setdefault(edge_type, []).append(identity)
    edges = {edge_type: _concatenate(tables) for edge_type, tables in parts.items()}
    source, target = dataset.domains
    item_types = (source.item_type, target.item_type)
    return KnowledgeGraph(dataset.schema, (source.domain, target.domain), item_types, vocabularies, edges, combine)


def _keys(domains: tuple[DomainTables, DomainTables], schema: Schema) -> dict[str, pd.DataFrame]:
    """All (domain, id) pairs per node type: the tables' own first, then what only facts mention.

    Items also carry what their table says of them, such as the year.
    """
    tables: list[pd.DataFrame] = []
    for code, domain in enumerate(domains):
        found = [
            _named(domain.users, "user_id", "name").assign(kind=USER),
            _named(domain.items, "item_id", "name").assign(kind=domain.item_type).join(_described(domain, schema)),
        ]
        for end in ("head", "tail"):
            found.append(_named(domain.facts, f"{end}_id", f"{end}_name").assign(kind=domain.facts[f"{end}_type"]))
        every = pd.concat(found, ignore_index=True).drop_duplicates(["kind", "id"])
        tables.append(every.assign(domain=np.int8(code)))
    both = pd.concat(tables, ignore_index=True)
    order = [USER, *dict.fromkeys(domain.item_type for domain in domains)]
    order += sorted(set(both["kind"]) - set(order))
    groups = dict(iter(both.groupby("kind", sort=False)))
    described = {kind: list(_item_columns(kind, domains, schema)) for kind in order}
    return {
        kind: groups[kind][["domain", "id", "name", *described[kind]]]
        .reset_index(drop=True)
        .assign(row=np.arange(len(groups[kind])))
        for kind in order
    }


_FORMS: dict[Datatype, str] = {"string": "str", "integer": "Int64", "year": "Int64", "float": "float64"}
"""Datatypes of properties that nodes carry, and their form."""


def _item_columns(kind: str, domains: tuple[DomainTables, ...], schema: Schema) -> dict[str, str]:
    """Columns of the domains' items that are properties of the node type, with their form."""
    tables = [domain.items for domain in domains if domain.item_type == kind]
    single = [row for row in schema.properties(kind) if not row.many and row.name != "name" and row.datatype in _FORMS]
    return {row.name: _FORMS[row.datatype] for row in single if any(_fits(row, table) for table in tables)}


def _fits(row: Property, items: pd.DataFrame) -> bool:
    if row.name not in items:
        return False
    column = items[row.name]
    if row.datatype == "string":
        return isinstance(column.dtype, pd.StringDtype)
    if row.datatype == "float":
        return bool(pd.api.types.is_numeric_dtype(column.dtype))
    return bool(pd.api.types.is_integer_dtype(column.dtype))


def _described(domain: DomainTables, schema: Schema) -> pd.DataFrame:
    columns = _item_columns(domain.item_type, (domain,), schema)
    return domain.items[list(columns)].astype(columns)


def _check_item_types(domain: DomainTables, schema: Schema) -> None:
    """Refuse facts that call an item by a supertype or subtype of the domain's: it would become a second node."""
    for end in ("head", "tail"):
        types, ids = domain.facts[f"{end}_type"], domain.facts[f"{end}_id"]
        akin = [
            name
            for name in types.unique()
            if name != domain.item_type
            and (schema.is_subtype(name, domain.item_type) or schema.is_subtype(domain.item_type, name))
        ]
        wrong = (types.isin(akin) & ids.isin(domain.items["item_id"])).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            found = types.iloc[row]
            raise InputError(
                f'domain "{domain.domain}": table facts, row {row}: {end}_type of item "{ids.iloc[row]}" is {found}, '
                f"but the domain's item_type is {domain.item_type}; write {domain.item_type} there, or make the domain "
                f'with item_type="{found}" (the first row is row 0)'
            )


def _named(table: pd.DataFrame, id_column: str, name_column: str) -> pd.DataFrame:
    names = table.get(name_column, pd.Series([None] * len(table), index=table.index, dtype="str"))
    return pd.DataFrame({"id": table[id_column], "name": names.astype("str")})


def _links_of(kind: str, links: pd.DataFrame, vocabulary: Vocabulary) -> EdgeTable:
    """Links of one node type as pairs of rows."""
    return _link_edges(links[links["node_type"] == kind], (kind, kind), (vocabulary, vocabulary))


def _likeness_edges(
    links: pd.DataFrame, dataset: CrossDomainDataset, vocabularies: dict[str, Vocabulary]
) -> dict[EdgeType, EdgeTable]:
    """Soft links as edges; a type above that of a domain's items means these items."""
    schema, edges = dataset.schema, {}
    for node_type, chosen in links.groupby("node_type", sort=True):
        own = [domain.item_type for domain in dataset.domains]
        source, target = (kind if schema.is_subtype(kind, node_type) else node_type for kind in own)
        empty = Vocabulary(next(iter(vocabularies.values())).keys.head(0), 0)
        ends = (vocabularies.get(source, empty), vocabularies.get(target, empty))
        edges[schema.edge_type(source, LIKENESS, target)] = _link_edges(chosen, (source, target), ends)
    return edges


def _link_edges(chosen: pd.DataFrame, kinds: tuple[str, str], vocabularies: tuple[Vocabulary, Vocabulary]) -> EdgeTable:
    ends = []
    for domain, (column, kind) in enumerate(zip(("source_id", "target_id"), kinds, strict=True)):
        rows = vocabularies[domain].rows(domain, chosen[column])
        if (rows < 0).any():
            place = int((rows < 0).argmax())
            raise InputError(
                f'link table, row {chosen.index[place]}: {column} "{chosen[column].iloc[place]}" is no {kind} of the '
                f"{('source', 'target')[domain]} domain; drop the row or mend the id"
            )
        ends.append(rows)
    return link_edges(ends[0], ends[1], chosen["confidence"].to_numpy(), chosen["method"])


def _interaction_edges(
    split: Split, code: int, domain: DomainTables, vocabularies: dict[str, Vocabulary]
) -> EdgeTable:
    rows = split.rows("train", domain.domain)
    head = vocabularies[USER].rows(code, rows["user_id"])
    tail = vocabularies[domain.item_type].rows(code, rows["item_id"])
    properties = rows[[name for name in ("rating", "timestamp") if name in rows]].reset_index(drop=True)
    return EdgeTable(head, tail, np.full(len(rows), code, dtype=np.int8), properties)


def _fact_edges(code: int, domain: DomainTables, vocabularies: dict[str, Vocabulary]) -> dict[EdgeType, EdgeTable]:
    edges = {}
    for (head, relation, tail), facts in domain.facts.groupby(["head_type", "relation", "tail_type"], sort=True):
        heads = vocabularies[head].rows(code, facts["head_id"])
        tails = vocabularies[tail].rows(code, facts["tail_id"])
        edges[EdgeType(head, relation, tail)] = EdgeTable(
            heads, tails, np.full(len(facts), code, dtype=np.int8), pd.DataFrame(index=range(len(facts)))
        )
    return edges


def _concatenate(tables: list[EdgeTable]) -> EdgeTable:
    if len(tables) == 1:
        return tables[0]
    return EdgeTable(
        np.concatenate([table.head for table in tables]),
        np.concatenate([table.tail for table in tables]),
        np.concatenate([table.domain for table in tables]),
        pd.concat([table.properties for table in tables], ignore_index=True),
    )
