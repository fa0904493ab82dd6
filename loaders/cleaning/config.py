"""The settings of cleaning: one field per choice that a rule leaves open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, NonNegativeInt, PositiveFloat, PositiveInt

from graph_schema.config import Config


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _in_order(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError("the lower end has to lie below the upper one")
    return ends


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A moment; one without a time zone is in UTC."""

def _word_or_ends(value: object) -> object:
    # Checked here because the message for a choice of two types names the type that was not meant.
    if isinstance(value, str):
        if value not in ("auto", "any"):
            raise ValueError('give "auto", "any" or two ends such as [1, 5]')
    elif not (isinstance(value, list | tuple) and len(value) == 2 and value[0] < value[1]):
        raise ValueError("the lower end has to lie below the upper one, as in [1, 5]")
    return value


Range = Annotated[tuple[float, float], AfterValidator(_in_order)]
"""Two ends, both included."""


class CleaningConfig(Config):
    """What each rule does where there is a choice; the defaults repair what is certain and report what is not.

    Cleaning comes before any split and looks at all rows. Two choices carry something of the rows that are later held
    out into the others, and are therefore off by default: `normalise` (where ratings are relevant from a threshold on,
    whether a training row is depends on the user's test ratings too) and `user_core`, `item_core` (who stays has test
    rows enough). Compare results of one such choice with each other only.

    Attributes:
        missing_words: words that mean "no value", in any case; an empty field always does.
        longest_id: ids of more characters are refused: they are text that slipped into the column.
        control_characters_in_ids: "remove" them from the id, or "drop" the row.
        repeated: what stands for several interactions of one user with one item: the "last" or "first" by time (by
            place in the file where there is no time), or the last one with the "max", "mean" or "sum" of the ratings.
        exact_copies: "merge" rows that agree in every column, or "count" them as interactions of their own, which
            `repeated` then joins (for logs without a time, where two equal rows are two events).
        event_weights: event -> weight; rows of other events are dropped. Empty: events are not weighed.
        rating_range: the ends of the scale, "auto" to detect a scale that almost all ratings keep to, or "any".
        zero_means_no_rating: 0 is an interaction without a rating, as in Book-Crossing, and the row is dropped.
        bad_ratings: what becomes of rows whose rating is missing or unreadable: "drop_rows", or "drop_column" to
            give up the ratings of the domain.
        mixed_scales: "repair" the ratings of users who plainly rate on a longer scale than the others, "report"
            them, or "ignore" the matter.
        scale_column: a column that says on which scale a row's rating is; `scales` gives the ends by its values.
        scales: value of `scale_column` -> ends of that scale; each is mapped to the scale of the most rows.
        normalise: ratings "none": as they are; "user_z_score": less the user's mean, over the user's standard
            deviation; "user_min_max": the user's lowest is 0 and highest 1; "domain_min_max": the same for the domain.
        time_unit: of numbers in the time column; "auto" decides row by row, by size.
        day_first: whether 3/4/2020 is the third of April; None: as the unambiguous dates of the column say.
        earliest: times before it are errors.
        now: times after it are errors; None: the moment of cleaning. Give it to make results reproducible.
        implausible_times: rows with a time before `earliest` or after `now`: "drop" or "report".
        bad_times: rows whose time is missing or unreadable: "drop_rows", or "drop_column" to give up the times.
        unknown_users: users of interactions and acquaintances who are not in the table of users: "add" or "drop".
        unknown_items: the same for items.
        facts_of_unknown_items: facts about items of the domain that are not in the table of items: "drop" or "keep".
        conflicts: what stands for several rows of one item or user: values of the "first" or the "last" row, or each
            column's "most_frequent"; fields that one row leaves empty are filled from the others.
        same_items: items of one name, year and type under several ids: "report", or "merge" them under the first id.
        user_core: users with fewer interactions are left out, and so on until all have enough; 0: nobody is.
        item_core: the same for items.
        suspicious_users: "report" users who behave like programs, or "drop" their interactions.
        most_per_minute: more interactions within 60 seconds are suspicious.
        most_interactions: more interactions of one user are suspicious.
        most_equal_ratings: a user with at least so many ratings, all of them equal, is suspicious.
    """

    missing_words: tuple[str, ...] = ("na", "n/a", "#n/a", "<na>", "nan", "none", "null", "nil", "\\n")
    longest_id: PositiveInt = 256
    control_characters_in_ids: Literal["remove", "drop"] = "remove"

    repeated: Literal["last", "first", "max", "mean", "sum"] = "last"
    exact_copies: Literal["merge", "count"] = "merge"
    event_weights: dict[str, PositiveFloat] = Field(default_factory=dict)

    rating_range: Annotated[Literal["auto", "any"] | Range, BeforeValidator(_word_or_ends)] = "auto"
    zero_means_no_rating: bool = False
    bad_ratings: Literal["drop_rows", "drop_column"] = "drop_rows"
    mixed_scales: Literal["repair", "report", "ignore"] = "repair"
    scale_column: str | None = None
    scales: dict[str, Range] = Field(default_factory=dict)
    normalise: Literal["none", "user_z_score", "user_min_max", "domain_min_max"] = "none"

    time_unit: Literal["auto", "s", "ms", "us", "ns", "iso"] = "auto"
    day_first: bool | None = None
    earliest: Moment = datetime(1990, 1, 1, tzinfo=UTC)
    now: Moment | None = None
    implausible_times: Literal["drop", "report"] = "drop"
    bad_times: Literal["drop_rows", "drop_column"] = "drop_rows"

    unknown_users: Literal["add", "drop"] = "add"
    unknown_items: Literal["add", "drop"] = "add"
    facts_of_unknown_items: Literal["drop", "keep"] = "drop"
    conflicts: Literal["first", "last", "most_frequent"] = "most_frequent"
    same_items: Literal["report", "merge"] = "report"

    user_core: NonNegativeInt = 0
    item_core: NonNegativeInt = 0
    suspicious_users: Literal["report", "drop"] = "report"
    most_per_minute: PositiveInt = 100
    most_interactions: PositiveInt = 20_000
    most_equal_ratings: PositiveInt = 100
