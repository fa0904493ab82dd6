"""Times in any unit or form, as moments in UTC."""

from __future__ import annotations

import numpy as np
import pandas as pd

from loaders.cleaning.draft import Context, Draft
from loaders.cleaning.findings import RuleFinding


def times(draft: Draft, context: Context) -> tuple[Draft, list[RuleFinding]]:
    """Read times."""
    table = draft.interactions
    if "timestamp" not in table.frame.columns:
        return draft, []
    moments = pd.to_datetime(pd.to_numeric(table.frame["timestamp"], errors="coerce"), unit="s")
    bad = np.asarray(moments.isna())
    findings = table.finding("time that cannot be read", bad, "dropped", ("user_id", "item_id", "timestamp"))
    return draft.put(table.with_columns(timestamp=moments).without(bad)), findings
