"""Last.fm's files of HetRec 2011 with the faults that are known of them, written here and read again."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import pytest

import loaders
from graph_schema import InputError
from loaders.collections import ReadingWarning

FILES = {
    "user_artists.dat": ["userID\tartistID\tweight", "2\t51\t13883", "2\t52\t11690", "3\t51\t1"],
    "artists.dat": [
        "id\tname\turl\tpictureURL",
        '51\tThe "Quotes\thttp://www.last.fm/music/a\thttp://p/1.jpg',
        "52\tBj\u00f6rn & \u541b\thttp://www.last.fm/music/b\t",
        "53\tNo Picture\thttp://www.last.fm/music/c",
    ],
    "tags.dat": ["tagID\ttagValue", "1\tmetal", "2\t80s", "3\ttrip hop"],
    "user_taggedartists.dat": [
        "userID\tartistID\ttagID\tday\tmonth\tyear",
        "2\t51\t1\t1\t4\t2009", "3\t51\t1\t1\t4\t2009", "2\t51\t2\t1\t4\t2009", "2\t51\t2\t1\t5\t2009",
        "2\t52\t3\t1\t4\t2009", "3\t52\t3\t1\t4\t2009", "2\t99\t1\t1\t4\t2009", "3\t99\t1\t1\t4\t2009",
    ],
    "user_friends.dat": ["userID\tfriendID", "2\t3", "3\t2"],
}  # fmt: skip


def write(root: Path, packed: bool = True, **changed: bytes) -> None:
    folder = root / "lastfm-hetrec"
    folder.mkdir(exist_ok=True)
    contents = {name: "\r\n".join([*lines, ""]).encode() for name, lines in FILES.items()}
    contents |= {f"{name}.dat": content for name, content in changed.items()}
    if packed:
        with zipfile.ZipFile(folder / "hetrec2011-lastfm-2k.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
    else:
        for name, content in contents.items():
            (folder / name).write_bytes(content)


@pytest.mark.parametrize("packed", [True, False])
def test_listeners_artists_tags_and_friends(tmp_path: Path, packed: bool) -> None:
    write(tmp_path, packed)
    with pytest.warns(
        ReadingWarning, match='1 facts are of items that are not listed .first: "99".; they are left out'
    ):
        music = loaders.load_domain("lastfm-hetrec", tmp_path, whole=False)
    assert music.item_type == "Artist"
    assert music.items["name"].tolist() == ['The "Quotes', "Bj\u00f6rn & \u541b", "No Picture"]
    assert music.interactions.to_dict("list") == {
        "user_id": ["lastfm-hetrec:2", "lastfm-hetrec:2", "lastfm-hetrec:3"],
        "item_id": ["51", "52", "51"],
        "weight": [13883, 11690, 1],
    }
    facts = music.facts[["head_id", "head_type", "relation", "tail_id", "tail_type"]]
    assert sorted(facts.itertuples(index=False, name=None)) == [
        ("51", "Artist", "HAS_KEYWORD", "metal", "Keyword"),
        ("52", "Artist", "HAS_KEYWORD", "trip hop", "Keyword"),
        ("lastfm-hetrec:2", "User", "KNOWS", "lastfm-hetrec:3", "User"),
    ]


def test_the_tags_of_one_person_count_when_one_is_enough(tmp_path: Path) -> None:
    kept = [line for line in FILES["user_taggedartists.dat"] if "\t99\t" not in line]
    write(tmp_path, user_taggedartists="\n".join(kept).encode())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        music = loaders.load_domain("lastfm-hetrec", tmp_path, whole=False, taggers=1)
    tags = music.facts[music.facts["relation"] == "HAS_KEYWORD"]
    assert sorted(tags["tail_id"]) == ["80s", "metal", "trip hop"]


@pytest.mark.filterwarnings("ignore::loaders.collections.ReadingWarning")
def test_tags_in_latin_letters_between_lines_of_utf_8(tmp_path: Path) -> None:
    write(tmp_path, tags="tagID\ttagValue\n1\tcaf\u00e9\n".encode("latin-1") + "3\tna\u00efve \u541b\n".encode())
    tags = loaders.read_domain("lastfm-hetrec", tmp_path, whole=False).facts
    assert tags is not None
    assert sorted(set(tags.frame["tail_id"])) == ["caf\u00e9", "na\u00efve \u541b"]


def test_faults_of_the_files_of_facts_are_counted_too(tmp_path: Path) -> None:
    write(tmp_path, user_taggedartists=b"userID\tartistID\ttagID\tday\tmonth\tyear\n2\t51\t1\t1\t4\t2009\n2\t51\n")
    with pytest.warns(ReadingWarning, match="line 3: 2 fields instead of 6"):
        loaders.load_domain("lastfm-hetrec", tmp_path, whole=False, taggers=1)


def test_the_published_counts_are_asserted(tmp_path: Path) -> None:
    assert dict(loaders.DOMAINS["lastfm-hetrec"].card.counts) == {
        "users": 1_892, "items": 17_632, "interactions": 92_834,
    }  # fmt: skip
    write(tmp_path)
    with pytest.raises(InputError, match="2 users, expected 1,892"):
        loaders.load_domain("lastfm-hetrec", tmp_path)


def test_what_to_get_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match='get "hetrec2011-lastfm-2k.zip" .* from https://grouplens.org/datasets/hetrec-2011/'
    ):
        loaders.load_domain("lastfm-hetrec", tmp_path)
