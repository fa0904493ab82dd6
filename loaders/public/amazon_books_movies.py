"""Amazon books and films of the same people, with readable names, linked to DBpedia, and facts from four sources.

Wang et al., "Amazon-KG: A Knowledge Graph Enhanced Cross-Domain Recommendation Dataset", SIGIR 2024. Interactions are
implicit; 1,062 people are in both domains. Items are all that the origin links to DBpedia, also those without an
interaction. Their columns: `name` and `dbpedia` (the linked entity, given), `shop_title` (of books as a pattern of the
first release had it, spaces restored), and the `year` of films where a table has it.

The origin's own triples could not be obtained. The facts here are, and so is what they leave out:

- *DBpedia triples* of the linked entities. Left out are predicates that the vocabulary has no word for (language,
  mediaType, coverArtist, cinematography, editing: 2,274 triples) and previous or subsequent works that are not among
  the items; those that are become SIMILAR_TO.
- *Wikipedia categories and linked names of books* (the first release's metadata, which does not say how they are
  linked). A name that the DBpedia triples know has the type that it has there, and a person linked to a book is its
  author (held against triples about other books: right for 2,133 of 2,134); so is X where a category ends in "by X"
  (1,075 of 1,076). Items among the books become SIMILAR_TO, the other 4,710 names are Keywords.
- *Wikidata* statements of films. Links by title alone are kept: the cast agrees with DBpedia's in 17 of 22 films, with
  12 of 20 where the year agreed too. Left out are statements of other predicates (awards, broadcasters, collections)
  and everything about things that are no films of the data set, most of the 71,308 triples.
- *Film facts joined by title*. Joins by title alone are kept: 81 of 83 films agree with DBpedia on a person. Left out
  is the language.

`loaders.public._entity_facts` says which entities count as the same. A book and a film of one DBpedia entity are a
given SIMILAR_TO link: one is not the other, but they tell the same story.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from graph_schema.errors import unknown_name
from graph_schema.tables import LIKENESS
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile, locate, read_content
from loaders.pairing import assert_counts, pair
from loaders.public import _entity_facts as entity_facts

OPTIONS = ("direction",)
DIRECTIONS = ("books-to-movies", "movies-to-books")

_FOLDER = "amazon-kg-books-movies"
_RAW = "https://raw.githubusercontent.com/"
_SECOND_RELEASE = f"{_RAW}WangYuhan-0520/Amazon-KG-v2.0-dataset/09fe5f5239c687d2cd07f646a0d87b4fee2318f8"
_FIRST_RELEASE = f"{_RAW}WangYuhan-0520/Amazon-KG-dataset/d04a741d1a339f9cd9ace6cc5150b672bf8b58d0"
_BOOKS, _MOVIES = "Amazon-KG-5core-Books", "Amazon-KG-5core-Movies_and_TV"
_ENTITY2REC = "https://github.com/D2KLab/entity2rec/tree/380c1599ea5825bbb650c248f25bf42385b619bc/datasets"
_BOOK_GRAPH, _FILM_GRAPH = "LibraryThing", "Movielens1M"
_WIKIDATA = "https://github.com/tommasocarraro/SemNeSyKTRecSys/tree/a8f8f2c9556b28ccfb9623d6b5b5d218d11365ec"
_TITLE_TABLES = "https://github.com/tommasocarraro/LTNrec-knowledge-transfer"


def _file(name: str, url: str, sha256: str, made_from: str = "") -> RemoteFile:
    return RemoteFile(_FOLDER, name, url, sha256, made_from)


FILES = (
    _file("books.inter.tsv", f"{_SECOND_RELEASE}/{_BOOKS}/{_BOOKS}.inter",
          "68419962a5c53a2f39db9ee1f28f30729942ddf32d2d69f5bd99b1d35f7d50c7"),
    _file("books.link.tsv", f"{_SECOND_RELEASE}/{_BOOKS}/{_BOOKS}.link",
          "3ff75a54614478f2215800ffd0c6e11c75937f3ca57a7b85c829b2ee7bbe0dbb"),
    _file("movies.inter.tsv", f"{_SECOND_RELEASE}/{_MOVIES}/{_MOVIES}.inter",
          "3340e0f7026a829880ccb55f45f7cf0c4d65fb1e734cf500b8f7b419d1f06c51"),
    _file("movies.link.tsv", f"{_SECOND_RELEASE}/{_MOVIES}/{_MOVIES}.link",
          "47c647ef04ef373b4776c896bdfbd44daa2ef441fabfad176b33577dcc486d51"),
    _file("v1_items_books.tsv", f"{_FIRST_RELEASE}/items/items_Books.csv",
          "09c002072dfcbc50d6e82f72080efb5e0fe7f118647d08458f295e20ddfc1444"),
    _file("v1_item_metadata_books.txt", f"{_FIRST_RELEASE}/item_metadata/item_metadata_Books.csv",
          "27faf59c239568a80107e7e1a16285c0056f3fb459d45aeaae48c76466a71f89"),
    _file("dbpedia_triples.tsv", _ENTITY2REC, "18f31f35f33be239d8adfe79f46a12a550dfd6bc0f3fa572ae2f2adbb749a433",
          f"make it from the graphs of {_ENTITY2REC} with loaders.public.amazon_books_movies.build_folder"),
    _file("movies_titles_wikidata.tsv", _WIKIDATA, "e684c741f8877fe1fe021fd8bc833f9b217d7a30a5bfd61a0a7fe0781fe7e521",
          f"it was drawn from data/processed of {_WIKIDATA} (titles, links and why they were made), by no program "
          "of this project; put a copy there"),
    _file("wikidata_triples.tsv", _WIKIDATA, "996200d8d41a39bb13af098425f437f967ff9e8dfc6624bf2497b898cc0141a3",
          f"it was drawn from the music-to-film paths in data/kg_paths of {_WIKIDATA}, by no program of this project; "
          "put a copy there"),
    _file("movie_facts_by_title.tsv", _TITLE_TABLES,
          "6eb8b348afb48c1879e14f62b7b3f5848bd944c1d1e0bd23fc4db3341cfeee49",
          "it was joined by title from MovieLens (tommasocarraro/LTNrec-knowledge-transfer @ f197eec6), IMDB-5000 "
          "(LucasIssler/movie_metadata.csv @ 107a52b7) and Prime Video (DPkiran/amazon-prime-shows @ 6ef0c5ed), by no "
          "program of this project; put a copy there"),
)  # fmt: skip
"""Those of both releases are the origin's files, unchanged; the card says how the others came about."""

CARD = DataCard(
    name="amazon-books-movies",
    title="Amazon books and films, Amazon-KG: shared people, DBpedia links, readable names",
    url="https://github.com/WangYuhan-0520/Amazon-KG-v2.0-dataset",
    sha256={file.file: file.sha256 for file in FILES},
    origins={file.file: file.origin for file in FILES},
    size_bytes=18_423_918,
    licence="free for non-commercial academic or personal use; not to be distributed, changed or not; to be cited",
    redistributable=False,
    citation="Yuhan Wang, Qing Xie, Mengzi Tang, Lin Li, Jingling Yuan, Yongjian Liu: Amazon-KG: A Knowledge Graph "
    "Enhanced Cross-Domain Recommendation Dataset. SIGIR 2024, doi 10.1145/3626772.3657880. Facts: DBpedia (CC BY-SA "
    "3.0), Wikidata (CC0), MovieLens (GroupLens terms), two film tables without stated terms.",
    counts={
        "overlapping_users": 1_062,
        "links": 4,
        "books.users": 10_485,
        "books.items": 8_696,
        "books.interactions": 115_572,
        "books.facts": 52_590,
        "movies.users": 5_648,
        "movies.items": 4_896,
        "movies.interactions": 67_066,
        "movies.facts": 19_154,
    },
)


def load(root: Path, direction: str = "books-to-movies") -> CrossDomainDataset:
    """Load both domains; `direction` says which of them is the source.

    Raises:
        InputError: another direction, or files that are absent, damaged, or of other counts than the card's.
    """
    if direction not in DIRECTIONS:
        raise unknown_name(f'value of option direction of data set "{CARD.name}"', direction, DIRECTIONS)
    contents = {file.file: read_content(locate(root, file), file.sha256) for file in FILES}
    return assert_counts(parse(contents, direction), CARD)


def parse(contents: Mapping[str, bytes], direction: str = "books-to-movies") -> CrossDomainDataset:
    """Make the data set from the contents of the files, keyed by name."""
    tables = {name: entity_facts.read_table(content) for name, content in contents.items() if name.endswith(".tsv")}
    metadata = read_metadata(contents["v1_item_metadata_books.txt"])
    triples = tables["dbpedia_triples.tsv"]
    books, movies = _book_items(tables), _movie_items(tables)
    of_domain = {
        "books": _domain("books", "Book", books, tables, book_facts(books, triples, metadata)),
        "movies": _domain("movies", "Movie", movies, tables, movie_facts(movies, tables)),
    }
    source, target = (of_domain[name] for name in direction.split("-to-"))
    return pair(CARD.name, source, target, _same_entity(source, target))


def read_metadata(content: bytes) -> pd.DataFrame:
    """Read lines of an item and any number of names as rows item_id, name ("cat:..." and "res:...")."""
    lines = pd.Series(content.decode().split("\n")[1:], dtype="str")
    parts = lines[lines != ""].str.rstrip("\t").str.split("\t", n=1, expand=True)
    rows = pd.DataFrame({"item_id": parts[0], "name": parts[1].str.split("\t")}).explode("name", ignore_index=True)
    return rows.dropna().astype("str").drop_duplicates(ignore_index=True)


def book_facts(items: pd.DataFrame, triples: pd.DataFrame, metadata: pd.DataFrame) -> pd.DataFrame:
    """Facts of books from DBpedia triples and from the first release's metadata."""
    rows = metadata[metadata["item_id"].isin(items["item_id"])]
    is_category = rows["name"].str.startswith("cat:")
    categories, linked = rows[is_category], rows[rows["name"].str.startswith("res:")]
    works = items[["item_id", "dbpedia"]].rename(columns={"item_id": "other_id", "dbpedia": "name"})
    similar = entity_facts.similar_items(linked.merge(works, on="name"), "Book")
    linked = linked[~linked["name"].isin(items["dbpedia"])]
    predicate = name_predicates(linked["name"], triples, categories["name"])
    named = pd.concat([categories.assign(predicate="category"), linked.assign(predicate=predicate)])
    named = named.assign(name=entity_facts.readable(named["name"]))
    meanings = {**entity_facts.DBPEDIA, **entity_facts.PLAIN}
    return entity_facts.joined(
        _dbpedia_facts(triples, _BOOK_GRAPH, items, "Book"), similar, entity_facts.fact_table(named, "Book", meanings)
    )


def name_predicates(names: pd.Series, triples: pd.DataFrame, categories: pd.Series) -> pd.Series:
    """Say how each name that a book's page links is related to the book: "author", a DBpedia predicate, "keyword".

    The predicate that most triples have the name as the tail of decides; those of people all mean the author.
    """
    known = triples[triples["relation"].isin(list(entity_facts.DBPEDIA))]
    known = known.assign(
        predicate=known["relation"].mask(
            known["relation"].map(lambda name: entity_facts.DBPEDIA[name].entity_type) == "Person", "author"
        )
    )
    votes = known.groupby(["tail", "predicate"], sort=True).size().sort_values(kind="stable").reset_index()
    predicates = votes.drop_duplicates("tail", keep="last").set_index("tail")["predicate"]
    authors = "res:" + categories.str.extract(r"_by_(.+)$", expand=False).dropna()
    found = names.map(predicates).astype("str")
    return found.mask(found.isna() & names.isin(authors), "author").fillna("keyword")


def movie_facts(items: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Facts of films from DBpedia triples, from Wikidata, and from the tables joined by title."""
    by_title = tables["movie_facts_by_title.tsv"].rename(
        columns={"asin": "item_id", "relation": "predicate", "value": "name"}
    )
    by_title = by_title[by_title["item_id"].isin(items["item_id"])]
    films = tables["movies_titles_wikidata.tsv"][["asin", "wikidata_id"]]
    films = films[films["asin"].isin(items["item_id"]) & (films["wikidata_id"] != "")]
    statements = tables["wikidata_triples.tsv"].merge(films, left_on="head_id", right_on="wikidata_id")
    statements = statements[statements["tail_label"] != "no_label"]
    of_wikidata = statements[["asin", "property_id", "tail_label"]].set_axis(["item_id", "predicate", "name"], axis=1)
    return entity_facts.joined(
        _dbpedia_facts(tables["dbpedia_triples.tsv"], _FILM_GRAPH, items, "Movie"),
        entity_facts.fact_table(of_wikidata, "Movie", entity_facts.WIKIDATA),
        entity_facts.fact_table(by_title, "Movie", entity_facts.PLAIN),
    )


def build_folder(origin: Path, root: Path) -> Path:
    """Make `dbpedia_triples.tsv` in the data folder from the graphs of the repository D2KLab/entity2rec.

    Args:
        origin: the repository's folder `datasets`, with `LibraryThing/graphs` and `Movielens1M/graphs`.
        root: the folder of the data files; the link files of both domains are read there, or downloaded.

    Raises:
        InputError: a graph is absent or unreadable, or the triples are other ones than the card's.
    """
    links = [entity_facts.read_table(read_content(locate(root, file), file.sha256)) for file in (FILES[1], FILES[3])]
    linked = pd.concat(links)["entity_id:token"]
    triples = entity_facts.read_graphs(origin, {graph: graph for graph in (_BOOK_GRAPH, _FILM_GRAPH)})
    touching = triples[triples["head"].isin(linked) | triples["tail"].isin(linked)]
    file = next(file for file in FILES if file.file == "dbpedia_triples.tsv")
    return entity_facts.write_triples(touching.rename(columns={"graph": "origin"}), root, file)


def _dbpedia_facts(triples: pd.DataFrame, graph: str, items: pd.DataFrame, item_type: str) -> pd.DataFrame:
    """Read one graph only: what the other says of an entity that books and films share is said of the film or book."""
    return entity_facts.dbpedia_facts(triples[triples["origin"] == graph], items, item_type)


def _book_items(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    patterns = tables["v1_items_books.tsv"].drop_duplicates("iid").set_index("iid")["title"]
    return _items(tables["books.link.tsv"], "Book", patterns.str.replace(".*", " ", regex=False))


def _movie_items(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    titles = tables["movies_titles_wikidata.tsv"].set_index("asin")["title"]
    items = _items(tables["movies.link.tsv"], "Movie", titles)
    return items.assign(year=items["item_id"].map(_years(tables["movie_facts_by_title.tsv"])).astype("Int64"))


def _items(links: pd.DataFrame, item_type: str, shop_titles: pd.Series) -> pd.DataFrame:
    items = links.set_axis(["item_id", "dbpedia"], axis=1)
    titles = items["item_id"].map(shop_titles).astype("str").str.strip()
    names = entity_facts.readable(items["dbpedia"])
    items = items.assign(item_type=item_type, name=names, shop_title=titles.mask(titles == ""))
    return items[["item_id", "item_type", "name", "shop_title", "dbpedia"]]


def _years(facts: pd.DataFrame) -> pd.Series:
    """Return one year per film: that of a join by title and year, else of the entity's name, else the earliest."""
    trust = {"title+year": 0, "entity-name": 1, "title-unique": 2}
    years = facts[facts["relation"] == "year"].assign(trust=lambda rows: rows["match"].map(trust))
    chosen = years.sort_values(["asin", "trust", "value"]).drop_duplicates("asin").set_index("asin")["value"]
    return chosen.astype("int64")


def _domain(
    domain: str, item_type: str, items: pd.DataFrame, tables: Mapping[str, pd.DataFrame], facts: pd.DataFrame
) -> DomainTables:
    rows = tables[f"{domain}.inter.tsv"].iloc[:, :2].set_axis(["user_id", "item_id"], axis=1)
    return DomainTables(domain, item_type, rows[["user_id"]].drop_duplicates(), items, rows, facts, CARD)


def _same_entity(source: DomainTables, target: DomainTables) -> pd.DataFrame:
    both = source.items[["item_id", "dbpedia"]].merge(target.items[["item_id", "dbpedia"]], on="dbpedia")
    links = both.set_axis(["source_id", "evidence", "target_id"], axis=1)
    return links.assign(node_type="Item", confidence=1.0, method="given", relation=LIKENESS)
