"""RecBole's atomic files: what is in them, by hand; and what we write is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import loaders
from graph_schema.errors import InputError
from graph_schema.schema import EdgeType
from loaders import CrossDomainDataset, DomainTables, atomic_files
from tests.worlds import checkerboard

FILES = {
    "inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n"
    "1\t01\t5\t881250949\n2\t02\t3.5\t891717742\n",
    "item": "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\tprice:float\n"
    "01\tToy Story\t1995\tAnimation Comedy\t3.5\n02\tGoldenEye\t1995\tAction\t\n03\tFour Rooms\t1995\t\t2\n",
    "user": "user_id:token\tage:float\tjob:token\n1\t24\ttechnician\n2\t53\tother\n",
    "net": "source_id:token\ttarget_id:token\n1\t2\n",
    "kg": "head_id:token\trelation_id:token\ttail_id:token\n"
    "m.01\tfilm.director\tm.77\n"  # a film and its director
    "m.77\tperson.films\tm.02\n"  # the other way round
    "m.02\tfilm.sequel\tm.01\n"  # two items
    "m.77\tperson.born\tm.88\n",  # two entities
    "link": "item_id:token\tentity_id:token\n01\tm.01\n02\tm.02\n",
}
RELATIONS = {
    "film.director": ("Movie", "DIRECTED_BY", "Person"),
    "person.films": EdgeType("Movie", "DIRECTED_BY", "Person"),
    "class": ("Movie", "HAS_GENRE", "Genre"),
}


def write_files(folder: Path, name: str, **changed: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for kind, content in {**FILES, **changed}.items():
        (folder / f"{name}.{kind}").write_text(content)


def triples(tables: DomainTables) -> list[tuple[str, str, str, str, str]]:
    facts = tables.facts[["head_type", "head_id", "relation", "tail_type", "tail_id"]]
    return sorted(facts.itertuples(index=False, name=None))


def test_a_data_set_is_read_in_one_line(tmp_path: Path) -> None:
    write_files(tmp_path / "ml", "ml")
    films = atomic_files.read_domain(tmp_path, "ml", domain="films", item_type="Movie", relations=RELATIONS)
    assert films.interactions["user_id"].tolist() == ["1", "2"]
    assert films.interactions["item_id"].tolist() == ["01", "02"]
    assert films.interactions["rating"].tolist() == [5.0, 3.5]
    assert films.interactions["timestamp"].tolist() == [pd.Timestamp(at, unit="s") for at in (881250949, 891717742)]
    assert films.items["item_id"].tolist() == ["01", "02", "03"]
    assert films.items["name"].tolist() == ["Toy Story", "GoldenEye", "Four Rooms"]
    assert films.items["year"].tolist() == [1995, 1995, 1995]
    assert films.items["price"].tolist()[::2] == [3.5, 2.0]
    assert films.users["job"].tolist() == ["technician", "other"]
    assert triples(films) == [
        ("Entity", "m.77", "person.born", "Entity", "m.88"),
        ("Movie", "01", "DIRECTED_BY", "Person", "m.77"),
        ("Movie", "01", "HAS_GENRE", "Genre", "Animation"),
        ("Movie", "01", "HAS_GENRE", "Genre", "Comedy"),
        ("Movie", "02", "DIRECTED_BY", "Person", "m.77"),
        ("Movie", "02", "HAS_GENRE", "Genre", "Action"),
        ("Movie", "02", "film.sequel", "Movie", "01"),
        ("User", "1", "KNOWS", "User", "2"),
    ]
    assert atomic_files.schema_of(films).edge_type("Movie", "film.sequel", "Movie")


def test_two_data_sets_are_a_pair(tmp_path: Path) -> None:
    write_files(tmp_path, "ml")
    write_files(tmp_path, "bx", item="item_id:token\n01\n")
    films = atomic_files.read_domain(tmp_path, "ml", domain="films", item_type="Movie")
    books = atomic_files.read_domain(tmp_path, "bx", domain="books", item_type="Book")
    pair = loaders.pair("ml-bx", films, books, schema=atomic_files.schema_of(films, books))
    assert pair.overlapping_users.tolist() == ["1", "2"]
    assert films.items["class"].tolist()[0] == "Animation Comedy"


def test_lines_come_along(tmp_path: Path) -> None:
    write_files(tmp_path, "ml", inter="user_id:token\titem_id:token\n1\t01\n\n2\n2\t02\n")
    raw = atomic_files.read_raw(tmp_path, "ml", domain="films")
    assert raw.interactions.lines is not None and raw.interactions.lines.tolist() == [2, 5]
    assert [line.line for line in raw.interactions.bad_lines] == [3, 4]


def same(one: DomainTables, other: DomainTables) -> None:
    """Equal tables; the names of entities and the order of facts have no place in the form."""
    for name in ("users", "items", "interactions"):
        assert_frame_equal(getattr(other, name)[getattr(one, name).columns], getattr(one, name))
    assert triples(other) == triples(one)


@pytest.mark.parametrize("number", [0, 1])
def test_what_is_written_is_read_back(tmp_path: Path, number: int) -> None:
    world = loaders.load("case-study", source_users=60, source_items=100, source_interactions=400)
    atomic_files.write(world, tmp_path / "out")
    tables = world.domains[number]
    again = atomic_files.read_domain(
        tmp_path / "out", tables.domain, domain=tables.domain, item_type=tables.item_type, schema=world.schema
    )
    same(tables, again)


def test_awkward_values_survive(tmp_path: Path) -> None:
    rows = pd.DataFrame(
        {
            "user_id": ["007", 'tab"quote', "ünï"],
            "item_id": ["a b", "c", "a b"],
            "rating": [0.1, 4.0, 5.0],
            "timestamp": pd.to_datetime([981_173_106, 1_577_836_800, 1_577_923_200], unit="s"),
        }
    )
    items = pd.DataFrame({"item_id": ["a b", "c", "d"], "item_type": "Book", "name": ["One\ttab", "A: B", None]})
    facts = pd.DataFrame(
        {
            "head_id": ["a b", "007"], "head_type": ["Book", "User"], "relation": ["HAS_GENRE", "KNOWS"],
            "tail_id": ["x:y", "ünï"], "tail_type": ["Genre", "User"],
        }
    )  # fmt: skip
    books = DomainTables.from_frames("books", rows, item_type="Book", items=items, facts=facts)
    atomic_files.write(books, tmp_path / "out")
    again = atomic_files.read_domain(tmp_path / "out", "books", domain="books", item_type="Book")
    assert triples(again) == triples(books)
    assert_frame_equal(again.interactions, books.interactions)
    assert again.items["name"].fillna("(none)").tolist() == ["One tab", "A: B", "(none)"]


def test_the_header_is_recbole_s(tmp_path: Path) -> None:
    atomic_files.write(checkerboard(24, 8), tmp_path / "out")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 2
    header = (tmp_path / "out" / names[0] / f"{names[0]}.inter").read_text().split("\n")[0]
    assert header.startswith("user_id:token\titem_id:token")


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"inter": "user_id\titem_id\n1\t2\n"}, 'line 1: column "user_id" has no type; write it as NAME:TYPE'),
        ({"inter": "user_id:token\titem_id:tokens\n1\t2\n"}, 'column "item_id:tokens" has no type'),
        ({"inter": "uid:token\titem_id:token\n1\t2\n"}, 'unknown column "user_id"'),
        ({"inter": "a:token\ta:float\n1\t2\n"}, 'column "a" is there twice'),
        ({"kg": "head_id:token\ttail_id:token\n1\t2\n"}, 'unknown column "relation_id"'),
        ({"inter": ""}, "is empty"),
    ],
)
def test_files_of_another_form(tmp_path: Path, changed: dict[str, str], words: str) -> None:
    write_files(tmp_path, "ml", **changed)
    with pytest.raises(InputError) as caught:
        atomic_files.read_domain(tmp_path, "ml", domain="films", item_type="Movie")
    assert words in str(caught.value) and "\n" not in str(caught.value)


def test_wrong_names(tmp_path: Path) -> None:
    write_files(tmp_path, "ml")
    with pytest.raises(InputError, match='mk.inter" does not exist'):
        atomic_files.read_domain(tmp_path, "mk", domain="films")
    with pytest.raises(InputError, match='unknown relation .* "film.directors"; did you mean "film.director"'):
        relations = {"film.directors": ("Movie", "DIRECTED_BY", "Person")}
        atomic_files.read_domain(tmp_path, "ml", domain="films", relations=relations)
    with pytest.raises(InputError, match="relation DIRECTED_BY does not join Movie to Genre"):
        wrong = {"film.director": ("Movie", "DIRECTED_BY", "Genre")}
        atomic_files.read_domain(tmp_path, "ml", domain="films", relations=wrong)
    with pytest.raises(InputError, match="exists already"):
        atomic_files.write(checkerboard(24, 8), tmp_path)


def test_nothing_is_left_of_a_domain_that_cannot_name_a_file(tmp_path: Path) -> None:
    rows = pd.DataFrame({"user_id": ["u", "v"], "item_id": ["a", "b"]})
    for name in ("../up", "a/b", ".hidden"):
        with pytest.raises(InputError, match="cannot name a file"):
            atomic_files.write(DomainTables.from_frames(name, rows), tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_kinds_of_a_data_set_are_kept(tmp_path: Path) -> None:
    world: CrossDomainDataset = checkerboard(24, 8)
    tables = world.source
    atomic_files.write(tables, tmp_path / "one")
    again = atomic_files.read_domain(tmp_path / "one", tables.domain, domain="x", item_type=tables.item_type)
    assert again.items["item_type"].tolist() == tables.items["item_type"].tolist()
