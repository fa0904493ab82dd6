"""Users and items as people name them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from rapidfuzz import process

from graph_schema.errors import InputError, unknown_name
from kgxfer.recommender import Catalogue

_SHOWN = 5


def known_users(catalogue: Catalogue, user_ids: pd.Series) -> np.ndarray:
    """Places of users in the catalogue; InputError that names the nearest for one who is not there."""
    places: np.ndarray = catalogue.user_ids.get_indexer(pd.Index(user_ids))
    if (places < 0).any():
        unknown = str(user_ids.iloc[int((places < 0).argmax())])
        raise _unknown("user", unknown, catalogue.user_ids)
    return places


def item_of(catalogue: Catalogue, item: str, domain: str | None) -> tuple[int, str]:
    """Domain and id of an item that is given by its id, or by a name that one item alone has.

    Args:
        catalogue: the model's.
        item: id or name; ids win.
        domain: whose item; the target domain is looked through first when not given, then the source.

    Raises:
        InputError: no such item (the nearest is named), or several of this name (their ids are).
    """
    codes = (1, 0) if domain is None else (catalogue.domain_code(domain),)
    for code in codes:
        if item in catalogue.item_index(code):
            return code, item
    for code in codes:
        table = catalogue.items[code]
        ids = table["item_id"][table["name"] == item]
        if len(ids) > 1:
            some = ", ".join(f'"{one}"' for one in ids[:_SHOWN])
            raise InputError(f'{len(ids)} items are called "{item}"; give one of their ids: {some}')
        if len(ids):
            return code, str(ids.iloc[0])
    tables = [catalogue.items[code] for code in codes]
    raise _unknown("item", item, pd.concat([part for one in tables for part in (one["name"].dropna(), one["item_id"])]))


def _unknown(kind: str, name: str, choices: Iterable[str]) -> InputError:
    every = list(dict.fromkeys(choices))
    nearest = [choice for choice, _, _ in process.extract(name, every, limit=_SHOWN)]
    return unknown_name(kind, " ".join(name.split()), [*nearest, *(["..."] if len(every) > _SHOWN else [])])
