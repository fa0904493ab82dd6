"""`kgxfer recommend`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from graph_schema.errors import InputError
from kgxfer.cli.console import print_recommendations, say

if TYPE_CHECKING:
    from kgxfer.recommender import Catalogue

NEAREST = 3


def recommend(
    model: Annotated[Path, typer.Argument(help="A folder below models/ of a run.", metavar="MODEL_FOLDER")],
    user: Annotated[str, typer.Option("--user", help="The id of a user of either domain.")],
    n: Annotated[int, typer.Option("-n", help="How many items.", min=1)] = 10,
    domain: Annotated[str | None, typer.Option("--domain", help="Where; the target domain when not given.")] = None,
) -> None:
    """Recommend items to a user with a saved model."""
    from kgxfer.recommender_store import load_recommender

    recommender = load_recommender(model)
    catalogue = recommender.catalogue
    domain = domain or catalogue.domain_names[1]
    items = catalogue.items[catalogue.domain_code(domain)].set_index("item_id")["name"]
    _check_user(user, catalogue)
    place = catalogue.user_ids.get_indexer([user])[0]
    seen = zip(catalogue.domain_names, catalogue.seen, strict=True)
    known = [f"{matrix[place].nnz} items of {name}" for name, matrix in seen]
    say(f"{user}: the model has learned from {' and '.join(known)}")
    found = recommender.recommend([user], n, domain)
    names = items.reindex(found["item_id"]).to_numpy()
    entries = found.assign(name=[given if isinstance(given, str) else "-" for given in names])
    print_recommendations(f"{domain} for {user}", entries.to_dict("records"))


def _check_user(user: str, catalogue: Catalogue) -> None:
    """Name the nearest ids when there is no such user; all of them would be too many."""
    from difflib import get_close_matches

    known = catalogue.user_ids
    if user in known:
        return
    nearest = get_close_matches(user, list(known), n=NEAREST, cutoff=0.5) or list(known[:NEAREST])
    raise InputError(f'unknown user "{user}"; the nearest of {len(known):,} are: {", ".join(nearest)}')
