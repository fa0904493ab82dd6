"""RecBole's atomic files: data sets in this form are read in one line, and ours are written in it.

A data set NAME is a folder with NAME.inter, and where there are some NAME.user, NAME.item, NAME.net, NAME.kg and
NAME.link. Each is delimited by tabs; its first line gives every column a name and a type, as in ``user_id:token``:
one of token, token_seq, float and float_seq, sequences having spaces between their values. In NAME.kg entities have
ids of their own; NAME.link says which of them are items.

What we write has entities named by type and id (``Genre:Drama``), so that it is read back with the same types. The form
has no place for names of entities, which are lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import EdgeType, Relation, Schema
from graph_schema.vocabulary import SCHEMA
from loaders.cleaning import CleaningConfig, clean
from loaders.dataset import CrossDomainDataset, DomainTables
from loaders.files import new_folder
from loaders.own.messages import file_named, one_line, some_of
from loaders.own.read import read_table
from loaders.raw import Attribute, AttributeKind, RawDomain, RawTable

TYPES = ("token", "token_seq", "float", "float_seq")

_NAMES = ("name", "title", "movie_title", "book_title", "item_name", "track_name", "artist_name")
_YEARS = ("year", "release_year", "publication_year")
_KNOWS = "KNOWS"

Relations = Mapping[str, EdgeType | tuple[str, str, str]]


def read_domain(
    folder: str | Path,
    name: str,
    *,
    domain: str,
    item_type: str = "Item",
    relations: Relations | None = None,
    schema: Schema = SCHEMA,
    config: CleaningConfig | None = None,
) -> DomainTables:
    """Read and clean a data set in atomic files, as one domain.

    Args:
        folder: where the data set's folder is, or its files themselves.
        name: of the data set, as in "ml-100k".
        domain: what to call the domain.
        item_type: type of its items.
        relations: relation of NAME.kg, or column of NAME.item or NAME.user -> the edge type that it is in the schema,
            such as ("Movie", "HAS_GENRE", "Genre"). Triples the other way round are turned. Other relations keep their
            names and join entities of type Entity (`schema_of` adds them to a schema); other columns stay columns.
        schema: the vocabulary.
        config: the choices of cleaning.

    Raises:
        InputError: no such files, a header that is not of this form, or a relation that the schema does not have.
    """
    raw = read_raw(folder, name, domain=domain, item_type=item_type, relations=relations, schema=schema)
    facts = [] if raw.facts is None else [raw.facts.frame]
    return clean(raw, config, _extended(schema, facts)).tables


def schema_of(*domains: DomainTables, schema: Schema = SCHEMA) -> Schema:
    """Return the schema with every relation of these domains' facts that it lacks; `loaders.pair` takes it."""
    return _extended(schema, [tables.facts for tables in domains])


def read_raw(
    folder: str | Path,
    name: str,
    *,
    domain: str,
    item_type: str = "Item",
    relations: Relations | None = None,
    schema: Schema = SCHEMA,
) -> RawDomain:
    """Read a data set in atomic files as it is, with the line of every row; arguments as in `read_domain`."""
    known = {key: schema.edge_type(*value) for key, value in (relations or {}).items()}
    place = _place(Path(folder), name)
    tables = {kind: _read(place / f"{name}.{kind}") for kind in ("inter", "item", "user", "net", "kg", "link")}
    interactions = tables["inter"]
    if interactions is None:
        raise InputError(f"{file_named(place / f'{name}.inter')} does not exist; check folder and name")
    items, item_attributes = _described(tables["item"][0], tables["item"][1], known) if tables["item"] else (None, ())
    users, user_attributes = _described(tables["user"][0], tables["user"][1], known) if tables["user"] else (None, ())
    knows = tables["net"]
    used = {attribute.column for attribute in (*item_attributes, *user_attributes)}
    facts = None
    if tables["kg"] is not None:
        facts = _facts(tables["kg"][0], tables["link"][0] if tables["link"] else None, item_type, known, schema)
        used |= set(facts.frame["given"])
        facts = replace(facts, frame=facts.frame.drop(columns="given"))
    for key in known:
        if key not in used:
            kind = f'relation or column of data set "{one_line(name)}"'
            raise unknown_name(kind, one_line(key), some_of(sorted(used)))
    return RawDomain(
        domain,
        item_type,
        _with_columns(interactions[0], {"user_id": "user_id", "item_id": "item_id"}),
        items,
        users,
        _with_columns(knows[0], {"source_id": "user_id", "target_id": "other_id"}) if knows else None,
        facts,
        item_attributes,
        user_attributes,
    )


def write(data: CrossDomainDataset | DomainTables, folder: str | Path) -> None:
    """Write each domain as data set DOMAIN in `folder`/DOMAIN; the folder appears whole or not at all.

    Raises:
        InputError: the folder exists already, cannot be written, or a domain has a name that cannot name a file.
    """
    domains = data.domains if isinstance(data, CrossDomainDataset) else (data,)
    for tables in domains:
        if tables.domain != Path(tables.domain).name or tables.domain.startswith(".") or "\0" in tables.domain:
            raise InputError(f'domain "{one_line(tables.domain)}" cannot name a file; rename the domain')
    with new_folder(Path(folder)) as draft:
        for tables in domains:
            (draft / tables.domain).mkdir()
            _write_domain(tables, draft / tables.domain)


def _place(folder: Path, name: str) -> Path:
    inside = folder / name
    return inside if (inside / f"{name}.inter").is_file() or not (folder / f"{name}.inter").is_file() else folder


def _read(path: Path) -> tuple[RawTable, dict[str, str]] | None:
    """Read a file; return it with the names of its columns without their types, and name -> type."""
    if not path.is_file():
        return None
    table = read_table(path, format="csv", separator="\t", header=True)
    types: dict[str, str] = {}
    for heading in table.frame.columns:
        name, _, kind = str(heading).rpartition(":")
        if not name or kind not in TYPES:
            raise InputError(
                f'{table.where}, line 1: column "{one_line(heading, 40)}" has no type; write it as NAME:TYPE with one '
                f"of {', '.join(TYPES)}"
            )
        if name in types:
            raise InputError(f'{table.where}, line 1: column "{one_line(name, 40)}" is there twice; drop or rename one')
        types[name] = kind
    return replace(table, frame=table.frame.set_axis(list(types), axis=1)), types


def _with_columns(table: RawTable, roles: Mapping[str, str]) -> RawTable:
    """Rename columns to their roles; InputError when one is not there."""
    for name in roles:
        if name not in table.frame.columns:
            raise InputError(f"{table.where}: {unknown_name('column', name, map(str, table.frame.columns))}")
    return replace(table, frame=table.frame.rename(columns=dict(roles)))


def _described(
    table: RawTable, types: Mapping[str, str], known: Mapping[str, EdgeType]
) -> tuple[RawTable, tuple[Attribute, ...]]:
    """Find name and year of items or users, and what becomes of the other columns."""
    renamed = {}
    for role, names in (("name", _NAMES), ("year", _YEARS)):
        found = next((name for name in names if name in types and name not in known), None)
        if found is not None and role not in types:
            renamed[found] = role
    attributes = []
    for name, kind in types.items():
        if name in known:
            edge = known[name]
            way: AttributeKind = "multi-valued" if kind.endswith("_seq") else "categorical"
            attributes.append(Attribute(name, way, edge.relation, edge.tail, " "))
        elif name not in renamed and name not in ("user_id", "item_id", "name", "year", "item_type"):
            attributes.append(Attribute(name, "numeric" if kind == "float" else "text"))
    return replace(table, frame=table.frame.rename(columns=renamed)), tuple(attributes)


def _facts(
    triples: RawTable, link: RawTable | None, item_type: str, known: Mapping[str, EdgeType], schema: Schema
) -> RawTable:
    """Make facts of triples: entities that are items get the items' ids, the others a type of their own."""
    roles = {"head_id": "head_id", "relation_id": "relation", "tail_id": "tail_id"}
    table = _with_columns(triples, roles)
    frame = table.frame[list(roles.values())].astype("str")
    frame["given"] = frame["relation"]
    items = pd.Series(dtype="str")
    if link is not None:
        pairs = _with_columns(link, {"item_id": "item_id", "entity_id": "entity_id"}).frame
        items = pairs.drop_duplicates("entity_id").set_index("entity_id")["item_id"]
    is_item = {end: frame[f"{end}_id"].isin(items.index) for end in ("head", "tail")}
    turned = _turned(frame["given"], known, is_item["head"], is_item["tail"], schema)
    frame.loc[turned, ["head_id", "tail_id"]] = frame.loc[turned, ["tail_id", "head_id"]].to_numpy()
    for number, end in ((0, "head"), (2, "tail")):
        of_relation = frame["given"].map({key: edge[number] for key, edge in known.items()})
        types, ids = _typed(frame[f"{end}_id"], schema)
        linked = frame[f"{end}_id"].map(items)
        here = linked.notna()
        types = types.where(types.notna(), of_relation.where(of_relation.notna(), "Entity"))
        # An end that our own writing typed keeps its type, which may be a subtype of the items' type.
        own = here & (ids != frame[f"{end}_id"])
        frame[f"{end}_type"] = types.where(~here | own, item_type).astype("str")
        frame[f"{end}_id"] = linked.where(here, ids).astype("str")
    frame["relation"] = frame["given"].replace({key: edge.relation for key, edge in known.items()})
    return replace(table, frame=frame)


def _turned(
    relation: pd.Series, known: Mapping[str, EdgeType], head_is_item: pd.Series, tail_is_item: pd.Series, schema: Schema
) -> pd.Series:
    """Say which triples stand the other way round: the item is at the end where the schema has the other thing."""
    items_at = {
        key: tuple(schema.root(end) == "Item" for end in (edge.head, edge.tail)) for key, edge in known.items()
    }
    wants_head = relation.map({key: ends == (True, False) for key, ends in items_at.items()}).eq(True)
    wants_tail = relation.map({key: ends == (False, True) for key, ends in items_at.items()}).eq(True)
    return (wants_head & ~head_is_item & tail_is_item) | (wants_tail & head_is_item & ~tail_is_item)


def _typed(entities: pd.Series, schema: Schema) -> tuple[pd.Series, pd.Series]:
    """Part ids such as "Genre:Drama" into type and id, where the type is one of the schema."""
    parts = entities.str.partition(":")
    typed = parts[0].isin(schema.names) & (parts[1] == ":") & (parts[2] != "")
    return parts[0].where(typed), parts[2].where(typed, entities)


def _extended(schema: Schema, facts: Iterable[pd.DataFrame]) -> Schema:
    kinds = [frame[["head_type", "relation", "tail_type"]].drop_duplicates() for frame in facts if len(frame)]
    rows = pd.concat(kinds).drop_duplicates().itertuples(index=False) if kinds else []
    new = []
    for row in rows:
        known = row.relation in schema.relation_names or row.relation in ("", "nan")
        if not known and {row.head_type, row.tail_type} <= set(schema.names):
            new.append(Relation(row.relation, row.head_type, row.tail_type, {"en": row.relation}))
    return schema.extend(relations=new)


def _write_domain(tables: DomainTables, folder: Path) -> None:
    _write_table(tables.interactions, {"user_id": "token", "item_id": "token"}, folder / f"{folder.name}.inter")
    _write_table(tables.items, {"item_id": "token", "item_type": "token"}, folder / f"{folder.name}.item")
    _write_table(tables.users, {"user_id": "token"}, folder / f"{folder.name}.user")
    facts = tables.facts
    acquainted = (facts["relation"] == _KNOWS).to_numpy()
    if acquainted.any():
        pairs = facts.loc[acquainted, ["head_id", "tail_id"]].set_axis(["source_id", "target_id"], axis=1)
        _write_table(pairs, dict.fromkeys(pairs.columns, "token"), folder / f"{folder.name}.net")
    triples = pd.DataFrame(
        {
            "head_id": facts["head_type"] + ":" + facts["head_id"],
            "relation_id": facts["relation"],
            "tail_id": facts["tail_type"] + ":" + facts["tail_id"],
        }
    )[~acquainted]
    if len(triples):
        _write_table(triples, dict.fromkeys(triples.columns, "token"), folder / f"{folder.name}.kg")
        items = tables.items[["item_id"]].assign(entity_id=tables.items["item_type"] + ":" + tables.items["item_id"])
        _write_table(items, dict.fromkeys(items.columns, "token"), folder / f"{folder.name}.link")


def _write_table(frame: pd.DataFrame, types: Mapping[str, str], path: Path) -> None:
    """Write a table with its types in the header; times become seconds, as numbers."""
    written = frame.copy()
    for name in written.columns:
        if pd.api.types.is_datetime64_any_dtype(written[name].dtype):
            written[name] = written[name].astype("datetime64[us]").astype("int64") / 1_000_000
    headings = [
        f"{name}:{types.get(name) or ('float' if pd.api.types.is_numeric_dtype(written[name].dtype) else 'token_seq')}"
        for name in written.columns
    ]
    written.set_axis(headings, axis=1).to_csv(path, sep="\t", index=False, lineterminator="\n", encoding="utf-8")
