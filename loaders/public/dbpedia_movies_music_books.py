"""Films, music and books that DBpedia knows, and three crowds that share no user: facts are the only bridge.

Any two of `movies` (MovieLens ml-latest-small, ratings 0.5 to 5), `music` (Last.fm, HetRec 2011: artists listened to)
and `books` (Facebook likes; or the published tenth of LibraryThing, ratings 1 to 10, 33 repeated rows kept once). Equal
user numbers mean nothing, so ids bear their domain: "movies:1" is not "books:1". Items are those with interactions.

The recordings of an artist are an item of type Artist; the human being, whom films and books speak of too, is a Person:
where any triple of the three domains uses an artist's entity as a person, the artist is PERFORMED_BY that person, and
members of bands likewise. `loaders.public._entity_facts` says what predicates mean, which are left out (language,
mediaType, coverArtist, cinematography, editing: 12,828 triples of 192,944; and works or artists that are no items), and
which entities count as the same. Films have MovieLens' genres besides, not its free tags, since users made them.

Held-out rows are those of the origin: test rows of Facebook's books, validation and test rows of music; films and
LibraryThing come without. Where a held-out domain lacks validation rows, the split `fixed_files` makes some with
``choose_on="training_rows"``. ``rows="liked"`` keeps, of explicit ratings, those from 3.5 of 5 or 7 of 10 upwards as
implicit interactions: a scale that both domains share there is not, so no common threshold can be given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

import pandas as pd

from graph_schema.errors import InputError, unknown_name
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile, locate, read_content
from loaders.pairing import FIXED_COLUMNS, assert_counts, pair
from loaders.public import _entity_facts as entity_facts

OPTIONS = ("source", "target", "books", "rows")
DOMAINS = ("movies", "music", "books")
BOOKS = ("facebook", "librarything")
ROWS = ("all", "liked")

_FOLDER = "dbpedia-movies-music-books"
_RAW = "https://raw.githubusercontent.com/"
_ENTITY2REC = "D2KLab/entity2rec/{}380c1599ea5825bbb650c248f25bf42385b619bc/datasets"
_LASTFM = f"{_RAW}{_ENTITY2REC.format('')}/LastFM"
_GRAPHS = f"https://github.com/{_ENTITY2REC.format('tree/')}"
_MOVIELENS = f"{_RAW}tommasocarraro/LTNrec-knowledge-transfer/f197eec67308ca66af8437247fdeacee04123f0d/datasets"
_FACEBOOK = f"{_RAW}sisinflab/LinkedDatasets/bdfc9fa4c60312734efba2cbdf3695e6c38b0a49/facebook_books"
_MAPPING = f"{_RAW}sisinflab/LODrecsys-datasets/1f091b8b312ff2eff00a7e4b4b7cfa390bfe16fa/Movielens1M"
_TRIPLES = "dbpedia_triples.tsv"


def _file(name: str, url: str, sha256: str, made_from: str = "") -> RemoteFile:
    return RemoteFile(_FOLDER, name, url, sha256, made_from)


FILES = (
    _file("movies_movielens_ratings.csv", f"{_MOVIELENS}/ml-latest-small/ratings.csv",
          "80da8b3393dae325bbba5a31f291a6ba55d8d4f4396de3c456f2c1635b1b70e8"),
    _file("movies_movielens_movies.csv", f"{_MOVIELENS}/ml-latest-small/movies.csv",
          "d2ad68decb5d1e6b17f546de1309d9809c07126b924334eef7be1fe27a53532e"),
    _file("movies_movielens_dbpedia.tsv", f"{_MAPPING}/MappingMovielens2DBpedia-1.2.tsv",
          "b7ae707e6f34dc7ed25a9a6bce50748190255af1e4fb57a1c38a53a5c8f3aa62"),
    _file("music_lastfm_train.dat", f"{_LASTFM}/train.dat",
          "5fafe70af7cb31b3d0ece9978d173630e2185113ae2635371ac4d8128ecdcaf9"),
    _file("music_lastfm_val.dat", f"{_LASTFM}/val.dat",
          "04d397491c63f6b6e7dd775e31d0aa9a3aae9161ec43632ed5a9432f817c6b63"),
    _file("music_lastfm_test.dat", f"{_LASTFM}/test.dat",
          "563b8dc01a5c236db39e379e9637ef014614566eee808f692d3567112ea5f704"),
    _file("music_lastfm_mapping.tsv", f"{_LASTFM}/original/mappings.tsv",
          "6cf44b554e26d2e1214255b8f280e9d3eb85ac6bf5900a7d75f908aa15e2702b"),
    _file("books_facebook_trainingset.tsv", f"{_FACEBOOK}/trainingset.tsv",
          "bf47f6672406816bb2e16c32aa61645e14b9ac4d809533a742782cedd2babf56"),
    _file("books_facebook_testset.tsv", f"{_FACEBOOK}/testset.tsv",
          "2261cec3ec8126a3f22b24764cc2d6200f330d24cbc00e42d6d847fbafe431d6"),
    _file("books_facebook_mappingLinkedData.tsv", f"{_FACEBOOK}/mappingLinkedData.tsv",
          "0f3369cce610c01b66ac32ea1e85605e0605e395ce978b8fcd5603c82ad254c3"),
    _file("books_librarything_sample.dat", f"{_RAW}{_ENTITY2REC.format('')}/LibraryThing/val.dat",
          "4747116e25f2700dfd11fadfa69de6e01a948ffd359e566add7f5f1f166d42a6"),
    _file(_TRIPLES, _GRAPHS, "4f4d35a1f3e2c7a498b334d896bb8c7a5d7c7716e524a95a3b5bcf9bd48ab72e",
          f"make it from {_GRAPHS} with loaders.public.dbpedia_movies_music_books.build_folder"),
)  # fmt: skip
"""All but the triples are the origins' files, unchanged."""

_FILE = {file.file: file for file in FILES}

_CARD = DataCard(
    name="dbpedia-movies-music-books",
    title="MovieLens, Last.fm and books in DBpedia: no shared user, a shared graph",
    url=_GRAPHS,
    sha256={file.file: file.sha256 for file in FILES},
    origins={file.file: file.origin for file in FILES},
    size_bytes=22_551_347,
    licence="research only (GroupLens terms; HetRec 2011); DBpedia is CC BY-SA 3.0; books: not stated",
    redistributable=False,
    citation="F. Maxwell Harper, Joseph A. Konstan: The MovieLens Datasets, TiiS 5 (4), 2015. Ivan Cantador, Peter "
    "Brusilovsky, Tsvi Kuflik: HetRec 2011. Enrico Palumbo, Giuseppe Rizzo, Raphael Troncy: entity2rec, RecSys 2017. "
    "Linked Open Data-enabled Recommender Systems Challenge, ESWC 2015. DBpedia.",
)


@dataclass(frozen=True)
class _Parts:
    """A domain before its facts: items with their columns, rows per part ("train", "valid", "test")."""

    item_type: str
    items: pd.DataFrame
    rows: Mapping[str, pd.DataFrame]
    facts: pd.DataFrame


def card_of(source: str = "movies", target: str = "books", books: str = "facebook", rows: str = "all") -> DataCard:
    """Return the card with the counts that these options give; InputError for an unknown option."""
    _check(source, target, books, rows)
    counts = {"overlapping_users": 0, "links": 0}
    for domain in (source, target):
        kind = books if domain == "books" else domain
        own = {**_COUNTS[kind], **(_LIKED[kind] if rows == "liked" and kind in _LIKED else {})}
        counts |= {f"{domain}.{name}": value for name, value in own.items()}
    return replace(_CARD, counts=counts)


def load(
    root: Path, source: str = "movies", target: str = "books", books: str = "facebook", rows: str = "all"
) -> CrossDomainDataset:
    """Load two of the three domains.

    Args:
        root: the folder of the data files.
        source: "movies", "music" or "books".
        target: another of them.
        books: whose books, "facebook" or "librarything".
        rows: "all", or "liked": high ratings only, without their values.

    Raises:
        InputError: an unknown option, or files that are absent, damaged, or of other counts than the card's.
    """
    card = card_of(source, target, books, rows)
    kinds = [books if domain == "books" else domain for domain in (source, target)]
    names = [name for kind in kinds for name in _NEEDED[kind]] + [_TRIPLES]
    contents = {name: read_content(locate(root, _FILE[name]), _FILE[name].sha256) for name in names}
    return assert_counts(parse(contents, source, target, books, rows), card)


def parse(
    contents: Mapping[str, bytes], source: str, target: str, books: str = "facebook", rows: str = "all"
) -> CrossDomainDataset:
    """Make the data set from the contents of the files, keyed by name."""
    card = card_of(source, target, books, rows)
    triples = entity_facts.read_table(contents[_TRIPLES])
    people = _people(triples)
    domains, held_out = [], []
    for domain in (source, target):
        parts = _READERS[books if domain == "books" else domain](contents, rows == "liked")
        own = triples[triples["domain"] == domain]
        domains.append(_tables(domain, parts, own, people, card))
        held_out += [
            (part, table.assign(user_id=f"{domain}:" + table["user_id"], domain=domain)[FIXED_COLUMNS])
            for part, table in parts.rows.items()
            if part != "train"
        ]
    names = dict.fromkeys(part for part, _ in held_out)
    fixed = {name: pd.concat([table for part, table in held_out if part == name]) for name in names}
    return pair(f"dbpedia-{source}-{target}", domains[0], domains[1], fixed=fixed)


def build_folder(origin: Path, root: Path) -> Path:
    """Make `dbpedia_triples.tsv` in the data folder from the graphs of the repository D2KLab/entity2rec.

    Args:
        origin: the repository's folder `datasets`, with `LibraryThing/graphs`, `Movielens1M/graphs`, `LastFM/graphs`.
        root: the folder of the data files.

    Raises:
        InputError: a graph is absent or unreadable, or the triples are other ones than the card's.
    """
    graphs = {"LibraryThing": "books", "Movielens1M": "movies", "LastFM": "music"}
    triples = entity_facts.read_graphs(origin, graphs).rename(columns={"graph": "domain"})
    return entity_facts.write_triples(triples, root, _FILE[_TRIPLES])


def _check(source: str, target: str, books: str, rows: str) -> None:
    for option, value, choices in (
        ("source", source, DOMAINS), ("target", target, DOMAINS), ("books", books, BOOKS), ("rows", rows, ROWS),
    ):
        if value not in choices:
            raise unknown_name(f'value of option {option} of data set "{_CARD.name}"', value, choices)
    if source == target:
        raise InputError(f'data set "{_CARD.name}": source and target are both "{source}"; choose two domains')


def _people(triples: pd.DataFrame) -> pd.Series:
    """Return the entities that some triple speaks of as a person."""
    personal = [name for name, meaning in entity_facts.DBPEDIA.items() if meaning.entity_type == "Person"]
    return triples.loc[triples["relation"].isin(personal), "tail"].drop_duplicates()


def _tables(
    domain: str, parts: _Parts, triples: pd.DataFrame, people: pd.Series, card: DataCard
) -> DomainTables:
    rows = pd.concat(parts.rows.values(), ignore_index=True)
    rows = rows.assign(user_id=f"{domain}:" + rows["user_id"])
    facts = [entity_facts.dbpedia_facts(triples, parts.items, parts.item_type), parts.facts]
    if parts.item_type == "Artist":
        human = parts.items[parts.items["dbpedia"].isin(people)]
        selves = human.assign(predicate="performer", name=entity_facts.readable(human["dbpedia"]))
        facts.append(entity_facts.fact_table(selves, "Artist", entity_facts.PLAIN))
    items = parts.items.assign(item_type=parts.item_type)
    users = rows[["user_id"]].drop_duplicates()
    return DomainTables(domain, parts.item_type, users, items, rows, entity_facts.joined(*facts), card)


def _movies(contents: Mapping[str, bytes], liked: bool) -> _Parts:
    ratings = _csv(contents["movies_movielens_ratings.csv"])
    ratings = ratings.set_axis(["user_id", "item_id", "rating", "timestamp"], axis=1)
    rows = ratings.assign(rating=ratings["rating"].astype("float64"), timestamp=ratings["timestamp"].astype("int64"))
    films = _csv(contents["movies_movielens_movies.csv"]).set_axis(["item_id", "name", "genres"], axis=1)
    linked = entity_facts.read_table(contents["movies_movielens_dbpedia.tsv"], ["item_id", "title", "address"])
    items = ratings[["item_id"]].drop_duplicates().merge(films[["item_id", "name"]], how="left")
    items = items.merge(linked, how="left")
    year = items["name"].str.extract(r"\((\d{4})\)\s*$", expand=False).astype("Int64")
    names = items["name"].fillna(items["title"]).fillna("untitled film " + items["item_id"])
    items = items.assign(name=names, year=year, dbpedia=entity_facts.resource(items["address"]))
    genres = films.assign(predicate="genre", name=films["genres"].str.split("|")).explode("name")
    genres = genres[(genres["name"] != "(no genres listed)") & genres["item_id"].isin(items["item_id"])]
    facts = entity_facts.fact_table(genres, "Movie", entity_facts.PLAIN)
    return _Parts("Movie", items[["item_id", "name", "year", "dbpedia"]], {"train": _chosen(rows, liked, 3.5)}, facts)


def _music(contents: Mapping[str, bytes], liked: bool) -> _Parts:
    files = {"train": "music_lastfm_train.dat", "valid": "music_lastfm_val.dat", "test": "music_lastfm_test.dat"}
    rows = {part: _rated_resources(contents[file])[["user_id", "dbpedia"]] for part, file in files.items()}
    mapping = entity_facts.read_table(contents["music_lastfm_mapping.tsv"], ["number", "name", "address"])
    names = mapping.drop_duplicates("address").set_index(entity_facts.resource(mapping["address"]).drop_duplicates())
    items = _items_of_resources(pd.concat(rows.values()))
    items = items.assign(name=items["dbpedia"].map(names["name"]).astype("str").fillna(items["name"]))
    return _Parts("Artist", items, {part: _with_items(table) for part, table in rows.items()}, _NO_FACTS)


def _facebook(contents: Mapping[str, bytes], liked: bool) -> _Parts:
    files = {"train": "books_facebook_trainingset.tsv", "test": "books_facebook_testset.tsv"}
    names = ["user_id", "item_id", "like"]
    rows = {part: entity_facts.read_table(contents[file], names)[names[:2]] for part, file in files.items()}
    mapping = entity_facts.read_table(contents["books_facebook_mappingLinkedData.tsv"], ["item_id", "dbpedia"])
    items = pd.concat(rows.values())[["item_id"]].drop_duplicates().merge(mapping, how="left")
    items = items.assign(dbpedia=entity_facts.resource(items["dbpedia"]))
    items = items.assign(name=entity_facts.readable(items["dbpedia"]))
    return _Parts("Book", items[["item_id", "name", "dbpedia"]], rows, _NO_FACTS)


def _librarything(contents: Mapping[str, bytes], liked: bool) -> _Parts:
    rows = _rated_resources(contents["books_librarything_sample.dat"]).drop_duplicates(["user_id", "dbpedia"])
    items = _items_of_resources(rows)
    rated = _with_items(rows).assign(rating=rows["rating"].astype("float64").to_numpy())
    return _Parts("Book", items, {"train": _chosen(rated, liked, 7)}, _NO_FACTS)


_READERS: Mapping[str, Callable[[Mapping[str, bytes], bool], _Parts]] = {
    "movies": _movies,
    "music": _music,
    "facebook": _facebook,
    "librarything": _librarything,
}

_NEEDED: Mapping[str, tuple[str, ...]] = {
    "movies": tuple(name for name in _FILE if name.startswith("movies")),
    "music": tuple(name for name in _FILE if name.startswith("music")),
    "facebook": tuple(name for name in _FILE if name.startswith("books_facebook")),
    "librarything": ("books_librarything_sample.dat",),
}

_NO_FACTS = entity_facts.fact_table(
    pd.DataFrame({"item_id": [], "predicate": [], "name": []}, dtype="str"), "Item", entity_facts.PLAIN
)


def _csv(content: bytes) -> pd.DataFrame:
    return pd.read_csv(BytesIO(content), dtype="str", keep_default_na=False)


def _rated_resources(content: bytes) -> pd.DataFrame:
    """Read lines "user address rating -1"."""
    rows = entity_facts.read_table(content, ["user_id", "dbpedia", "rating", "end"], separator=" ")
    return rows.assign(dbpedia=entity_facts.resource(rows["dbpedia"]))


def _items_of_resources(rows: pd.DataFrame) -> pd.DataFrame:
    """Make items of the DBpedia entities of interactions; an item's id is the entity's name."""
    entities = rows["dbpedia"].drop_duplicates().reset_index(drop=True)
    ids = entities.str.removeprefix("res:")
    return pd.DataFrame({"item_id": ids, "name": entity_facts.readable(entities), "dbpedia": entities})


def _with_items(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"user_id": rows["user_id"], "item_id": rows["dbpedia"].str.removeprefix("res:")})


def _chosen(rows: pd.DataFrame, liked: bool, threshold: float) -> pd.DataFrame:
    return rows[rows["rating"] >= threshold].drop(columns="rating") if liked else rows


_COUNTS: Mapping[str, Mapping[str, int]] = {
    "movies": {"users": 610, "items": 9_724, "interactions": 100_836, "facts": 48_303},
    "music": {"users": 1_865, "items": 9_765, "interactions": 78_633, "facts": 76_480, "valid": 7_872, "test": 15_809},
    "facebook": {"users": 1_398, "items": 2_933, "interactions": 18_978, "facts": 5_554, "test": 3_744},
    "librarything": {"users": 6_789, "items": 7_756, "interactions": 40_966, "facts": 26_267},
}
_LIKED: Mapping[str, Mapping[str, int]] = {
    "movies": {"users": 609, "interactions": 61_716},
    "librarything": {"users": 6_454, "interactions": 29_390},
}
"""What ``rows="liked"`` changes."""
