"""Join two domains into one `CrossDomainDataset`, or say why they cannot be joined."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import Schema
from graph_schema.tables import LINKS, validate_facts
from graph_schema.vocabulary import SCHEMA
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables

FIXED_PARTS = ("valid", "test")
FIXED_COLUMNS = ["domain", "user_id", "item_id"]


def pair(
    name: str,
    source: DomainTables,
    target: DomainTables,
    links: pd.DataFrame | None = None,
    *,
    schema: Schema = SCHEMA,
    positive_from: float | None = None,
    fixed: Mapping[str, pd.DataFrame] | None = None,
) -> CrossDomainDataset:
    """Return the two domains as one data set, after checking each of them and that something connects them.

    Args:
        name: what to call the pair in reports.
        source: the rich domain. A user id found in both domains is one person.
        target: the domain to recommend in.
        links: pairs known by hand, columns of `graph_schema.tables.LINKS`; those of a type above two types of items say
            that these are alike, all others that they are the same, unless a column `relation` says it.
        schema: the vocabulary that item types, facts and links must belong to.
        positive_from: ratings from this value on count as positive; None: every interaction does.
        fixed: rows a published protocol holds out; see `CrossDomainDataset.fixed`.

    Raises:
        InputError: as `joined` does; a domain without interactions or with one user; or nothing in common.
    """
    dataset = joined(name, source, target, links, schema=schema, positive_from=positive_from, fixed=fixed)
    for tables in dataset.domains:
        _check_people(tables)
    _check_connection(dataset)
    return dataset


def joined(
    name: str,
    source: DomainTables,
    target: DomainTables,
    links: pd.DataFrame | None = None,
    *,
    schema: Schema = SCHEMA,
    positive_from: float | None = None,
    fixed: Mapping[str, pd.DataFrame] | None = None,
) -> CrossDomainDataset:
    """Like `pair`, of domains that may have nothing in common and nothing to learn from: they can still be looked at.

    Raises:
        InputError: two domains of one name, types or facts outside the schema, links to ids that do not exist, or
            held-out rows that are no interactions.
    """
    if source.domain == target.domain:
        raise InputError(f'both domains are called "{source.domain}"; give the source and the target different names')
    for tables in (source, target):
        _check_domain(tables, schema, positive_from)
    given_links = LINKS.empty() if links is None else links
    parts = {part: _checked_part(part, rows, source, target) for part, rows in (fixed or {}).items()}
    dataset = CrossDomainDataset(name, source, target, given_links, schema, positive_from, parts)
    _check_links(dataset)
    return dataset


def counts_of(dataset: CrossDomainDataset) -> dict[str, int]:
    """Count what a card asserts: per domain users, items, interactions and held-out rows; overlapping users; links."""
    counts = {"overlapping_users": len(dataset.overlapping_users), "links": len(dataset.links)}
    for tables in dataset.domains:
        counts |= {
            f"{tables.domain}.{table}": len(getattr(tables, table))
            for table in ("users", "items", "interactions", "facts")
        }
        counts |= {
            f"{tables.domain}.{part}": int((rows["domain"] == tables.domain).sum())
            for part, rows in dataset.fixed.items()
        }
    return counts


def assert_counts(dataset: CrossDomainDataset, card: DataCard) -> CrossDomainDataset:
    """Return the data set if it has exactly the counts of its card.

    Raises:
        InputError: names the first count that differs; the files are then not those the card describes.
    """
    found = counts_of(dataset)
    for key, expected in card.counts.items():
        if found.get(key) != expected:
            raise InputError(
                f'data set "{card.name}": {key} is {found.get(key)}, expected {expected}; the files are not those of '
                f"its card, fetch them again from {card.url or 'their origin'}"
            )
    return dataset


def _check_people(tables: DomainTables) -> None:
    place = f'domain "{tables.domain}"'
    if tables.interactions.empty:
        raise InputError(
            f"{place} has no interactions; give it rows of at least two users, or nothing can be learned or tested"
        )
    if tables.interactions["user_id"].nunique() == 1:
        only = tables.interactions["user_id"].iloc[0]
        raise InputError(f'{place} has interactions of one user only ("{only}"); at least two are needed')


def _check_domain(tables: DomainTables, schema: Schema, positive_from: float | None) -> None:
    place = f'domain "{tables.domain}"'
    for item_type in tables.items["item_type"].unique():
        if not schema.is_subtype(item_type, tables.item_type):
            raise InputError(f'{place}: item type "{item_type}" is not a {tables.item_type}; correct items.item_type')
    if not schema.is_subtype(tables.item_type, "Item"):
        raise InputError(
            f'{place}: "{tables.item_type}" is not an Item; choose one of {", ".join(schema.subtypes("Item"))}'
        )
    if positive_from is not None and "rating" not in tables.interactions.columns:
        raise InputError(f"{place} has no ratings, but positive_from is {positive_from:g}; leave positive_from out")
    validate_facts(tables.facts, schema, place)


def _checked_part(part: str, rows: pd.DataFrame, source: DomainTables, target: DomainTables) -> pd.DataFrame:
    """Return held-out rows as text columns, each of them an interaction of its domain and none there twice."""
    if part not in FIXED_PARTS:
        raise unknown_name("fixed part", part, FIXED_PARTS)
    if list(rows.columns) != FIXED_COLUMNS:
        raise InputError(f'fixed part "{part}": columns are {list(rows.columns)}, expected {FIXED_COLUMNS}')
    checked = rows.reset_index(drop=True).astype("str")
    pairs = [tables.interactions[["user_id", "item_id"]].assign(domain=tables.domain) for tables in (source, target)]
    known = pd.MultiIndex.from_frame(pd.concat(pairs)[FIXED_COLUMNS])
    unknown = ~pd.MultiIndex.from_frame(checked).isin(known)
    if unknown.any():
        first = checked.iloc[int(unknown.argmax())]
        raise InputError(
            f'fixed part "{part}", row {int(unknown.argmax())}: user "{first.user_id}", item "{first.item_id}" is no '
            f'interaction of domain "{first.domain}"; add it to the interactions or drop it (the first row is row 0)'
        )
    repeated = checked.duplicated().to_numpy()
    if repeated.any():
        row = int(repeated.argmax())
        raise InputError(f'fixed part "{part}", row {row} is there twice; keep it once (the first row is row 0)')
    return checked


def entities_of(tables: DomainTables, schema: Schema) -> pd.DataFrame:
    """Return the distinct (node_type, node_id) in the facts of a domain that are neither users nor items."""
    ends = [
        tables.facts[[f"{end}_type", f"{end}_id"]].set_axis(["node_type", "node_id"], axis=1)
        for end in ("head", "tail")
    ]
    distinct = pd.concat(ends).drop_duplicates(ignore_index=True)
    entity_types = [name for name in distinct["node_type"].unique() if schema.root(name) not in ("User", "Item")]
    return distinct[distinct["node_type"].isin(entity_types)].reset_index(drop=True)


def _check_links(dataset: CrossDomainDataset) -> None:
    """Every link joins an id of the source domain to an id of the target domain, of the type it names."""
    if dataset.links.empty:
        return
    for node_type in dataset.links["node_type"].unique():
        rows = dataset.links[dataset.links["node_type"] == node_type]
        for tables, end in ((dataset.source, "source_id"), (dataset.target, "target_id")):
            unknown = rows.loc[~rows[end].isin(_ids_of(tables, dataset.schema, node_type)), end]
            if not unknown.empty:
                raise InputError(
                    f'data set "{dataset.name}": table links, row {unknown.index[0]}: {end} "{unknown.iloc[0]}" is no '
                    f'{node_type} of domain "{tables.domain}"; correct the id or drop the row (the first row is row 0)'
                )


def _ids_of(tables: DomainTables, schema: Schema, node_type: str) -> pd.Series:
    types = schema.subtypes(node_type)
    if schema.root(node_type) == "User":
        ids: pd.Series = tables.users["user_id"]
    elif schema.root(node_type) == "Item":
        ids = tables.items.loc[tables.items["item_type"].isin(types), "item_id"]
    else:
        entities = entities_of(tables, schema)
        ids = entities.loc[entities["node_type"].isin(types), "node_id"]
    return ids


def _check_connection(dataset: CrossDomainDataset) -> None:
    if len(dataset.overlapping_users) or len(dataset.links):
        return
    entities = [entities_of(tables, dataset.schema) for tables in dataset.domains]
    if entities[0].merge(entities[1]).empty:
        raise InputError(
            f'nothing connects the domains "{dataset.source.domain}" and "{dataset.target.domain}": no user id and no '
            "entity of the facts is in both, and no link is given; use equal ids for what is the same, or give links="
        )
