"""Last.fm as published at HetRec 2011: who listened to which artist how often, who tagged whom, who is whose friend.

The files have tabs and a line of names. A listening count is the column `weight` of the interactions, which have no
rating. Friendships are listed in both directions, or in one; each becomes one KNOWS fact. A tag becomes a keyword of an
artist when at least `taggers` people gave it: one person's private label says little. Tags are what the same people
say: they are facts here, but a protocol that hides a listener's taste has to mind that the tags may know it.

What is known to be odd: artists who are tagged but not listed (no facts), tags in Latin-1 between lines of UTF-8, and
missing pictures, with or without their tab.

The format is tested on files of our own making; no official file was read.

Cantador, Brusilovsky, Kuflik, "2nd Workshop on Information Heterogeneity and Fusion in Recommender Systems", RecSys
2011.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import Field

from loaders.dataset import DomainTables
from loaders.public._official import Home, OfficialConfig, assert_listed, facts_frame, official_card, tables_of
from loaders.public._records import Records, Separated, read
from loaders.raw import RawDomain, RawTable

CARD = official_card(
    "lastfm-hetrec",
    "Last.fm, HetRec 2011: listeners, artists, tags and friends",
    "https://grouplens.org/datasets/hetrec-2011/",
    "non-commercial use, acknowledged (Last.fm's terms, stated in the origin's readme)",
    "Ivan Cantador, Peter Brusilovsky, Tsvi Kuflik: 2nd Workshop on Information Heterogeneity and Fusion in "
    "Recommender Systems (HetRec 2011). RecSys 2011.",
    {"users": 1_892, "items": 17_632, "interactions": 92_834},
)

_LISTENER = "lastfm-hetrec:"
_HOME = Home(CARD.name, "lastfm-hetrec", CARD.url, ("hetrec2011-lastfm-2k.zip",))


class LastFmConfig(OfficialConfig):
    """How many people have to give a tag for it to count, and what to call the domain."""

    taggers: int = Field(default=2, ge=1)
    domain: str = "music"


def _with_picture(values: list[str]) -> list[str] | None:
    return [*values, ""] if len(values) == 3 else None


_LISTENING = Separated(
    ("userID", "artistID", "weight"), {"userID": "id", "artistID": "id", "weight": "number"}, header=True
)
_ARTISTS = Separated(("id", "name", "url", "pictureURL"), {"id": "id", "name": "text"}, header=True, mend=_with_picture)
_TAGS = Separated(("tagID", "tagValue"), {"tagID": "id", "tagValue": "id"}, header=True)
_TAGGING = Separated(
    ("userID", "artistID", "tagID", "day", "month", "year"),
    {"userID": "id", "artistID": "id", "tagID": "id"},
    header=True,
)
_FRIENDS = Separated(("userID", "friendID"), {"userID": "id", "friendID": "id"}, header=True)


def read_artists(root: Path, config: LastFmConfig) -> RawDomain:
    """Read the collection; listeners are called "lastfm-hetrec:2", so that no other data set has them.

    Raises:
        InputError: a file is absent (it says which, from where, and where to put it), damaged, or of another format.
    """
    files = ("user_artists", "artists", "tags", "user_taggedartists", "user_friends")
    places = [_HOME.find(root, f"{file}.dat") for file in files]
    formats = (_LISTENING, _ARTISTS, _TAGS, _TAGGING, _FRIENDS)
    listening, artists, tags, tagging, friends = (
        read(place, form) for place, form in zip(places, formats, strict=True)
    )
    if config.whole:
        users = listening.column("userID").nunique()
        assert_listed(CARD, {"users": users, "items": artists.listed, "interactions": listening.listed})
    return RawDomain(
        domain=config.domain,
        item_type="Artist",
        interactions=listening.raw(
            user_id=listening.ids("userID", _LISTENER),
            item_id=listening.column("artistID"),
            weight=listening.column("weight"),
        ),
        items=artists.raw(item_id=artists.column("id"), name=_named(artists.column("name"))),
        knows=friends.raw(user_id=friends.ids("userID", _LISTENER), other_id=friends.ids("friendID", _LISTENER)),
        facts=RawTable(
            _keywords(tagging, tags, config.taggers),
            str(tagging.place),
            bad_lines=(*tagging.bad_lines, *tags.bad_lines),
        ),
    )


def load_domain(root: Path, **options: Any) -> DomainTables:
    """Load the collection; `options` are those of `LastFmConfig`. Raises InputError like `read_artists`."""
    return tables_of(read_artists(root, LastFmConfig.parse(options, 'options of domain "lastfm-hetrec"')), CARD)


def _named(names: pd.Series) -> pd.Series:
    stripped = names.str.strip()
    return stripped.where(stripped != "")


def _keywords(tagging: Records, tags: Records, taggers: int) -> pd.DataFrame:
    """Return (artist, HAS_KEYWORD, tag) for the tags that enough people gave."""
    words = pd.Series(tags.column("tagValue").str.strip().to_numpy(), index=tags.column("tagID").to_numpy())
    words = words[~words.index.duplicated()]
    given = pd.DataFrame(
        {
            "artist": tagging.column("artistID"),
            "tag": tagging.column("tagID").map(words).astype("str"),
            "user": tagging.column("userID"),
        }
    )
    people = given.dropna().groupby(["artist", "tag"], sort=False)["user"].nunique()
    enough = people[people >= taggers].reset_index()
    return facts_frame(enough["artist"], "Artist", "HAS_KEYWORD", "Keyword", enough["tag"])
