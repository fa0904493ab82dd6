"""Guess which column of a table of interactions is which, by name and by content, and say what is uncertain.

Each pair of a role and a column gets a score: what the name says, what the values look like, and a little for the
usual order (user before item). The roles go to the columns by the assignment of the highest sum, so that a column of
ids that could also be times is no time where it is needed as an id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from graph_schema.errors import InputError
from loaders.own.messages import one_line, some_of
from loaders.own.profile import Profile

WORDS: Mapping[str, frozenset[str]] = {
    role: frozenset(words.split())
    for role, words in {
        "user_id": "user uid reviewer customer member account person client visitor shopper buyer patron reader viewer "
        "listener learner student nutzer benutzer kunde kunden utilisateur usuario client cliente",
        "item_id": "item iid product movie film book isbn asin track song music album artist course video game article "
        "anime recipe sku show business artikel produkt buch titel spiel kurs livre produit articulo listing title",
        "rating": "rating rate score stars star overall grade vote note bewertung sterne wertung punkte calificacion",
        "timestamp": "timestamp time date datetime ts created updated when moment day unixreviewtime zeit datum "
        "zeitstempel zeitpunkt fecha heure tstamp",
        "weight": "weight count plays playcount quantity amount hours minutes listens clicks menge anzahl gewicht",
        "event": "event action behavior behaviour activity type aktion ereignis",
    }.items()
}
"""Role -> the words that a column of it is named with, in a few languages."""

REQUIRED = ("user_id", "item_id")
OPTIONAL = ("rating", "timestamp", "weight", "event")
ROLES = REQUIRED + OPTIONAL

_ID_WORDS = frozenset({"id", "ids", "nr", "no", "num", "number", "code", "key", "index", "idx", "hash", "nummer"})
_NAME_WORDS = frozenset({"name", "names", "text", "review", "comment", "summary", "description"})

_TIME_ENDINGS = frozenset({"at", "on", "am"})
"""Last words of names such as "rated_at"."""

_NAMED = 3.0
"""What a name that says the role weighs against values that look like it, which weigh 1 at most."""

_PEOPLE = 1.0
"""What it weighs that values of a column are found in the other file too: people are shared, items seldom are."""

_ENOUGH = 0.75
"""Optional roles need at least this score, or the column is left unused."""

_LONGEST_SCALE = 101
_MOST_EVENTS = 30


@dataclass(frozen=True)
class Doubt:
    """What a guess is unsure of: the key of the map that it concerns, and why, in a sentence."""

    key: str
    text: str


@dataclass(frozen=True)
class Roles:
    """The guess: role -> column, what is uncertain, and the columns that nothing is made of."""

    columns: Mapping[str, str]
    doubts: tuple[Doubt, ...]
    unused: tuple[str, ...]


def tokens(name: str) -> list[str]:
    """Part the name of a column into words.

    >>> tokens("reviewerID"), tokens("Kunden-Nr."), tokens("unix_review_time")
    (['reviewer', 'id'], ['kunden', 'nr'], ['unix', 'review', 'time'])
    """
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return [word.casefold() for word in re.findall(r"[^\W_]+", parted)]


def guess_roles(
    profiles: Sequence[Profile], named: bool, people: Mapping[str, float] | None = None, where: str = "the file"
) -> Roles:
    """Guess the roles of the columns of interactions.

    Args:
        profiles: the columns, in the order of the file.
        named: whether the names are the file's own; otherwise they say nothing.
        people: column -> share of its values that the other domain's file has too.
        where: the file, for messages.

    Raises:
        InputError: fewer than two columns, or none that can hold the ids of users or of items.
    """
    if len(profiles) < len(REQUIRED):
        raise InputError(
            f"{where} has {len(profiles)} column(s), and interactions need a user and an item; give a table with both, "
            "or its separator in the column map"
        )
    scores = _scores(profiles, named, people or {})
    chosen = _assign(scores)
    found = {role: profiles[place] for role, place in chosen.items()}
    for role in REQUIRED:
        _refuse_impossible(role, found[role], profiles, named, where)
    doubts = [doubt for role, place in chosen.items() for doubt in _doubts(role, place, profiles, scores, named)]
    used = {one.name for one in found.values()}
    columns = {role: found[role].name for role in ROLES if role in found}
    return Roles(columns, tuple(doubts), tuple(one.name for one in profiles if one.name not in used))


def _refuse_impossible(role: str, one: Profile, profiles: Sequence[Profile], named: bool, where: str) -> None:
    """Refuse what was left for a required role when it is empty, or named clearly as something else."""
    meant = [other for other in ROLES if other != role and name_says(other, one.name) == 1] if named else []
    if one.values and (not meant or name_says(role, one.name)):
        return
    why = f'"{one_line(one.name, 40)}" {f"says {meant[0]}" if meant else "is empty"}'
    shown = ", ".join(some_of([other.name for other in profiles]))
    raise InputError(
        f"{where} seems to have no column for {role}: of {shown}, {why}; add it, or write a column map by hand"
    )


def name_says(role: str, name: str) -> float:
    """How clearly a column's name says its role, 0 to 1.

    >>> [name_says("user_id", name) for name in ("user_id", "reviewerID", "user name", "stars")]
    [1.0, 1.0, 0.25, 0.0]
    """
    words = tokens(name)
    joined = "".join(words)
    if role == "timestamp" and words and words[-1] in _TIME_ENDINGS:
        return 1.0
    hits = [word for word in words if word in WORDS[role]]
    if joined in WORDS[role] or (hits and set(words) <= WORDS[role] | _ID_WORDS):
        return 1.0
    if role in REQUIRED and any(joined == word + "id" for word in WORDS[role]):
        return 1.0
    if not hits:
        return 0.0
    return 0.25 if role in REQUIRED and set(words) & _NAME_WORDS else 0.5


def _scores(profiles: Sequence[Profile], named: bool, people: Mapping[str, float]) -> np.ndarray:
    """Score of every role for every column, float [roles, columns]."""
    scores = np.zeros((len(ROLES), len(profiles)))
    for row, role in enumerate(ROLES):
        for place, one in enumerate(profiles):
            said = _NAMED * name_says(role, one.name) if named else 0.0
            shown = _looks_like(role, one)
            # A name is no proof: a column "rating" of words cannot be one.
            scores[row, place] = said + shown if shown > 0 or role in REQUIRED else 0.0
    places = np.arange(len(profiles))
    scores[0] += [_PEOPLE * people.get(one.name, 0.0) * _tells_who(one) for one in profiles] - 0.02 * places
    scores[1] -= 0.01 * places
    return scores


def _tells_who(one: Profile) -> bool:
    """Whether it means anything that two files have a value in common: small numbers, ratings and times coincide."""
    return not (one.is_number and one.low <= 1) and _like_a_rating(one) == 0 and not one.is_time


def _looks_like(role: str, one: Profile) -> float:
    if one.values == 0:
        return -1.0 if role in REQUIRED else 0.0
    if role in REQUIRED:
        return _like_an_id(one)
    if role == "rating":
        return _like_a_rating(one)
    if role == "timestamp":
        return _like_a_time(one)
    if role == "weight":
        return 0.2 if one.is_number and one.low >= 0 and one.dates == 0 else 0.0
    return 0.2 if not one.is_number and one.distinct <= _MOST_EVENTS and one.repeats > 2 else 0.0


def _like_an_id(one: Profile) -> float:
    """Ids repeat, are whole or text, short, and no dates."""
    faults = {
        0.9: one.is_number and one.whole < one.numeric - 0.05,
        0.8: one.running and one.values > 20,
        0.7: one.distinct == 1,
        0.6: one.dates > 0.5,
        0.5: _like_a_rating(one) >= 0.8 and one.values > 3 * one.distinct,
        0.4: one.unit is not None,
        0.3: one.distinct == one.values and one.values > 20,
        0.2: one.words > 1.5,
    }
    return max(-0.5, 1.0 - sum(weight for weight, is_so in faults.items() if is_so))


def _like_a_rating(one: Profile) -> float:
    """Ratings are numbers on a short scale; a few whole ones, or decimals."""
    if not one.is_number or one.unit is not None or one.distinct > _LONGEST_SCALE:
        return 0.0
    if one.low < -10 or one.high > 100 or one.running:
        return 0.0
    short = one.distinct <= 11 and one.high <= 10
    decimals = one.whole < one.numeric
    return 0.3 + (0.5 if short or decimals else 0.0) + (0.2 if one.repeats > 3 else 0.0)


def _like_a_time(one: Profile) -> float:
    """Times differ nearly always; ids that happen to be as large repeat."""
    if not one.is_time:
        return 0.0
    return (0.9 if one.dates > 0.5 else 0.7) + 0.2 / one.repeats


def _assign(scores: np.ndarray) -> dict[str, int]:
    """Give each role its column: the required ones always, the others where the score is high enough."""
    columns = scores.shape[1]
    unused = np.full((len(ROLES), len(ROLES)), _ENOUGH)
    unused[: len(REQUIRED)] = -1000.0
    roles, places = linear_sum_assignment(np.hstack([scores, unused]), maximize=True)
    return {ROLES[role]: int(place) for role, place in zip(roles, places, strict=True) if place < columns}


def _doubts(role: str, place: int, profiles: Sequence[Profile], scores: np.ndarray, named: bool) -> list[Doubt]:
    """What speaks against a choice: it rests on values or order alone, or another column is nearly as good."""
    one, key = profiles[place], f"columns.{role}"
    said = name_says(role, one.name) if named else 0.0
    found = []
    if not named and role in REQUIRED:
        found.append(Doubt(key, f"the file names no columns; taken for its place and its {one.distinct:,} values"))
    elif role in REQUIRED and not said:
        found.append(Doubt(key, f'the name "{one.name}" does not say so; taken for its values and its place'))
    elif not said:
        found.append(Doubt(key, f"taken for its values ({_seen(one)})"))
    row = ROLES.index(role)
    rivals = [
        other.name
        for other_place, other in enumerate(profiles)
        if other_place != place and named and said and name_says(role, other.name) >= said
        and scores[row, other_place] > scores[row, place] - 1
    ]
    if rivals:
        found.append(Doubt(key, f'"{rivals[0]}" could be meant as well'))
    if role in REQUIRED and one.distinct == one.values and one.values > 20:
        found.append(Doubt(key, "no value occurs twice; a model learns nothing from ids that do not repeat"))
    return found


def _seen(one: Profile) -> str:
    if one.unit is not None:
        first, last = (pd.Timestamp(int(value), unit=one.unit).date() for value in (one.low, one.high))
        return f"moments from {first} to {last}"
    if one.is_number:
        return f"numbers from {one.low:g} to {one.high:g}"
    return "dates" if one.dates > 0.5 else f"{one.distinct:,} texts"
