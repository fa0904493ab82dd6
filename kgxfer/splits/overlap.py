"""How much the overlap of the domains is worth: the same split with fewer people known to be in both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from kgxfer.rng import numpy_generator
from kgxfer.splits.split import Split
from loaders.dataset import CrossDomainDataset

Renaming = Callable[[pd.Series], pd.Series]


def keep_overlap(split: Split, ratio: float, rng: int = 0) -> Split:
    """Let only a share of the overlapping training users stay one person; the others become two people.

    A training user counts as overlapping who has relevant training rows in both domains and the same id, or a link,
    there. Users with validation or test rows keep their identity: what is asked of a model stays the same, so figures
    of different ratios compare. For one seed the users of a lower ratio are among those of a higher one.

    Since one id means one person, a separated user gets another id in the source domain ("<source>:<id>"), in the data
    set as in the training rows, and loses given links; ids of the target domain and of held-out rows are not touched.
    The data set of the result is therefore another one, with a fingerprint of its own.

    Args:
        split: any split.
        ratio: share of the overlapping training users who stay linked, from 0 to 1.
        rng: the seed.

    Raises:
        InputError: a ratio outside 0 to 1, or no overlapping training user without held-out rows.
    """
    if not 0 <= ratio <= 1:
        raise InputError(f"keep_overlap: ratio is {ratio:g}; give a share from 0 to 1")
    people = _separable(split)
    if not len(people):
        raise InputError(
            f"{split.protocol}: every overlapping training user has validation or test rows and has to stay linked; "
            "test fewer users, or choose on fewer"
        )
    drawn = numpy_generator(rng, "overlap").permutation(people)
    apart = pd.Index(drawn[round(ratio * len(drawn)) :])
    separate = _renaming(split.dataset, apart)
    dataset = _separated(split.dataset, apart, separate)
    return replace(
        split, dataset=dataset, train=_of_source(split.train, dataset, separate),
        train_links=_without(split.train_links, apart, dataset),
        protocol=f"{split.protocol}, {ratio:.0%} of {len(people)} overlapping training users linked (seed {rng})",
    )


def _separable(split: Split) -> np.ndarray:
    """Source ids, sorted, of the people with training rows in both domains and no held-out row in either."""
    dataset = split.dataset
    shared = dataset.overlapping_users.to_numpy()
    links = split.train_links
    if len(links):
        links = links[links["node_type"].isin(dataset.schema.subtypes("User"))]
    ends = [np.concatenate([shared, links[end]]) if len(links) else shared for end in ("source_id", "target_id")]
    people = pd.DataFrame({"source_id": ends[0], "target_id": ends[1]}).astype(object)
    trained, held = np.ones(len(people), dtype=bool), np.zeros(len(people), dtype=bool)
    for domain, end in zip(dataset.domains, people.columns, strict=True):
        trained &= people[end].isin(split.rows("train", domain.domain)["user_id"]).to_numpy()
        for part in (split.valid, split.test):
            held |= people[end].isin(part.loc[part["domain"] == domain.domain, "user_id"]).to_numpy()
    return np.setdiff1d(people["source_id"][trained], people["source_id"][held])


def _separated(dataset: CrossDomainDataset, apart: pd.Index, separate: Renaming) -> CrossDomainDataset:
    source = dataset.source
    facts = source.facts.copy()
    for end in ("head", "tail"):
        is_user = facts[f"{end}_type"].isin(dataset.schema.subtypes("User"))
        facts[f"{end}_id"] = facts[f"{end}_id"].where(~is_user, separate(facts[f"{end}_id"]))
    users, interactions = (
        table.assign(user_id=separate(table["user_id"])) for table in (source.users, source.interactions)
    )
    tables = replace(source, users=users, interactions=interactions, facts=facts)
    fixed = {part: _of_source(rows, dataset, separate) for part, rows in dataset.fixed.items()}
    return replace(dataset, source=tables, links=_without(dataset.links, apart, dataset), fixed=fixed)


def _renaming(dataset: CrossDomainDataset, apart: pd.Index) -> Renaming:
    """What gives a new source id to those among the separated people whom an equal id joins."""
    old = apart[apart.isin(dataset.overlapping_users)]
    known = pd.concat([domain.users["user_id"] for domain in dataset.domains])
    prefix = f"{dataset.source.domain}:"
    while known.isin(prefix + old.astype("str")).any():
        prefix = f"_{prefix}"
    return lambda ids: ids.where(~ids.isin(old), prefix + ids)


def _of_source(rows: pd.DataFrame, dataset: CrossDomainDataset, separate: Renaming) -> pd.DataFrame:
    """Rows of both domains with the users of the source domain renamed."""
    users = rows["user_id"]
    return rows.assign(user_id=users.where(rows["domain"] != dataset.source.domain, separate(users)))


def _without(links: pd.DataFrame, apart: pd.Index, dataset: CrossDomainDataset) -> pd.DataFrame:
    if not len(links):
        return links
    lost = links["node_type"].isin(dataset.schema.subtypes("User")) & links["source_id"].isin(apart)
    return links[~lost].reset_index(drop=True)
