"""A configuration to begin with, sized to the user's data: to what a survey of files found, or to what was read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from loaders.own.map_text import toml_value

if TYPE_CHECKING:
    from loaders.dataset import CrossDomainDataset
    from loaders.own.survey import Side, Survey

PAIR = ["user_id", "item_id"]
MODEL = "kgxfer"
"""The name of the learned model."""

FEWEST_COLD = 10
"""Overlapping users that a split with cold-start users needs: two to test, two to choose on, and some to learn from."""

DENSE = 0.01
"""Share of all pairs that interact from which on the model is trained faster, with more held out."""

TWINS_BELOW = 1_000_000
"""Rows up to which identical products are looked for, which takes time in larger data."""


@dataclass(frozen=True)
class FirstSplit:
    """A protocol with its settings as TOML, and why it was chosen."""

    protocol: str
    settings: str
    reason: str


@dataclass(frozen=True, eq=False)
class Outlook:
    """What a run to begin with depends on.

    Attributes:
        rows: interactions of the source and of the target, user_id and item_id as text.
        positive: those of them that count, each pair once.
        shared: whether equal user ids mean one person.
        entities: how many entities of facts both domains have.
        named: whether items of both domains have names.
        one_type: whether both domains' items are of one type.
    """

    rows: tuple[pd.DataFrame, pd.DataFrame]
    positive: tuple[pd.DataFrame, pd.DataFrame]
    shared: bool
    entities: int
    named: bool
    one_type: bool

    @staticmethod
    def of_survey(survey: Survey) -> Outlook:
        """What files seem to hold before they are cleaned."""
        sides = (survey.source, survey.target)
        source, target = ((_rows_of(side, survey), _positive_of(side, survey)) for side in sides)
        return Outlook(
            (source[0], target[0]), (source[1], target[1]), survey.people.shared, survey.entities,
            all(side.item_roles is not None and "name" in side.item_roles.columns for side in sides),
            survey.source.item_type == survey.target.item_type,
        )

    @staticmethod
    def of_dataset(dataset: CrossDomainDataset) -> Outlook:
        """What two domains hold."""
        from kgxfer.splits.split import labelled_interactions
        from loaders.pairing import entities_of

        every = labelled_interactions(dataset)
        tables = [every[every["domain"] == one.domain] for one in dataset.domains]
        source, target = ((one[PAIR], one.loc[one["relevant"], PAIR]) for one in tables)
        entities = [entities_of(one, dataset.schema) for one in dataset.domains]
        return Outlook(
            (source[0], target[0]), (source[1], target[1]), len(dataset.overlapping_users) > 0,
            len(entities[0].merge(entities[1])),
            all("name" in one.items and bool(one.items["name"].notna().any()) for one in dataset.domains),
            dataset.source.item_type == dataset.target.item_type,
        )

    @property
    def both(self) -> int:
        """Users with interactions in both domains."""
        return _in_both(*self.rows)

    @property
    def size(self) -> int:
        """Rows of both domains."""
        return sum(map(len, self.rows))


def first_split(outlook: Outlook) -> FirstSplit:
    """Choose a protocol that the data allow: cold-start users where users overlap, else one that needs no overlap."""
    eligible = _in_both(*outlook.positive)
    if outlook.shared and eligible >= FEWEST_COLD:
        reason = f"{eligible:,} users have positive interactions in both domains; a fifth of them lose the target's"
        return FirstSplit("cold_start_users", "{ test_share = 0.2, pseudo_cold_share = 0.15 }", reason)
    why = f"{eligible:,} users have positive interactions in both domains" if outlook.shared else "no user is shared"
    rows = outlook.positive[1].groupby("user_id").size()
    for fewest, settings in ((3, "{}"), (2, "{ minimum_rows = 2, validation = false }")):
        count = int((rows >= fewest).sum())
        if count:
            reason = f"{why}, so one row is taken of each of the {count:,} target users with {fewest} or more"
            return FirstSplit("leave_one_out", settings, reason)
    return FirstSplit("cold_start_items", "{}", f"{why}, and no target user has two rows; items are held out instead")


def bridges_of(outlook: Outlook) -> list[str]:
    """The bridges that the data have something for."""
    people = outlook.shared and outlook.both > 0
    found = {
        "shared_id": people,
        "shared_entity": outlook.entities > 0,
        "same_name": outlook.named and outlook.one_type,
        "behaviour_twins": people and outlook.one_type and outlook.size <= TWINS_BELOW,
    }
    return [name for name, is_there in found.items() if is_there]


def first_run(outlook: Outlook, split: FirstSplit, name: str, map_path: str) -> str:
    """Write the configuration as TOML.

    Args:
        outlook: what was found.
        split: the protocol that `first_split` chose.
        name: of the run, which names its folder.
        map_path: the column map as seen from the configuration.
    """
    target, bridges = outlook.rows[1], bridges_of(outlook)
    dense = len(target) >= DENSE * target["user_id"].nunique() * target["item_id"].nunique()
    dim = 16 if outlook.size < 5_000 else 32 if outlook.size < 200_000 else 64
    encoder = "{ learning_rate = 1e-2, initial_deviation = 0.1 }" if dense else "{}"
    supervision = "{ share = 0.3, hidden_share = 0.5, rows_per_domain = 2048 }" if dense else "{}"
    facts = '\n[baselines.pagerank_with_facts]\nkind = "personalised_pagerank"\nsettings = { fact_weight = 1.0 }\n'
    return f"""\
# A run on one's own data: kgxfer run FILE leaves a folder runs/{name} with models, figures and report.html.
name = {toml_value(name)}
seed = 0

[data]
map = {toml_value(map_path)}

# {split.reason}.
[split]
protocol = {toml_value(split.protocol)}
settings = {split.settings}

[graph]
bridges = {toml_value(bridges)}
combine = "same_as_edges"

# Lists of k; twins are products that both domains list under ids of their own.
[evaluation]
k = 10
twins = {toml_value("behaviour_twins" in bridges)}

# Sized to {outlook.size:,} {"dense" if dense else "sparse"} rows. Stages to try: "adversarial", "fusion".
# seeds = 3 trains it three times and shows how much the start matters.
[models.{MODEL}]
encoder = "relational"
stages = []
dim = {dim}
encoder_settings = {encoder}

[models.{MODEL}.training]
epochs = 30
steps_per_epoch = 10
supervision_settings = {supervision}

# Controls: what the model has to beat.
# With joint = false a control knows the target alone, and of cold-start users nothing.
[baselines.popularity]
[baselines.item_knn]
[baselines.personalised_pagerank]
[baselines.pagerank_target_only]
kind = "personalised_pagerank"
settings = {{ joint = false }}
{facts if outlook.entities else ""}"""


def example_user(outlook: Outlook) -> str:
    """The id of a user to try the model with: one of both domains, else of the target, with most rows."""
    source, target = (rows["user_id"] for rows in outlook.rows)
    shared = source[source.isin(target.unique())]
    return str((shared if len(shared) else target).mode().iloc[0])


def _in_both(source: pd.DataFrame, target: pd.DataFrame) -> int:
    return len(np.intersect1d(source["user_id"].unique(), target["user_id"].unique()))


def _rows_of(side: Side, survey: Survey) -> pd.DataFrame:
    """Interactions with ids; where equal ids are different people, they say of which domain they are."""
    rows = side.rows.dropna(subset=PAIR)
    users = rows["user_id"].astype("str").str.strip()
    return rows.assign(user_id=users if survey.people.shared else f"{side.domain}:" + users)


def _positive_of(side: Side, survey: Survey) -> pd.DataFrame:
    from loaders.own.ratings import positive

    rows = _rows_of(side, survey).drop_duplicates(PAIR)
    if survey.ratings.positive_from is None or "rating" not in rows:
        return rows[PAIR]
    return rows.loc[positive(rows["rating"], survey.ratings), PAIR]
