from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import EdgeType, InputError
from kgxfer.bridges import propose_links
from kgxfer.graph import build_graph
from kgxfer.splits import ColdStartUsers
from loaders import CrossDomainDataset
from loaders.download import locate, read_content
from loaders.pairing import entities_of
from loaders.public import _entity_facts as entity_facts
from loaders.public import amazon_books_movies as amazon
from loaders.registry import root_folder
from tests.loaders.test_entity_facts import graph_folder

Load = Callable[[str], CrossDomainDataset]


def table(header: str, *rows: str) -> bytes:
    return "".join(line.replace("|", "\t") + "\n" for line in (header, *rows)).encode()


INTER, LINK = "user_id:token|item_id:token|rating:float", "item_id:token|entity_id:token"
CONTENTS = {
    "books.inter.tsv": table(INTER, "ann|b1|1", "ann|b2|1", "bob|b1|1"),
    "books.link.tsv": table(LINK, "b1|res:It_(novel)", "b2|res:It_2", "b3|res:Cujo"),
    "movies.inter.tsv": table(INTER, "ann|m1|1", "cem|m2|1"),
    "movies.link.tsv": table(LINK, "m1|res:It_(film)", "m2|res:Cujo", "m3|res:Heat"),
    "v1_items_books.tsv": table("iid|title|uri", "b1|It:.*a.*Novel|x", "b1|other|y", "b2||z"),
    "v1_item_metadata_books.txt": table(
        "iid|metadata",
        "b1|cat:Novels_by_Stephen_King|cat:Horror_novels|res:Stephen_King|res:Horror_fiction|res:It_2||",
        "b2|res:Clowns|res:Jane_Doe|res:Clowns|http://x",
        "b3|cat:Books_by_Jane_Doe||",
        "b9|res:Unlinked|",
    ),
    "dbpedia_triples.tsv": table(
        "head|relation|tail|origin",
        "res:It_(novel)|dbo:author|res:Stephen_King|LibraryThing",
        "res:Other|dbo:literaryGenre|res:Horror_fiction|LibraryThing",
        "res:Cujo|dbo:publisher|res:Viking_Press|LibraryThing",
        "res:Cujo|dbo:director|res:Lewis_Teague|Movielens1M",
    ),
    "movies_titles_wikidata.tsv": table(
        "asin|title|wikidata_id|match_note", "m1|It [DVD]|Q1|title", "m2||Q2|title,year", "m9|No|Q9|title"
    ),
    "wikidata_triples.tsv": table(
        "head_id|head_label|property_id|property_label|tail_id|tail_label",
        "Q1|It|P136|genre|Q5|horror film",
        "Q1|It|P58|screenwriter|Q6|Stephen King",
        "Q1|It|P166|award received|Q7|Oscar",
        "Q1|It|P161|cast member|Q8|no_label",
        "Q9|No|P57|director|Q6|Stephen King",
    ),
    "movie_facts_by_title.tsv": table(
        "asin|relation|value|source|match",
        "m1|genre|Horror|movielens|title-unique",
        "m1|year|1990|movielens|title-unique",
        "m1|year|2017|imdb5000|title+year",
        "m2|year|1983|dbpedia-name|entity-name",
        "m2|language|English|imdb5000|title+year",
        "m2|country|USA|imdb5000|title+year",
    ),
}


def facts_of(dataset: CrossDomainDataset, domain: str) -> set[tuple[str, str, str]]:
    return set(dataset.domain(domain).facts[["head_id", "relation", "tail_id"]].itertuples(index=False, name=None))


def test_names_titles_years_and_given_entities() -> None:
    dataset = amazon.parse(CONTENTS)
    books, films = dataset.source.items, dataset.target.items
    assert books["name"].tolist() == ["It (novel)", "It 2", "Cujo"]
    assert books["shop_title"].fillna("-").tolist() == ["It: a Novel", "-", "-"]
    assert films["shop_title"].fillna("-").tolist() == ["It [DVD]", "-", "-"]
    assert films["year"].fillna(0).tolist() == [2017, 1983, 0]
    assert films["dbpedia"].tolist() == ["res:It_(film)", "res:Cujo", "res:Heat"]
    assert dataset.overlapping_users.tolist() == ["ann"]
    assert list(dataset.source.interactions.columns) == ["user_id", "item_id"]


def test_facts_of_every_source_meet_in_one_entity() -> None:
    dataset = amazon.parse(CONTENTS)
    assert facts_of(dataset, "books") == {
        ("b1", "AUTHORED_BY", "stephen king"),
        ("b3", "PUBLISHED_BY", "viking press"),
        ("b1", "SIMILAR_TO", "b2"),
        ("b1", "IN_CATEGORY", "novels by stephen king"),
        ("b1", "IN_CATEGORY", "horror novels"),
        ("b3", "IN_CATEGORY", "books by jane doe"),
        ("b1", "HAS_GENRE", "horror"),
        ("b2", "HAS_KEYWORD", "clowns"),
        ("b2", "AUTHORED_BY", "jane doe"),
    }
    assert facts_of(dataset, "movies") == {
        ("m2", "DIRECTED_BY", "lewis teague"),
        ("m1", "HAS_GENRE", "horror"),
        ("m1", "AUTHORED_BY", "stephen king"),
        ("m2", "LOCATED_IN", "united states"),
    }


def test_a_book_and_its_film_are_alike_and_the_graph_has_it_so() -> None:
    dataset = amazon.parse(CONTENTS)
    assert dataset.links[["source_id", "target_id", "node_type", "relation", "evidence"]].to_numpy().tolist() == [
        ["b3", "m2", "Item", "SIMILAR_TO", "res:Cujo"]
    ]
    swapped = amazon.parse(CONTENTS, "movies-to-books")
    assert (swapped.source.domain, swapped.target.domain) == ("movies", "books")
    assert swapped.links[["source_id", "target_id"]].to_numpy().tolist() == [["m2", "b3"]]
    assert facts_of(swapped, "books") == facts_of(dataset, "books")


def test_another_direction_is_refused_with_the_choices() -> None:
    with pytest.raises(InputError, match='did you mean "movies-to-books"'):
        loaders.load("amazon-books-movies", direction="movie-to-books")


def test_a_file_that_has_no_address_says_how_to_come_by_it(tmp_path: Path) -> None:
    file = next(file for file in amazon.FILES if file.file == "dbpedia_triples.tsv")
    with pytest.raises(InputError, match=r'dbpedia_triples\.tsv" is absent and cannot be downloaded .*build_folder'):
        locate(tmp_path, file)


@pytest.mark.real_data
def test_the_stated_counts_hold(loaded: Load) -> None:
    dataset = loaded("amazon-books-movies")
    stated = {"books": (10_485, 8_318, 115_572, 943), "movies": (5_648, 4_779, 67_066, 584)}
    for domain, (users, items, interactions, most) in stated.items():
        rows = dataset.domain(domain).interactions
        per_user = rows.groupby("user_id").size()
        assert (per_user.size, rows["item_id"].nunique(), len(rows)) == (users, items, interactions)
        assert (per_user.min(), per_user.median(), per_user.max()) == (5, 7, most)
    shared = dataset.overlapping_users
    of_shared = [tables.interactions["user_id"].isin(shared).sum() for tables in dataset.domains]
    assert (len(shared), *of_shared) == (1_062, 20_315, 21_255)
    assert not set(dataset.source.items["item_id"]) & set(dataset.target.items["item_id"])
    assert len(dataset.links) == 4
    rated = dataset.target.items[dataset.target.items["item_id"].isin(dataset.target.interactions["item_id"])]
    assert rated["shop_title"].notna().sum() == 4_768
    for tables in dataset.domains:
        assert tables.items["name"].notna().all()
        assert not tables.items["dbpedia"].duplicated().any()


@pytest.mark.real_data
def test_what_the_facts_leave_out_is_what_the_docstring_says(loaded: Load) -> None:
    loaded("amazon-books-movies")
    contents = {file.file: read_content(locate(root_folder(), file), file.sha256) for file in amazon.FILES}
    triples = entity_facts.read_table(contents["dbpedia_triples.tsv"])
    known = [*entity_facts.DBPEDIA, *entity_facts.DBPEDIA_BETWEEN_ITEMS]
    assert (len(triples), (~triples["relation"].isin(known)).sum()) == (13_323, 2_274)
    keywords = loaded("amazon-books-movies").domain("books").facts["relation"].eq("HAS_KEYWORD").sum()
    assert keywords == 4_710
    facts = entity_facts.read_table(contents["movie_facts_by_title.tsv"])
    assert facts.groupby("relation").size().to_dict() == {
        "genre": 5_786, "actor": 4_316, "keyword": 4_246, "year": 3_050, "director": 1_120, "country": 894,
        "language": 861,
    }  # fmt: skip


SHARED = {"Person": 57, "Genre": 33, "Keyword": 22, "Place": 20}


@pytest.mark.real_data
def test_shared_entities_bridge_the_domains_in_the_graph(loaded: Load) -> None:
    dataset = loaded("amazon-books-movies")
    both = entities_of(dataset.source, dataset.schema).merge(entities_of(dataset.target, dataset.schema))
    assert both["node_type"].value_counts().to_dict() == SHARED
    assert {"steve martin", "horror", "united states"} <= set(both["node_id"])
    split = ColdStartUsers().split(dataset, rng=0)
    graph = build_graph(split, propose_links(split, ["shared_id", "shared_entity"]))
    alike = {kind: len(edges) for kind, edges in graph.edges.items() if kind == ("Book", "SIMILAR_TO", "Movie")}
    assert sum(alike.values()) == 4
    assert len(graph.edges[EdgeType("Person", "SAME_AS", "Person")]) == SHARED["Person"]


@pytest.mark.real_data
def test_the_folder_is_made_from_the_graphs_of_its_origin(loaded: Load, tmp_path: Path) -> None:
    loaded("amazon-books-movies")
    files = {file.file: file for file in amazon.FILES}
    place = locate(root_folder(), files["dbpedia_triples.tsv"])
    triples = entity_facts.read_table(read_content(place, files["dbpedia_triples.tsv"].sha256))
    for origin, rows in triples.groupby("origin"):
        stray = pd.DataFrame({"head": ["res:Stray"], "relation": ["dbo:author"], "tail": ["res:Nobody"]})
        graph_folder(tmp_path / "datasets" / str(origin) / "graphs", pd.concat([rows, stray]))
    for name in ("books.link.tsv", "movies.link.tsv"):
        link = locate(root_folder(), files[name])
        (tmp_path / "data" / link.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copy(link, tmp_path / "data" / link.parent.name / link.name)
    made = amazon.build_folder(tmp_path / "datasets", tmp_path / "data")
    assert read_content(made, files["dbpedia_triples.tsv"].sha256)
