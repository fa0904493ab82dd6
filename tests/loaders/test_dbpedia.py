from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.splits import FixedFiles
from loaders import CrossDomainDataset
from loaders.download import locate, read_content
from loaders.pairing import counts_of, entities_of
from loaders.public import _entity_facts as entity_facts
from loaders.public import dbpedia_movies_music_books as dbpedia
from loaders.registry import root_folder
from tests.loaders.test_entity_facts import graph_folder

Load = Callable[[str], CrossDomainDataset]

RESOURCE = entity_facts.RESOURCE
CONTENTS = {
    "movies_movielens_ratings.csv": b"userId,movieId,rating,timestamp\n1,10,4.0,964982703\n1,11,1.5,964982703\n"
    b"2,10,3.5,964982704\n",
    "movies_movielens_movies.csv": b'movieId,title,genres\n10,"Mermaid, The (1989)",Comedy|Sci-Fi\n'
    b"11,Untold,(no genres listed)\n12,Unseen (2000),Drama\n",
    "movies_movielens_dbpedia.tsv": f"10\tMermaid, The (1989)\t{RESOURCE}The_Mermaid".encode(),
    "music_lastfm_train.dat": f"1 {RESOURCE}Alan_Menken 1 -1\n2 {RESOURCE}Blink-182 1 -1\n".encode(),
    "music_lastfm_val.dat": f"1 {RESOURCE}Blink-182 1 -1\n".encode(),
    "music_lastfm_test.dat": f"2 {RESOURCE}Fake%3F 1 -1\n".encode(),
    "music_lastfm_mapping.tsv": f"7\tA. Menken\t{RESOURCE}Alan_Menken\n8\tMenken\t{RESOURCE}Alan_Menken".encode(),
    "books_facebook_trainingset.tsv": b"1\t1\t1.0\n1\t2\t1.0\n2\t1\t1.0\n",
    "books_facebook_testset.tsv": b"2\t2\t1.0\n",
    "books_facebook_mappingLinkedData.tsv": f"1\t{RESOURCE}Joy_(novel)\n2\t{RESOURCE}Joy_2\n".encode(),
    "books_librarything_sample.dat": (
        f"1 {RESOURCE}Joy_2 9 -1\n1 {RESOURCE}Joy_2 3 -1\n2 {RESOURCE}Joy_(novel) 6 -1\n3 {RESOURCE}Joy_2 7 -1\n"
    ).encode(),
    "dbpedia_triples.tsv": (
        b"head\trelation\ttail\tdomain\n"
        b"res:Joy_(novel)\tdbo:author\tres:Amy_Tan\tbooks\n"
        b"res:Joy_(novel)\tdbo:literaryGenre\tres:Science_fiction\tbooks\n"
        b"res:Joy_(novel)\tdbo:subsequentWork\tres:Joy_2\tbooks\n"
        b"res:The_Mermaid\tdbo:musicComposer\tres:Alan_Menken\tmovies\n"
        b"res:The_Mermaid\tdbo:writer\tres:Amy_Tan\tmovies\n"
        b"res:Blink-182\tdbo:bandMember\tres:Amy_Tan\tmusic\n"
        b"res:Blink-182\tdbo:associatedBand\tres:Fake%3F\tmusic\n"
        b"res:Blink-182\tdbo:associatedMusicalArtist\tres:Fake%3F\tmusic\n"
        b"res:Blink-182\tdbo:associatedBand\tres:Nobody\tmusic\n"
    ),
}


def facts_of(dataset: CrossDomainDataset, domain: str) -> set[tuple[str, str, str]]:
    return set(dataset.domain(domain).facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None))


def test_no_user_is_shared_and_entities_are() -> None:
    dataset = dbpedia.parse(CONTENTS, "movies", "books")
    assert dataset.overlapping_users.empty
    assert dataset.source.users["user_id"].tolist() == ["movies:1", "movies:2"]
    assert dataset.target.users["user_id"].tolist() == ["books:1", "books:2"]
    both = entities_of(dataset.source, dataset.schema).merge(entities_of(dataset.target, dataset.schema))
    assert both.to_numpy().tolist() == [["Person", "amy tan"], ["Genre", "science fiction"]]
    assert dataset.fixed["test"].to_numpy().tolist() == [["books", "books:2", "2"]]


def test_films_have_names_years_ratings_and_genres() -> None:
    films = dbpedia.parse(CONTENTS, "movies", "books").source
    assert films.items["name"].tolist() == ["Mermaid, The (1989)", "Untold"]
    assert films.items["year"].fillna(0).tolist() == [1989, 0]
    assert films.items["dbpedia"].fillna("-").tolist() == ["res:The_Mermaid", "-"]
    assert films.interactions["rating"].tolist() == [4.0, 1.5, 3.5]
    assert films.interactions["timestamp"].iloc[0] == pd.Timestamp("2000-07-30 18:45:03")
    assert films.facts[["head_id", "relation", "tail_name"]].to_numpy().tolist() == [
        ["10", "COMPOSED_BY", "Alan Menken"], ["10", "AUTHORED_BY", "Amy Tan"],
        ["10", "HAS_GENRE", "Comedy"], ["10", "HAS_GENRE", "Sci-Fi"],
    ]  # fmt: skip


def test_an_artist_is_performed_by_the_person_that_other_domains_know() -> None:
    dataset = dbpedia.parse(CONTENTS, "music", "movies")
    assert dataset.source.items[["item_id", "item_type", "name"]].to_numpy().tolist() == [
        ["Alan_Menken", "Artist", "A. Menken"], ["Blink-182", "Artist", "Blink-182"], ["Fake%3F", "Artist", "Fake?"],
    ]  # fmt: skip
    assert facts_of(dataset, "music") == {
        ("Alan_Menken", "PERFORMED_BY", "alan menken"),
        ("Blink-182", "PERFORMED_BY", "amy tan"),
        ("Blink-182", "SIMILAR_TO", "Fake%3F"),
    }
    assert {part: rows.to_numpy().tolist() for part, rows in dataset.fixed.items()} == {
        "valid": [["music", "music:1", "Blink-182"]], "test": [["music", "music:2", "Fake%3F"]],
    }  # fmt: skip
    split = FixedFiles().split(dataset)
    graph = build_graph(split, propose_links(split, ["shared_id", "shared_entity"]), "collapse")
    people = graph.nodes["Person"]
    assert (people.rows(0, ["alan menken"]) == people.rows(1, ["alan menken"])).all()


def test_liked_rows_are_those_above_the_middle_of_each_scale() -> None:
    dataset = dbpedia.parse(CONTENTS, "movies", "books", books="librarything", rows="liked")
    assert dataset.source.interactions[["user_id", "item_id"]].to_numpy().tolist() == [
        ["movies:1", "10"], ["movies:2", "10"],
    ]  # fmt: skip
    assert dataset.target.interactions.to_numpy().tolist() == [["books:1", "Joy_2"], ["books:3", "Joy_2"]]
    assert "rating" not in dataset.source.interactions
    every = dbpedia.parse(CONTENTS, "books", "movies", books="librarything")
    assert every.source.interactions["rating"].tolist() == [9.0, 6.0, 7.0]
    assert every.fixed == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "books"}, 'source and target are both "books"; choose two domains'),
        ({"source": "film"}, "choices: movies, music, books"),
        ({"books": "facebok"}, 'did you mean "facebook"'),
        ({"rows": "like"}, 'did you mean "liked"'),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        loaders.load("dbpedia-movies-music-books", **options)


STATED = {
    "movies": {"users": 610, "items": 9_724, "interactions": 100_836},
    "music": {"users": 1_865, "items": 9_765, "interactions": 78_633, "valid": 7_872, "test": 15_809},
    "books": {"users": 1_398, "items": 2_933, "interactions": 18_978},
}
SHARED = {("movies", "music"): 349, ("music", "books"): 57, ("books", "movies"): 80}


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("pair", SHARED)
def test_every_pair_has_the_stated_counts_and_its_bridges(pair: tuple[str, str], loaded: Load) -> None:
    loaded("dbpedia-movies-music-books")
    dataset = loaders.load("dbpedia-movies-music-books", source=pair[0], target=pair[1])
    found = counts_of(dataset)
    for domain in pair:
        assert {key: found[f"{domain}.{key}"] for key in STATED[domain]} == STATED[domain]
    assert len(entities_of(dataset.source, dataset.schema).merge(entities_of(dataset.target, dataset.schema))) == (
        SHARED[pair]
    )
    for tables in dataset.domains:
        assert tables.items["name"].notna().all()
        assert tables.users["user_id"].str.startswith(f"{tables.domain}:").all()


@pytest.mark.slow
@pytest.mark.real_data
@pytest.mark.parametrize("rows", dbpedia.ROWS)
def test_librarything_has_its_counts(rows: str, loaded: Load) -> None:
    loaded("dbpedia-movies-music-books")
    dataset = loaders.load("dbpedia-movies-music-books", books="librarything", rows=rows)
    assert counts_of(dataset)["books.items"] == 7_756
    assert dataset.target.card.counts["books.users"] == (6_789 if rows == "all" else 6_454)


@pytest.mark.slow
@pytest.mark.real_data
def test_the_triples_have_the_stated_counts_and_are_made_from_the_graphs(loaded: Load, tmp_path: Path) -> None:
    loaded("dbpedia-movies-music-books")
    file = next(file for file in dbpedia.FILES if file.file == "dbpedia_triples.tsv")
    triples = entity_facts.read_table(read_content(locate(root_folder(), file), file.sha256))
    entities = {
        domain: set(rows["head"]) | set(rows["tail"]) for domain, rows in triples.groupby("domain") if domain != ""
    }
    assert triples["domain"].value_counts().to_dict() == {"books": 47_082, "movies": 34_941, "music": 110_921}
    assert {domain: len(found) for domain, found in entities.items()} == {
        "books": 19_055, "movies": 16_283, "music": 37_927,
    }  # fmt: skip
    shared = [len(entities[one] & entities[other]) for one, other in (("music", "movies"), ("books", "movies"))]
    assert (*shared, len(entities["music"] & entities["books"])) == (507, 206, 135)
    graphs = {"books": "LibraryThing", "movies": "Movielens1M", "music": "LastFM"}
    for domain, rows in triples.groupby("domain"):
        graph_folder(tmp_path / "datasets" / graphs[str(domain)] / "graphs", rows)
    assert read_content(dbpedia.build_folder(tmp_path / "datasets", tmp_path / "data"), file.sha256)
