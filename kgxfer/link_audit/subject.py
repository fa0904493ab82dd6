"""What is audited: link tables by bridge over the training part of a split, and everything that is measured of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from pydantic import Field

from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.tables import LINKS, validate
from kgxfer.bridges.links import given_links, relations_of
from kgxfer.bridges.review import KEY, kinds_of, node_ids
from kgxfer.experiment.config import GraphConfig
from kgxfer.link_audit.chance import against_chance, audiences_of
from kgxfer.link_audit.measures import agreement, coverage
from kgxfer.link_audit.nodes import described, sides_of
from kgxfer.link_audit.suspicion import with_doubts
from kgxfer.splits import Split

GIVEN = "given"
"""What the data set's own links are called."""


class LinkAuditConfig(Config):
    """Settings.

    Names less alike than `minimum_similarity`, years further apart than `maximum_years`, and ranks of popularity that
    differ by `popularity_gap` or more make a link suspicious. `draws` shuffles of the links say what chance gives;
    `shown` suspicious links of each bridge are listed, and `sample` links of each are drawn to be read.
    """

    minimum_similarity: float = Field(0.6, ge=0, le=1)
    maximum_years: int = Field(1, ge=0)
    popularity_gap: float = Field(0.9, gt=0, le=1)
    draws: int = Field(20, ge=2, le=10_000)
    shown: int = Field(30, ge=1)
    sample: int = Field(20, ge=1)
    seed: int = Field(0, ge=0)


@dataclass(frozen=True, eq=False)
class LinkSubject:
    """What the findings read.

    Attributes:
        links: all links with column `bridge`, described and with doubts.
        coverage, chance: as the functions of these names return them, with column `bridge`.
        agreement: between the bridges.
        refused: bridges that cannot work here, with the reason.
    """

    split: Split
    bridges: tuple[str, ...]
    links: pd.DataFrame
    coverage: pd.DataFrame
    chance: pd.DataFrame
    agreement: pd.DataFrame
    refused: Mapping[str, str]
    config: LinkAuditConfig

    def of_bridges(self) -> list[tuple[str, pd.DataFrame]]:
        """Links by bridge, in the order in which the bridges were named; those that propose nothing included."""
        return [(name, self.links[self.links["bridge"] == name]) for name in self.bridges]


def proposed(
    split: Split, bridges: Sequence[str], optional: bool, say: Callable[[str], None],
    config: GraphConfig | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, str]]:
    """What each bridge proposes, and why some cannot.

    Args:
        split: whose training part the bridges read; links that its data set gives count as a bridge of their own.
        bridges: names.
        optional: whether bridges that these data do not suit are passed over; else they are errors.
        say: told what happens.
        config: whose settings the bridges have; the defaults when not given.

    Raises:
        InputError: an unknown bridge, or one that these data do not suit.
    """
    made = {name: (config or GraphConfig()).bridge(name) for name in bridges}
    tables = {GIVEN: given_links(split)} if len(split.train_links) else {}
    refused = {}
    for name, bridge in made.items():
        try:
            tables[name] = validate(bridge.links(split), LINKS, f"bridge {name}")
        except InputError as error:
            if not optional:
                raise
            refused[name] = str(error)
            say(f"left out: {error}")
            continue
        say(f"{name}: {len(tables[name]):,} links")
    return tables, refused


def measured(
    split: Split, tables: Mapping[str, pd.DataFrame], config: LinkAuditConfig,
    refused: Mapping[str, str] | None = None,
) -> LinkSubject:
    """Measure link tables, each under the name of its bridge.

    Raises:
        InputError: a table with links to nodes that do not exist, or no link at all.
    """
    if not sum(map(len, tables.values())):
        raise InputError(
            f'no link to audit in "{split.dataset.name}": {", ".join(tables) or "no bridge"} proposed none; name other '
            "bridges with --bridge, or give a table with --links"
        )
    sides = sides_of(split)
    parts = {name: described(_checked(name, table, split), sides) for name, table in tables.items()}
    filled = {name: part for name, part in parts.items() if len(part)}
    links = pd.concat([part.assign(bridge=name) for name, part in filled.items()], ignore_index=True)
    audiences = audiences_of(links, sides)
    links = with_doubts(
        links, audiences, config.minimum_similarity, config.maximum_years, config.popularity_gap
    )
    reach = [coverage(part, sides).assign(bridge=name) for name, part in filled.items()]
    chance = [against_chance(part, audiences, config.draws, config.seed).assign(bridge=name)
              for name, part in filled.items()]
    return LinkSubject(
        split, tuple(tables), links, pd.concat(reach, ignore_index=True), pd.concat(chance, ignore_index=True),
        agreement(filled), dict(refused or {}), config,
    )


def _checked(name: str, table: pd.DataFrame, split: Split) -> pd.DataFrame:
    """The links, with a relation, when both ends of each exist."""
    dataset = split.dataset
    table = table.assign(relation=relations_of(table))
    kinds = kinds_of(table["node_type"], dataset).astype(object)
    for tables, column in zip(dataset.domains, KEY[:2], strict=True):
        known = pd.MultiIndex.from_arrays([kinds, table[column].astype(object)]).isin(node_ids(tables, dataset))
        if not known.all():
            row = int((~known).argmax())
            raise InputError(
                f'links of {name}, row {row}: {column} "{table[column].iloc[row]}" is no '
                f'{table["node_type"].iloc[row]} of domain "{tables.domain}"; mend the id or drop the row (the first '
                "row is row 0)"
            )
    return table
