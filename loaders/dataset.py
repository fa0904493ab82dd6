"""The values every loader makes: the card of a data set, the tables of one domain, and two domains as one data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from graph_schema.columns import codes_of, is_among
from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import Schema
from graph_schema.tables import FACTS, IDENTITY, INTERACTIONS, ITEMS, LINKS, USERS, validate
from loaders.fingerprint import digest


@dataclass(frozen=True)
class DataCard:
    """Where a data set comes from, what may be done with it, and what it must contain.

    Attributes:
        sha256: file -> checksum of its *content*, after decompression: a recompressed copy is the same data.
        size_bytes: size of the content of all files together, or of what stands for files.
        counts: exact expected counts, keys as `loaders.pairing.counts_of` makes them; other data are refused.
        positive_from: ratings from this value on count as positive; None: every interaction does.
        origins: file -> the address, with its commit, that has it as it is, or what it is made from.
    """

    name: str
    title: str
    url: str
    sha256: Mapping[str, str]
    size_bytes: int
    licence: str
    redistributable: bool
    citation: str
    counts: Mapping[str, int] = field(default_factory=dict)
    positive_from: float | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def own(cls, name: str) -> DataCard:
        """Return the card of tables that a user brings: terms not stated, and no counts to assert."""
        return cls(name, name, "", {}, 0, "not stated", False, "not stated")


@dataclass(frozen=True, eq=False)
class DomainTables:
    """One domain: its users, items, interactions and facts, each validated and in normal form when this is made.

    Raises:
        InputError: a table that does not pass `graph_schema.tables.validate`, or interactions with a user or an item
            that is not in its table. Items without interactions are welcome: cold items are part of the task.
    """

    domain: str
    item_type: str
    users: pd.DataFrame
    items: pd.DataFrame
    interactions: pd.DataFrame
    facts: pd.DataFrame
    card: DataCard

    def __post_init__(self) -> None:
        """Bring the tables into normal form and check that they refer to each other."""
        place = f'domain "{self.domain}"'
        tables = {"users": USERS, "items": ITEMS, "interactions": INTERACTIONS, "facts": FACTS}
        for name, definition in tables.items():
            object.__setattr__(self, name, validate(getattr(self, name), definition, place))
        for table, key in (("users", "user_id"), ("items", "item_id")):
            codes, named = codes_of(self.interactions[key])
            unknown = ~is_among(named, getattr(self, table)[key])
            if unknown.any():
                row = int(unknown[codes].argmax())
                raise InputError(
                    f'{place}: table interactions, row {row}: {key} "{self.interactions[key].iloc[row]}" is not in '
                    f"table {table}; add it there or drop the row (the first row is row 0)"
                )

    @classmethod
    def from_frames(
        cls,
        domain: str,
        interactions: pd.DataFrame,
        *,
        item_type: str = "Item",
        users: pd.DataFrame | None = None,
        items: pd.DataFrame | None = None,
        facts: pd.DataFrame | None = None,
        card: DataCard | None = None,
    ) -> DomainTables:
        """Make the tables of a domain from interactions alone, or with whatever else is at hand.

        Users and items that are not given are those of the interactions, in order of first appearance.

        >>> rows = pd.DataFrame({"user_id": ["u1", "u2"], "item_id": [10, 11]})
        >>> DomainTables.from_frames("books", rows, item_type="Book").items["item_id"].tolist()
        ['10', '11']
        """
        rows = validate(interactions, INTERACTIONS, f'domain "{domain}"')
        if users is None:
            users = pd.DataFrame({"user_id": rows["user_id"].unique()})
        if items is None:
            items = pd.DataFrame({"item_id": rows["item_id"].unique()})
        if "item_type" not in items.columns:
            items = items.assign(item_type=item_type)
        if facts is None:
            facts = FACTS.empty()
        return cls(domain, item_type, users, items, rows, facts, card or DataCard.own(domain))


@dataclass(frozen=True, eq=False)
class CrossDomainDataset:
    """Two domains and what is known to join them; made by `loaders.pairing.pair`, which checks them against each other.

    A user id that occurs in both domains is one person. `source` and `target` name the default direction of transfer.

    Attributes:
        links: a link table given by hand (columns of `graph_schema.tables.LINKS`); without rows when there is none.
        positive_from: ratings from this value on count as positive; None: every interaction does.
        fixed: rows that a published protocol holds out, under "valid" and "test" (columns domain, user_id, item_id);
            they are rows of the interactions too, so that a split can take them out.
    """

    name: str
    source: DomainTables
    target: DomainTables
    links: pd.DataFrame
    schema: Schema
    positive_from: float | None = None
    fixed: Mapping[str, pd.DataFrame] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Bring the link table into normal form: `relation` is left out where every link is one of identity."""
        links = validate(self.links, LINKS, f'data set "{self.name}"')
        if "relation" in links and links["relation"].eq(IDENTITY).all():
            links = links.drop(columns="relation")
        object.__setattr__(self, "links", links)

    @property
    def domains(self) -> tuple[DomainTables, DomainTables]:
        """The two domains, source first."""
        return (self.source, self.target)

    def domain(self, name: str) -> DomainTables:
        """Return the domain called `name`; InputError with the nearest name when there is none."""
        for tables in self.domains:
            if tables.domain == name:
                return tables
        raise unknown_name("domain", name, [tables.domain for tables in self.domains])

    @cached_property
    def overlapping_users(self) -> pd.Index:
        """The ids of the users that both domains have, in the order of the source domain's user table."""
        of_source = self.source.users["user_id"]
        shared: pd.Index = pd.Index(of_source[of_source.isin(self.target.users["user_id"])], name="user_id")
        return shared

    @cached_property
    def fingerprint(self) -> str:
        """Sha256, in hex, of the content and the order of all tables: equal fingerprints mean equal data.

        How the tables lie in memory does not matter. Computed once: the tables must not be changed afterwards.
        """
        facts_about = {"positive_from": str(self.positive_from)}
        tables: dict[str, pd.DataFrame] = {"links": self.links}
        for role, domain in (("source", self.source), ("target", self.target)):
            facts_about |= {f"{role} domain": domain.domain, f"{role} item_type": domain.item_type}
            tables |= {f"{role} {name}": getattr(domain, name) for name in ("users", "items", "interactions", "facts")}
        tables |= {f"fixed {part}": rows for part, rows in sorted(self.fixed.items())}
        return digest(facts_about, tables)
