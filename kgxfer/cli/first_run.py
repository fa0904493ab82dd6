"""A configuration to begin with, sized to what a survey of the user's files found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from loaders.own.map_text import toml_value
from loaders.own.ratings import positive
from loaders.own.survey import Side, Survey

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


def first_split(survey: Survey) -> FirstSplit:
    """Choose a protocol that the data allow: cold-start users where users overlap, else one that needs no overlap."""
    source, target = (_positive_rows(side, survey) for side in (survey.source, survey.target))
    eligible = len(np.intersect1d(source["user_id"].unique().astype(str), target["user_id"].unique().astype(str)))
    if survey.people.shared and eligible >= FEWEST_COLD:
        reason = f"{eligible:,} users have positive interactions in both domains; a fifth of them lose the target's"
        return FirstSplit("cold_start_users", "{ test_share = 0.2, pseudo_cold_share = 0.15 }", reason)
    shared = survey.people.shared
    why = f"{eligible:,} users have positive interactions in both domains" if shared else "no user is shared"
    rows = target.groupby("user_id").size()
    for fewest, settings in ((3, "{}"), (2, "{ minimum_rows = 2, validation = false }")):
        count = int((rows >= fewest).sum())
        if count:
            reason = f"{why}, so one row is taken of each of the {count:,} target users with {fewest} or more"
            return FirstSplit("leave_one_out", settings, reason)
    return FirstSplit("cold_start_items", "{}", f"{why}, and no target user has two rows; items are held out instead")


def bridges_of(survey: Survey) -> list[str]:
    """The bridges that the data have something for."""
    source, target = survey.source, survey.target
    names = all(side.item_roles is not None and "name" in side.item_roles.columns for side in (source, target))
    people = survey.people.shared and survey.people.both > 0
    found = {
        "shared_id": people,
        "shared_entity": survey.entities > 0,
        "same_name": names and source.item_type == target.item_type,
        "behaviour_twins": people and source.item_type == target.item_type and _rows(survey) <= TWINS_BELOW,
    }
    return [name for name, is_there in found.items() if is_there]


def first_run(survey: Survey, split: FirstSplit, name: str, map_path: str) -> str:
    """Write the configuration as TOML.

    Args:
        survey: what was found.
        split: the protocol that `first_split` chose.
        name: of the run, which names its folder.
        map_path: the column map as seen from the configuration.
    """
    users, items, rows = survey.target.sizes
    dense = rows >= DENSE * users * items
    dim = 16 if _rows(survey) < 5_000 else 32 if _rows(survey) < 200_000 else 64
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
bridges = {toml_value(bridges_of(survey))}
combine = "same_as_edges"

# Lists of k; twins are products that both domains list under ids of their own.
[evaluation]
k = 10
twins = {toml_value("behaviour_twins" in bridges_of(survey))}

# Sized to {_rows(survey):,} {"dense" if dense else "sparse"} rows. Stages to try: "adversarial", "fusion".
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
{facts if survey.entities else ""}"""


def example_user(survey: Survey) -> str:
    """The id of a user to try the model with: one of both domains, else of the target, with most rows."""
    sides = (survey.source, survey.target)
    source, target = (side.rows["user_id"].dropna().astype("str").str.strip() for side in sides)
    if not survey.people.shared:
        return f"{survey.target.domain}:{target.mode().iloc[0]}"
    shared = source[source.isin(target.unique())]
    return str((shared if len(shared) else target).mode().iloc[0])


def _positive_rows(side: Side, survey: Survey) -> pd.DataFrame:
    rows = side.rows.dropna(subset=["user_id", "item_id"]).drop_duplicates(["user_id", "item_id"])
    if survey.ratings.positive_from is None or "rating" not in rows:
        return rows
    return rows[positive(rows["rating"], survey.ratings)]


def _rows(survey: Survey) -> int:
    return len(survey.source.rows) + len(survey.target.rows)
