from __future__ import annotations

import pandas as pd
import pytest

from loaders import DomainTables


@pytest.fixture
def books() -> DomainTables:
    rows = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["b1", "b2", "b1"], "rating": [5.0, 2.0, 4.0]})
    facts = pd.DataFrame(
        {
            "head_id": ["b1", "b2"],
            "head_type": "Book",
            "relation": "HAS_GENRE",
            "tail_id": ["crime", "poetry"],
            "tail_type": "Genre",
        }
    )
    return DomainTables.from_frames("books", rows, item_type="Book", facts=facts)


@pytest.fixture
def films() -> DomainTables:
    rows = pd.DataFrame({"user_id": ["bob", "cem", "cem"], "item_id": ["f1", "f1", "f2"], "rating": [1.0, 5.0, 3.0]})
    items = pd.DataFrame({"item_id": ["f1", "f2", "f3"], "item_type": "Movie", "name": ["One", "Two", "Three"]})
    facts = pd.DataFrame(
        {"head_id": ["f3"], "head_type": "Movie", "relation": "HAS_GENRE", "tail_id": ["crime"], "tail_type": "Genre"}
    )
    return DomainTables.from_frames("films", rows, item_type="Movie", items=items, facts=facts)
