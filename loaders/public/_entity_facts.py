"""Facts from sources that name the same things in different ways: DBpedia, Wikidata, and tables of plain names.

An entity's id is its readable name, case folded, within its type. So "res:Stephen_King" of DBpedia, the Wikidata item
labelled "Stephen King" and the words "Stephen King" of a film table are one Person, in both domains. A name that
DBpedia tells apart ("David Connell (cinematographer)") stays apart. Two people of exactly one name become one: that is
the price. Genres lose the medium in their names ("crime film" and "Crime fiction" are both *crime*), since a genre that
books and films share is what a bridge can use; a few places have a second name.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from urllib.parse import unquote

import pandas as pd

from graph_schema.errors import InputError
from graph_schema.tables import FACTS, LIKENESS
from loaders.download import RemoteFile
from loaders.files import new_file

RESOURCE = "http://dbpedia.org/resource/"

_SECOND_NAMES = {"usa": "united states", "uk": "united kingdom", "sci-fi": "science fiction"}
_MEDIUM = r"\s+(?:\(genre\)|films?|movies?|fiction|novels?|literature|books?)$"


@dataclass(frozen=True)
class Meaning:
    """What a source's predicate means in the vocabulary; `entity_is_head`: the entity acted in the item, say."""

    relation: str
    entity_type: str
    entity_is_head: bool = False


_AUTHORED, _DIRECTED = Meaning("AUTHORED_BY", "Person"), Meaning("DIRECTED_BY", "Person")
_ACTED = Meaning("ACTED_IN", "Person", entity_is_head=True)
_COMPOSED, _PRODUCED = Meaning("COMPOSED_BY", "Person"), Meaning("PRODUCED_BY", "Person")
_PERFORMED = Meaning("PERFORMED_BY", "Person")
_PUBLISHED = Meaning("PUBLISHED_BY", "Organisation")
_GENRE, _KEYWORD = Meaning("HAS_GENRE", "Genre"), Meaning("HAS_KEYWORD", "Keyword")
_PLACE, _SERIES = Meaning("LOCATED_IN", "Place"), Meaning("PART_OF_SERIES", "Series")

DBPEDIA: Mapping[str, Meaning] = {
    "dbo:author": _AUTHORED,
    "dbo:writer": _AUTHORED,
    "dbo:director": _DIRECTED,
    "dbo:starring": _ACTED,
    "dbo:musicComposer": _COMPOSED,
    "dbo:producer": _PRODUCED,
    "dbo:bandMember": _PERFORMED,
    "dbo:formerBandMember": _PERFORMED,
    "dbo:publisher": _PUBLISHED,
    "dbo:distributor": _PUBLISHED,
    "dbo:recordLabel": _PUBLISHED,
    "dbo:literaryGenre": _GENRE,
    "dbo:genre": _GENRE,
    "dbo:series": _SERIES,
    "dbo:country": _PLACE,
    "dbo:hometown": _PLACE,
    "dbo:birthPlace": _PLACE,
    "dbo:instrument": _KEYWORD,
    "dbo:occupation": _KEYWORD,
}
"""Left out, because the vocabulary has no word for them: language, mediaType, coverArtist, cinematography, editing."""

DBPEDIA_BETWEEN_ITEMS = ("dbo:previousWork", "dbo:subsequentWork", "dbo:associatedBand", "dbo:associatedMusicalArtist")
"""Become SIMILAR_TO, where the other end is an item of the same domain."""

WIKIDATA: Mapping[str, Meaning] = {
    "P136": _GENRE,
    "P161": _ACTED,
    "P57": _DIRECTED,
    "P58": _AUTHORED,
    "P50": _AUTHORED,
    "P86": _COMPOSED,
    "P162": _PRODUCED,
    "P175": _PERFORMED,
    "P272": Meaning("PRODUCED_BY", "Organisation"),
    "P123": _PUBLISHED,
    "P264": _PUBLISHED,
    "P840": _PLACE,
    "P921": _KEYWORD,
    "P179": _SERIES,
    "P8345": _SERIES,
}
"""Genre, cast member, director, screenwriter, author, composer, producer, performer, production company, publisher,
record label, narrative location, main subject, part of the series, media franchise."""

PLAIN: Mapping[str, Meaning] = {
    "genre": _GENRE,
    "actor": _ACTED,
    "director": _DIRECTED,
    "keyword": _KEYWORD,
    "country": _PLACE,
    "category": Meaning("IN_CATEGORY", "Category"),
    "author": _AUTHORED,
    "performer": _PERFORMED,
}
"""Predicates of tables of plain names; `language` and `year` are no facts."""


def read_table(content: bytes, names: list[str] | None = None, separator: str = "\t") -> pd.DataFrame:
    """Read a table of texts in which quotes mean nothing and nothing means missing; `names` where it has no header."""
    return pd.read_csv(
        BytesIO(content), sep=separator, names=names, header=None if names else 0, dtype="str",
        keep_default_na=False, quoting=3,
    )


def resource(names: pd.Series) -> pd.Series:
    """Write DBpedia addresses in the short way: ``http://dbpedia.org/resource/Heat`` is ``res:Heat``."""
    short: pd.Series = names.str.replace(RESOURCE, "res:", regex=False)
    return short


def readable(names: pd.Series) -> pd.Series:
    """Return the words of DBpedia names: no prefix, no underscores, nothing percent-encoded (some are so twice)."""
    words = names.str.replace(r"^[a-z]+:", "", regex=True).str.replace("_", " ", regex=False)
    encoded = words.str.contains("%", regex=False).to_numpy(dtype=bool, na_value=False)
    if encoded.any():
        words = words.mask(encoded, words[encoded].map(lambda text: unquote(unquote(text))))
    return words.str.strip()


def entity_ids(names: pd.Series, types: pd.Series) -> pd.Series:
    """Return the ids of entities by their names and types; see above."""
    folded = names.str.casefold().str.replace(r"\s+", " ", regex=True).str.strip()
    folded = folded.replace(_SECOND_NAMES)
    genre = (types == "Genre") & (folded != "science fiction")
    return folded.mask(genre, folded.str.replace(_MEDIUM, "", regex=True))


def fact_table(rows: pd.DataFrame, item_type: str, meanings: Mapping[str, Meaning]) -> pd.DataFrame:
    """Make facts from rows item_id, predicate, name; predicates without a meaning and empty names give none."""
    known = rows[rows["predicate"].isin(list(meanings)) & (rows["name"] != "")]
    kinds = {key: (kind.relation, kind.entity_type, kind.entity_is_head) for key, kind in meanings.items()}
    words = pd.DataFrame.from_dict(kinds, orient="index", columns=["relation", "type", "is_head"])
    kind = words.reindex(known["predicate"]).reset_index(drop=True)
    item, name = known["item_id"].reset_index(drop=True), known["name"].reset_index(drop=True)
    entity, is_head = entity_ids(name, kind["type"]), kind["is_head"].astype(bool)
    facts = pd.DataFrame(
        {
            "head_id": item.mask(is_head, entity),
            "head_type": kind["type"].where(is_head, item_type),
            "relation": kind["relation"],
            "tail_id": entity.mask(is_head, item),
            "tail_type": kind["type"].mask(is_head, item_type),
            "head_name": name.where(is_head),
            "tail_name": name.mask(is_head),
        }
    )
    return facts[(entity != "").to_numpy()]


def similar_items(rows: pd.DataFrame, item_type: str) -> pd.DataFrame:
    """Make facts from rows item_id, other_id: each pair once, whichever end comes first."""
    first, second = rows["item_id"], rows["other_id"]
    apart = rows[first != second].assign(
        low=first.where(first < second, second), high=second.where(first < second, first)
    )
    apart = apart.drop_duplicates(["low", "high"])
    return pd.DataFrame(
        {
            "head_id": apart["item_id"],
            "head_type": item_type,
            "relation": LIKENESS,
            "tail_id": apart["other_id"],
            "tail_type": item_type,
        }
    )


def joined(*tables: pd.DataFrame) -> pd.DataFrame:
    """Put facts of several sources together; what two of them say is kept once, with the first one's name."""
    every = pd.concat([table.reindex(columns=list(FACTS.names)) for table in tables], ignore_index=True)
    keys = ["head_id", "head_type", "relation", "tail_id", "tail_type"]
    facts = every.drop_duplicates(keys, ignore_index=True)
    for end in ("head", "tail"):
        facts = facts.assign(**{f"{end}_name": facts[f"{end}_name"].astype("str")})
    return facts


def dbpedia_facts(triples: pd.DataFrame, items: pd.DataFrame, item_type: str) -> pd.DataFrame:
    """Type the triples (head, relation, tail) of items (item_id, dbpedia); blank nodes and literal tails give none."""
    of_items = triples.merge(items[["item_id", "dbpedia"]], left_on="head", right_on="dbpedia")
    named = of_items["tail"].str.startswith("res:") & ~of_items["tail"].str.contains(r"__\d+$", regex=True)
    of_items = of_items[named]
    rows = pd.DataFrame(
        {"item_id": of_items["item_id"], "predicate": of_items["relation"], "name": readable(of_items["tail"])}
    )
    between = of_items[of_items["relation"].isin(DBPEDIA_BETWEEN_ITEMS)]
    others = items[["item_id", "dbpedia"]].rename(columns={"item_id": "other_id", "dbpedia": "tail"})
    pairs = between[["item_id", "tail"]].merge(others, on="tail")
    return joined(fact_table(rows, item_type, DBPEDIA), similar_items(pairs, item_type))


def read_graphs(origin: Path, graphs: Mapping[str, str]) -> pd.DataFrame:
    """Read the DBpedia graphs of entity2rec: head, relation, tail, graph, sorted, nothing twice.

    Args:
        origin: its folder `datasets`, which has a folder `<data set>/graphs` with a file per predicate,
            `dbo:<name>.edgelist`, whose lines are two DBpedia addresses.
        graphs: data set -> what to call its graph.

    Raises:
        InputError: a folder without such files.
    """
    tables = []
    for data_set, graph in graphs.items():
        paths = sorted((origin / data_set / "graphs").glob("dbo:*.edgelist"))
        if not paths:
            raise InputError(f'"{origin / data_set / "graphs"}" has no dbo:*.edgelist; give the folder datasets')
        for path in paths:
            if path.stem == "dbo:feedback":
                continue
            lines = pd.Series(path.read_text("utf-8").split("\n"), dtype="str")
            ends = resource(lines[lines != ""]).str.split(" ", n=1, expand=True)
            tables.append(pd.DataFrame({"head": ends[0], "relation": path.stem, "tail": ends[1], "graph": graph}))
    every = pd.concat(tables).drop_duplicates()
    return every.sort_values(["graph", "head", "relation", "tail"], ignore_index=True)


def write_triples(triples: pd.DataFrame, root: Path, file: RemoteFile) -> Path:
    """Write triples as a gzipped table below the data folder, if they are the ones that the checksum says.

    Raises:
        InputError: other triples, or a folder that may not be written.
    """
    content = triples.to_csv(sep="\t", index=False, lineterminator="\n", quoting=3)
    found = hashlib.sha256(content.encode()).hexdigest()
    if found != file.sha256:
        raise InputError(
            f"the triples of the graphs are not those of {file.file}: sha256 is {found}, expected {file.sha256} "
            f"({len(triples):,} triples); take the graphs from {file.url}"
        )
    place = root / file.folder / f"{file.file}.gz"
    with new_file(place) as draft:
        draft.write_bytes(gzip.compress(content.encode(), mtime=0))
    return place
