"""What a report warns of: one sentence each, read off its figures, the gravest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from loaders.quality.figure import Value

if TYPE_CHECKING:
    from loaders.quality.report import DomainQuality, PairQuality

Severity = Literal["grave", "serious", "minor"]
SEVERITIES: tuple[Severity, ...] = ("grave", "serious", "minor")
"""grave: results would mean nothing; serious: read figures with it in mind; minor: something goes unused."""

FEW_PEOPLE = 100
"""Test users below which differences of a few points cannot be told from chance."""
MUCH_LOST = 0.05
"""Share of a table that cleaning may drop before it is worth a word."""
NEARLY_ALL = 0.95
"""Share of ids that are row numbers from which they are all held to be."""
UNEQUAL = 0.9
"""Gini coefficient from which popularity alone says most."""
FAR_APART = 0.3
"""Total variation of ratings from which people plainly rate differently."""


@dataclass(frozen=True)
class Concern:
    """One warning."""

    severity: Severity
    sentence: str

    def record(self) -> dict[str, str]:
        """The warning as JSON can hold it."""
        return {"severity": self.severity, "sentence": self.sentence}


Figures = Mapping[str, Value]
"""The figures of a domain, or of the pair, that could be computed."""
Found = Iterator[Concern]


def concerns_of(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> tuple[Concern, ...]:
    """Return all warnings, the gravest first, else in the order of `ABOUT_PAIRS` and `ABOUT_DOMAINS`."""
    found = [concern for question in ABOUT_PAIRS for concern in question(source, target, pair)]
    for question in ABOUT_DOMAINS:
        found += [concern for domain in (source, target) for concern in question(domain)]
    return tuple(sorted(found, key=lambda concern: SEVERITIES.index(concern.severity)))


def no_overlap(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """Nobody, or hardly anybody, is in both domains."""
    shared, active = pair.known["overlapping users"], pair.known["users active in both"]
    if not shared:
        knowledge = bool(pair.known["given links"]) or bool(pair.entities["both"].sum())
        if knowledge:
            yield Concern("serious", "no user is in both domains: only facts and links can carry anything")
        else:
            yield Concern("grave", "nothing joins the domains: no user and no entity is in both, and no link is given")
    elif not active:
        yield Concern("serious", "no user has interactions in both domains, though some ids are in both user tables")
    elif int(active) < FEW_PEOPLE:
        text = f"users active in both domains: {active}; too few to tell most differences between models from chance"
        yield Concern("serious", text)


def ids_are_numbers(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """The overlap of user ids may be one of numbers only."""
    numbered = [float(one.known.get("users with a row number as id", 0)) for one in (source, target)]
    if pair.known["overlapping users"] and min(numbered) >= NEARLY_ALL:
        yield Concern(
            "serious",
            "user ids are row numbers in both domains, so that an id of both need not be one person; make sure, or set "
            "shared_users = false",
        )


def unrelated_activity(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """People who do much in one domain should do more than others in the other."""
    correlation = pair.known.get("rank correlation of their activity")
    if correlation is not None and int(pair.known["users active in both"]) >= FEW_PEOPLE and float(correlation) < 0.05:
        yield Concern(
            "serious",
            "how much overlapping users do in one domain says nothing of how much they do in the other (rank "
            f"correlation {correlation:.2f}); check that equal ids are one person",
        )


def wrong_way_round(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """The source should be the richer domain."""
    density, size = pair.known.get("sparsity ratio"), pair.known.get("interactions ratio")
    if density is not None and size is not None and float(density) < 1 and float(size) < 1:
        yield Concern(
            "minor",
            f"the source ({source.domain}) has fewer interactions and is sparser than the target ({target.domain}); "
            "the other direction has more to give",
        )


def different_scales(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """One positive_from has to serve both domains."""
    ends = [(one.known.get("lowest rating"), one.known.get("highest rating")) for one in (source, target)]
    rated = [end[1] is not None for end in ends]
    if any(rated) and not all(rated):
        yield Concern("minor", f"only {(source if rated[0] else target).domain} has ratings")
    elif all(rated) and ends[0][1] != ends[1][1]:
        told = [f"{low:g} to {high:g} in {one.domain}" for (low, high), one in zip(ends, (source, target), strict=True)]
        yield Concern(
            "serious",
            f"ratings are on different scales, {told[0]} and {told[1]}: one positive_from cannot mean the same in both",
        )
    elif float(pair.known.get("rating, total variation", 0)) > FAR_APART:
        apart = 100 * float(pair.known["rating, total variation"])
        yield Concern("minor", f"ratings are given differently in the two domains (total variation {apart:.0f} %)")


def times_apart(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """Whether a split by time has anything to split."""
    overlap = pair.known.get("time overlap")
    if overlap is not None and float(overlap) == 0:
        yield Concern("serious", "the domains have no time in common: one ends before the other begins")


def nothing_shared_in_facts(source: DomainQuality, target: DomainQuality, pair: PairQuality) -> Found:
    """Facts join domains only by entities of both."""
    if source.known["facts"] and target.known["facts"] and not pair.entities["both"].sum():
        yield Concern("serious", "both domains have facts, and no entity is in both: write equal things with equal ids")


def lost_rows(domain: DomainQuality) -> Found:
    """What cleaning dropped, and rows that nothing accounts for."""
    for table, missing in domain.unaccounted.items():
        if missing:
            yield Concern("grave", f"rows of {table} in {domain.domain} that no rule accounts for: {missing:,}")
    for table, before in domain.before.items():
        dropped = {
            each.rule: each.count for each in domain.findings if each.table == table and each.action == "dropped"
        }
        lost = sum(dropped.values())
        if before and lost / before > MUCH_LOST:
            most = max(dropped, key=lambda rule: dropped[rule])
            done = "cleaning dropped" if domain.applied else "cleaning would drop"
            yield Concern(
                "serious",
                f"{done} {100 * lost / before:.0f} % of the {table} of {domain.domain}, most of them for "
                f'"{most}" ({dropped[most]:,})',
            )


def suspicious(domain: DomainQuality) -> Found:
    """What cleaning saw and left as it was."""
    for each in domain.findings:
        if each.action == "reported":
            detail = f"; {each.detail}" if each.detail else ""
            yield Concern("minor", f"{domain.domain}, {each.table}: {each.rule}, rows: {each.count:,}{detail}")


def empty(domain: DomainQuality) -> Found:
    """Without interactions of two users nothing can be learned."""
    if not domain.known["interactions"]:
        yield Concern("grave", f"{domain.domain} has no interactions: nothing can be learned or tested there")
    elif domain.known["maximum per user"] == domain.known["interactions"]:
        yield Concern("grave", f"all interactions of {domain.domain} are one user's: at least two users are needed")


def flat_ratings(domain: DomainQuality) -> Found:
    """Ratings that do not tell anything apart."""
    if domain.known.get("distinct ratings") == 1:
        rating = float(domain.known["lowest rating"])
        yield Concern("minor", f"all ratings of {domain.domain} are {rating:g}: they tell no interaction from another")
    positive = domain.known.get("positive interactions")
    if positive is not None and float(positive) < 0.05:
        yield Concern(
            "serious" if positive else "grave",
            f"positive, of the ratings of {domain.domain}: {100 * float(positive):.1f} %; lower positive_from",
        )


def popularity_rules(domain: DomainQuality) -> Found:
    """Few items have nearly everything."""
    unequal = domain.known.get("Gini of popularity")
    if unequal is not None and float(unequal) >= UNEQUAL:
        yield Concern(
            "minor",
            f"few items of {domain.domain} have nearly all interactions (Gini {unequal:.2f}): hard to beat by taste",
        )


def short_histories(domain: DomainQuality) -> Found:
    """Most users say little."""
    median = domain.known.get("median per user")
    if median is not None and float(median) < 3:
        yield Concern("minor", f"half of the users of {domain.domain} have {median:g} interactions or fewer")


def nameless(domain: DomainQuality) -> Found:
    """Names are what people read and what bridges by name compare."""
    if not domain.known.get("items with a name"):
        yield Concern("minor", f"no item of {domain.domain} has a name: there is nothing to link by or to read")


def factless(domain: DomainQuality) -> Found:
    """Facts are what cold items are known by."""
    if not domain.known["facts"]:
        yield Concern("minor", f"{domain.domain} has no facts: items without interactions cannot be told apart")


def timeless(domain: DomainQuality) -> Found:
    """Without times there is no split by time."""
    if "first interaction" not in domain.known and domain.known["interactions"]:
        yield Concern("minor", f"{domain.domain} has no timestamps: it cannot be split by time")


ABOUT_PAIRS: tuple[Callable[[DomainQuality, DomainQuality, PairQuality], Found], ...] = (
    no_overlap, ids_are_numbers, unrelated_activity, different_scales, times_apart, nothing_shared_in_facts,
    wrong_way_round,
)  # fmt: skip
ABOUT_DOMAINS: tuple[Callable[[DomainQuality], Found], ...] = (
    empty, lost_rows, flat_ratings, short_histories, popularity_rules, nameless, factless, timeless, suspicious,
)  # fmt: skip
"""What is looked at. A new warning is a function and its name here."""
