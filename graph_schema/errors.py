"""The one error type for mistakes of the caller, and the message for a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class InputError(ValueError):
    """What was given cannot be used, and the person who gave it can put it right.

    The message is one line that says what is wrong, where, and what to do. Programs show it without a traceback;
    anything that is not an `InputError` is a fault of the library.
    """


def unknown_name(kind: str, name: str, choices: Iterable[str]) -> InputError:
    """Return (not raise) the error for a name that is not among `choices`, with the nearest one named.

    >>> print(unknown_name("encoder", "lightgnc", ["mf", "lightgcn"]))
    unknown encoder "lightgnc"; did you mean "lightgcn"? choices: mf, lightgcn
    >>> print(unknown_name("encoder", "zzz", ["mf", "lightgcn"]))
    unknown encoder "zzz"; choices: mf, lightgcn
    """
    known = list(choices)
    by_folded_name = {choice.casefold(): choice for choice in known}
    nearest = get_close_matches(str(name).casefold(), by_folded_name, n=1)
    hint = f'did you mean "{by_folded_name[nearest[0]]}"? ' if nearest else ""
    return InputError(f'unknown {kind} "{name}"; {hint}choices: {", ".join(known) or "none"}')
