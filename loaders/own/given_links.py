"""What a person's own table of links says: how sure each link is."""

from __future__ import annotations

import pandas as pd

from graph_schema.errors import InputError
from loaders.cleaning import CleaningConfig
from loaders.cleaning.numbers import read_numbers
from loaders.raw import RawTable


def confidences(raw: RawTable) -> pd.Series:
    """Read the column `confidence` as numbers, with decimal commas as spreadsheets write them; 1 where there is none.

    Raises:
        InputError: a value that is no number of 0 to 1; names the line.
    """
    frame = raw.frame
    if "confidence" not in frame:
        return pd.Series(1.0, index=frame.index)
    read = read_numbers(frame["confidence"], CleaningConfig().missing_words)
    values = read.values
    wrong = ~((values >= 0) & (values <= 1))
    if wrong.any():
        row = int(wrong.argmax())
        place = f"row {row}" if raw.lines is None else f"line {raw.lines[row]}"
        said = "is empty" if read.missing[row] else f'"{frame["confidence"].iloc[row]}" is no number of 0 to 1'
        raise InputError(f"links, {raw.where}, {place}: confidence {said}; write one, or leave the column out")
    return pd.Series(values, index=frame.index)
