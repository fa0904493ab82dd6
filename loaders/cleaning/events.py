"""Events and weights of interactions: what a view, a cart and a purchase count."""

from __future__ import annotations

import numpy as np

from graph_schema.errors import InputError
from loaders.cleaning.codes import encode, lookup
from loaders.cleaning.draft import Context, Draft
from loaders.cleaning.findings import RuleFinding
from loaders.cleaning.numbers import read_numbers

UNKNOWN, NO_WEIGHT = "event without a weight", "weight that is no positive number"


def events(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Give each interaction the weight of its event, times the weight that it has itself.

    Raises:
        InputError: `event_weights` are given and there is no column of events.
    """
    table, weights = draft.interactions, context.config.event_weights
    if weights and "event" not in table.frame.columns:
        raise InputError(
            f'domain "{draft.domain}": event_weights are given and interactions have no column "event"; '
            "name the column of events or leave the weights out"
        )
    findings: list[RuleFinding] = []
    if "weight" in table.frame.columns:
        read = read_numbers(table.frame["weight"], context.config.missing_words)
        bad = ~(read.values > 0)
        findings += table.finding(NO_WEIGHT, bad, "dropped", ("user_id", "item_id", "weight"))
        table = table.with_columns(weight=read.values).without(bad)
    if weights:
        coded = encode(table.frame["event"])
        by_event = {event.strip().casefold(): weight for event, weight in weights.items()}
        words = coded.categories.to_series().str.strip().str.casefold()
        values = lookup(words.map(by_event).to_numpy(dtype=np.float64), coded.codes, np.nan)
        unknown = np.isnan(values)
        detail = f"weights are given for {', '.join(weights)}"
        findings += table.finding(UNKNOWN, unknown, "dropped", ("user_id", "item_id", "event"), detail)
        if "weight" in table.frame.columns:
            values = values * table.frame["weight"].to_numpy()
        table = table.with_columns(weight=values).without(unknown)
    return draft.put(table), findings
