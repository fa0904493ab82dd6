"""Foreign text inside a message: on one line, and no longer than a message bears."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def one_line(text: object, longest: int = 80) -> str:
    """Return `text` without line breaks and control characters, cut to `longest` characters.

    >>> one_line("a\\nb" + "c" * 100, longest=10)
    'a\\\\nbccc...'
    """
    given = str(text)
    cut = given if len(given) <= longest else given[:longest]
    shown = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in cut)
    return shown if len(shown) <= longest and cut is given else f"{shown[: longest - 3]}..."


def file_named(path: Path) -> str:
    """Return what messages call a file."""
    return f'file "{one_line(path, 200)}"'


def some_of(names: Sequence[str], most: int = 20) -> list[str]:
    """Return names fit for a message: each on one line, and not more than `most` of them."""
    shown = [one_line(name, 40) for name in names[:most]]
    return shown if len(names) <= most else [*shown, f"and {len(names) - most:,} more"]
