"""What DBpedia, Wikidata and tables of names say about items, brought into one vocabulary."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pandas as pd
import pytest

from graph_schema import SCHEMA, InputError
from loaders.download import RemoteFile, read_content
from loaders.public import _entity_facts as entity_facts

KEYS = ["head_id", "head_type", "relation", "tail_id", "tail_type"]


def triples(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["head", "relation", "tail"], dtype="str")


def test_names_are_words_also_where_they_were_encoded_twice() -> None:
    named = ["res:Heat_(1995_film)", "cat:Novels_by_X", "res:Belinda_Peregr%25C3%25ADn", "res:Why%3F", "50%_off"]
    names = pd.Series(named)
    assert entity_facts.readable(names).tolist() == [
        "Heat (1995 film)", "Novels by X", "Belinda Peregrín", "Why?", "50% off",
    ]  # fmt: skip


def test_one_name_of_one_type_is_one_entity() -> None:
    named = [
        ("Stephen  King", "Person", "stephen king"),
        ("King (actor)", "Person", "king (actor)"),
        ("Crime fiction", "Genre", "crime"),
        ("crime film", "Genre", "crime"),
        ("Fantasy (genre)", "Genre", "fantasy"),
        ("Science fiction", "Genre", "science fiction"),
        ("Sci-Fi", "Genre", "science fiction"),
        ("Science fiction film", "Genre", "science fiction"),
        ("Crime fiction", "Keyword", "crime fiction"),
        ("USA", "Place", "united states"),
    ]
    names, types, ids = (pd.Series(column) for column in zip(*named, strict=True))
    assert entity_facts.entity_ids(names, types).tolist() == ids.tolist()


def test_triples_become_facts_of_the_vocabulary() -> None:
    items = pd.DataFrame({"item_id": ["1", "2"], "dbpedia": ["res:Heat", "res:Heat_2"]})
    given = triples(
        ("res:Heat", "dbo:starring", "res:Al_Pacino"),
        ("res:Heat", "dbo:director", "res:Michael_Mann"),
        ("res:Heat", "dbo:language", "res:English_language"),
        ("res:Heat", "dbo:director", "res:Heat__1"),
        ("res:Heat", "dbo:director", '"Mann"@en'),
        ("res:Heat", "dbo:subsequentWork", "res:Heat_2"),
        ("res:Heat_2", "dbo:previousWork", "res:Heat"),
        ("res:Heat_2", "dbo:previousWork", "res:Unknown"),
        ("res:Ali", "dbo:director", "res:Michael_Mann"),
    )
    facts = entity_facts.dbpedia_facts(given, items, "Movie")
    assert facts[KEYS].to_numpy().tolist() == [
        ["al pacino", "Person", "ACTED_IN", "1", "Movie"],
        ["1", "Movie", "DIRECTED_BY", "michael mann", "Person"],
        ["1", "Movie", "SIMILAR_TO", "2", "Movie"],
    ]
    assert facts["head_name"].tolist()[0] == "Al Pacino"
    assert facts["tail_name"].tolist()[1] == "Michael Mann"
    assert facts[["head_name", "tail_name"]].isna().sum().tolist() == [2, 2]


def test_what_two_sources_say_is_said_once() -> None:
    rows = pd.DataFrame({"item_id": ["1", "1"], "predicate": ["genre", "country"], "name": ["Crime", "USA"]})
    statements = pd.DataFrame(
        {"item_id": ["1", "1"], "predicate": ["P136", "P840"], "name": ["crime film", "United States"]}
    )
    facts = entity_facts.joined(
        entity_facts.fact_table(rows, "Movie", entity_facts.PLAIN),
        entity_facts.fact_table(statements, "Movie", entity_facts.WIKIDATA),
    )
    assert facts[["relation", "tail_id", "tail_name"]].to_numpy().tolist() == [
        ["HAS_GENRE", "crime", "Crime"], ["LOCATED_IN", "united states", "USA"],
    ]  # fmt: skip


@pytest.mark.parametrize("item_type", ["Book", "Movie", "Artist"])
def test_every_meaning_is_an_edge_type_of_the_vocabulary(item_type: str) -> None:
    for meanings in (entity_facts.DBPEDIA, entity_facts.WIKIDATA, entity_facts.PLAIN):
        for meaning in meanings.values():
            ends = (item_type, meaning.entity_type)
            head, tail = reversed(ends) if meaning.entity_is_head else ends
            assert SCHEMA.edge_type(head, meaning.relation, tail).relation == meaning.relation


def graph_folder(folder: Path, rows: pd.DataFrame) -> None:
    """Write triples (head, relation, tail) the way that the graphs of entity2rec have them, in another order."""
    folder.mkdir(parents=True)
    shuffled = rows.sample(frac=1.0, random_state=3)
    for relation, lines in shuffled.groupby("relation"):
        heads = lines["head"].str.replace("res:", entity_facts.RESOURCE, n=1, regex=False)
        tails = lines["tail"].str.replace(r"^res:", entity_facts.RESOURCE, regex=True)
        (folder / f"{relation}.edgelist").write_text("\n".join(heads + " " + tails) + "\n", "utf-8")


def test_graphs_become_one_sorted_table(tmp_path: Path) -> None:
    literal = ("res:B", "dbo:author", '"A man"@en')
    given = triples(literal, ("res:A", "dbo:series", "res:S"), ("res:A", "dbo:author", "res:P"))
    graph_folder(tmp_path / "origin" / "LibraryThing" / "graphs", given)
    (tmp_path / "origin" / "LibraryThing" / "graphs" / "dbo:feedback.edgelist").write_text("u1 i1\n")
    found = entity_facts.read_graphs(tmp_path / "origin", {"LibraryThing": "books"})
    assert found.to_numpy().tolist() == [
        ["res:A", "dbo:author", "res:P", "books"],
        ["res:A", "dbo:series", "res:S", "books"],
        ["res:B", "dbo:author", '"A man"@en', "books"],
    ]
    content = b'head\trelation\ttail\tgraph\nres:A\tdbo:author\tres:P\tbooks\nres:A\tdbo:series\tres:S\tbooks\n'
    content += b'res:B\tdbo:author\t"A man"@en\tbooks\n'
    file = RemoteFile("folder", "t.tsv", "https://example.org", hashlib.sha256(content).hexdigest())
    place = entity_facts.write_triples(found, tmp_path, file)
    assert place == tmp_path / "folder" / "t.tsv.gz"
    assert read_content(place, file.sha256) == content
    with pytest.raises(InputError, match=r"not those of t\.tsv: sha256 is .* \(2 triples\)"):
        entity_facts.write_triples(found.head(2), tmp_path, file)
    with pytest.raises(InputError, match="has no dbo:"):
        entity_facts.read_graphs(tmp_path, {"LibraryThing": "books"})
