"""The same person under the same id in both domains."""

from __future__ import annotations

import pandas as pd

from kgxfer.bridges.links import NoSettings, link_table
from kgxfer.splits import Split


class SharedId:
    """Link the users whose ids occur in both user tables.

    Cold-start users are linked too: that the shop knows who they are is the premise of the task. Loaders give people
    who merely share a number different ids.
    """

    config_class = NoSettings

    def __init__(self, config: NoSettings | None = None) -> None:
        self.config = config or NoSettings()

    def links(self, split: Split) -> pd.DataFrame:
        """Return one link per overlapping user."""
        users = split.dataset.overlapping_users.to_series(index=None)
        return link_table(users.to_numpy(), users.to_numpy(), "User", 1.0, "shared_id", "equal user_id")
