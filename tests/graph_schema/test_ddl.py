from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from graph_schema import SCHEMA, EdgeType, InputError, NodeType, Property, Relation, Schema
from graph_schema.ddl import ladybug_statements, neo4j_statements
from tests.graph_schema.extensions import COOKERY, extended_schemas, names_of

FILMS = [
    EdgeType("User", "RATED", "Movie"),
    EdgeType("User", "RATED", "Book"),
    EdgeType("Movie", "HAS_GENRE", "Genre"),
    EdgeType("Movie", "SAME_AS", "Movie"),
]
LANGUAGE = set(
    "CREATE CONSTRAINT TEXT INDEX FULLTEXT VECTOR IF NOT EXISTS FOR REQUIRE IS UNIQUE ON EACH OPTIONS "  # noqa: SIM905
    "indexConfig cosine NODE REL TABLE FROM TO PRIMARY KEY STRING INT64 DOUBLE BOOLEAN TIMESTAMP FLOAT n r".split()
)


def every_edge_type(schema: Schema) -> list[EdgeType]:
    return [
        EdgeType(head, relation, tail)
        for relation in schema.relation_names
        for head in schema.names
        for tail in schema.tails(head, relation)
    ]


def test_the_statements_for_neo4j() -> None:
    assert neo4j_statements(SCHEMA, ["Movie", "Genre"], dim=64) == (
        "CREATE CONSTRAINT `Item.key` IF NOT EXISTS FOR (n:`Item`) REQUIRE (n.`graph`, n.`key`) IS UNIQUE",
        "CREATE CONSTRAINT `Entity.key` IF NOT EXISTS FOR (n:`Entity`) REQUIRE (n.`graph`, n.`key`) IS UNIQUE",
        "CREATE CONSTRAINT `Movie.key` IF NOT EXISTS FOR (n:`Movie`) REQUIRE (n.`graph`, n.`key`) IS UNIQUE",
        "CREATE CONSTRAINT `Genre.key` IF NOT EXISTS FOR (n:`Genre`) REQUIRE (n.`graph`, n.`key`) IS UNIQUE",
        "CREATE TEXT INDEX `Item.name` IF NOT EXISTS FOR (n:`Item`) ON (n.`name`)",
        "CREATE TEXT INDEX `Entity.name` IF NOT EXISTS FOR (n:`Entity`) ON (n.`name`)",
        "CREATE TEXT INDEX `Movie.name` IF NOT EXISTS FOR (n:`Movie`) ON (n.`name`)",
        "CREATE INDEX `Movie.year` IF NOT EXISTS FOR (n:`Movie`) ON (n.`year`)",
        "CREATE TEXT INDEX `Genre.name` IF NOT EXISTS FOR (n:`Genre`) ON (n.`name`)",
        "CREATE TEXT INDEX `RECOMMENDED.run` IF NOT EXISTS FOR ()-[r:`RECOMMENDED`]-() ON (r.`run`)",
        "CREATE INDEX `SAME_AS.confidence` IF NOT EXISTS FOR ()-[r:`SAME_AS`]-() ON (r.`confidence`)",
        "CREATE INDEX `SIMILAR_TO.confidence` IF NOT EXISTS FOR ()-[r:`SIMILAR_TO`]-() ON (r.`confidence`)",
        "CREATE FULLTEXT INDEX `kgxfer.names` IF NOT EXISTS FOR (n:`Item`|`Entity`) ON EACH [n.`name`]",
        "CREATE VECTOR INDEX `Item.embedding` IF NOT EXISTS FOR (n:`Item`) ON (n.`embedding`) "
        "OPTIONS {indexConfig: {`vector.dimensions`: 64, `vector.similarity_function`: 'cosine'}}",
        "CREATE VECTOR INDEX `Entity.embedding` IF NOT EXISTS FOR (n:`Entity`) ON (n.`embedding`) "
        "OPTIONS {indexConfig: {`vector.dimensions`: 64, `vector.similarity_function`: 'cosine'}}",
    )


def test_every_type_of_the_vocabulary_has_a_key() -> None:
    statements = neo4j_statements(SCHEMA)
    keyed = [found[1] for one in statements if (found := re.match(r"CREATE CONSTRAINT `(\w+)\.key`", one))]
    assert keyed == list(SCHEMA.names)
    assert not any("VECTOR" in one for one in statements)
    assert sum("FULLTEXT" in one for one in statements) == 1


def test_the_statements_for_ladybug() -> None:
    assert ladybug_statements(SCHEMA, FILMS, ["Period"], dim=8) == (
        "CREATE NODE TABLE IF NOT EXISTS `User` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `embedding` FLOAT[8], "
        "`embedding_run` STRING)",
        "CREATE NODE TABLE IF NOT EXISTS `Book` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `description` STRING, `year` INT64, `language` STRING[], `pages` INT64, `isbn` STRING[], "
        "`embedding` FLOAT[8], "
        "`embedding_run` STRING)",
        "CREATE NODE TABLE IF NOT EXISTS `Movie` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `description` STRING, `year` INT64, `language` STRING[], `runtime` INT64, "
        "`embedding` FLOAT[8], "
        "`embedding_run` STRING)",
        "CREATE NODE TABLE IF NOT EXISTS `Genre` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `embedding` FLOAT[8], "
        "`embedding_run` STRING)",
        "CREATE NODE TABLE IF NOT EXISTS `Period` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `start` INT64, `end` INT64, `embedding` FLOAT[8], "
        "`embedding_run` STRING)",
        "CREATE REL TABLE IF NOT EXISTS `RATED` (FROM `User` TO `Book`, FROM `User` TO `Movie`, `domain` STRING, "
        "`row` INT64, `rating` DOUBLE, `timestamp` TIMESTAMP)",
        "CREATE REL TABLE IF NOT EXISTS `HAS_GENRE` (FROM `Movie` TO `Genre`, `domain` STRING, `row` INT64)",
        "CREATE REL TABLE IF NOT EXISTS `SAME_AS` (FROM `Movie` TO `Movie`, `domain` STRING, "
        "`row` INT64, `confidence` DOUBLE, `method` STRING)",
    )


def test_the_order_and_repeats_of_what_is_in_use_do_not_matter() -> None:
    assert ladybug_statements(SCHEMA, [*FILMS[::-1], *FILMS]) == ladybug_statements(SCHEMA, FILMS)
    assert ladybug_statements(SCHEMA, []) == ()
    assert neo4j_statements(SCHEMA, ["Genre", "Movie", "Movie"]) == neo4j_statements(SCHEMA, ["Movie", "Genre"])


def test_a_users_own_types_get_their_tables_and_indexes() -> None:
    statements = neo4j_statements(COOKERY, ["Stew"])
    assert "CREATE TEXT INDEX `Stew.order` IF NOT EXISTS FOR (n:`Stew`) ON (n.`order`)" in statements
    assert (
        "CREATE FULLTEXT INDEX `kgxfer.names` IF NOT EXISTS FOR (n:`Item`|`Recipe`) ON EACH [n.`name`, n.`order`]"
        in statements
    )
    assert ladybug_statements(COOKERY, [EdgeType("Stew", "CONTAINS", "Ingredient")])[0] == (
        "CREATE NODE TABLE IF NOT EXISTS `Stew` (`key` STRING PRIMARY KEY, `id` STRING, `domain` STRING[], "
        "`row` INT64, `place` INT64, `aliases` STRING, "
        "`name` STRING, `description` STRING, `servings` INT64, `spicy` BOOLEAN, `order` STRING)"
    )


@settings(max_examples=40)
@given(extended_schemas())
def test_any_extension_gives_unique_statements_made_of_its_names(schema: Schema) -> None:
    edges = every_edge_type(schema)
    neo4j = neo4j_statements(schema, dim=7)
    ladybug = ladybug_statements(schema, edges, schema.names, dim=7)
    assert len(set(neo4j)) == len(neo4j)
    made = [re.findall("`[^`]+`", one)[0] for one in neo4j]
    assert len(set(made)) == len(made), "Neo4j would skip an index of a name that is there"
    tables = [re.findall("`([^`]+)`", one)[0].casefold() for one in ladybug]
    assert len(set(tables)) == len(tables) == len(schema.names) + len({edge.relation for edge in edges})
    own = {name for _, name in names_of(schema)} | {
        "key", "id", "graph", "domain", "row", "place", "aliases", "embedding", "embedding_run"
    }
    for statement in (*neo4j, *ladybug):
        outside = re.sub("`[^`]*`", " ", statement)
        assert set(re.findall(r"[^\W\d]\w*", outside)) <= LANGUAGE
        assert set(re.findall(r"\d+", outside)) <= {"7", "64"} and not set(outside) & set(';"\\/')
        for name in re.findall("`([^`]*)`", statement):
            assert set(name.split(".")) <= own | {"vector", "dimensions", "similarity_function", "kgxfer", "names"}


@pytest.mark.parametrize("name", ["x`) REQUIRE n.y IS UNIQUE //", 'x"', "x'; MATCH (n) DETACH DELETE n"])
def test_a_name_with_a_quote_never_becomes_a_schema(name: str) -> None:
    with pytest.raises(InputError, match="a name has no quotes"):
        SCHEMA.extend([NodeType(name)])


@pytest.mark.parametrize("name", ["a b", "film.director", "x)-[", "x\u02cby", "ｘ", "x-y", "x:Movie"])
def test_a_name_that_is_no_identifier_reaches_no_statement(name: str) -> None:
    for schema in (SCHEMA.extend([NodeType(name)]), SCHEMA.extend(relations=[Relation(name, "Item", "Item")])):
        with pytest.raises(InputError, match="in ontologies and databases a name has English letters"):
            neo4j_statements(schema, ["Movie"])
        with pytest.raises(InputError, match="in ontologies and databases a name has English letters"):
            ladybug_statements(schema, FILMS)


@pytest.mark.parametrize("name", ["key", "ID", "graph", "Domain", "embedding", "_id", "_SRC"])
def test_a_property_with_a_name_that_databases_use_is_refused(name: str) -> None:
    schema = SCHEMA.extend([NodeType("Dish", parent="Item", properties=(Property(name, "string"),))])
    with pytest.raises(InputError, match=f'property "{name}" of Dish: databases use this name themselves'):
        neo4j_statements(schema)
    with pytest.raises(InputError, match=f'property "{name}" of Dish: databases use this name themselves'):
        ladybug_statements(schema, FILMS)


def test_two_datatypes_of_one_property_of_a_relation_are_refused() -> None:
    rows = [
        Relation("SOLD_BY", "Item", "Organisation", properties=(Property("price", "float"),)),
        Relation("SOLD_BY", "Item", "Person", properties=(Property("price", "string"),)),
    ]
    with pytest.raises(InputError, match='relation "SOLD_BY": its rows give property "price" two datatypes'):
        ladybug_statements(SCHEMA.extend(relations=rows), FILMS)


def test_what_is_not_in_the_schema_is_refused() -> None:
    with pytest.raises(InputError, match='unknown node type "Movei"; did you mean "Movie"?'):
        neo4j_statements(SCHEMA, ["Movei"])
    with pytest.raises(InputError, match="relation HAS_GENRE does not join User to Genre"):
        ladybug_statements(SCHEMA, [EdgeType("User", "HAS_GENRE", "Genre")])
    with pytest.raises(InputError, match='unknown node type "Perriod"'):
        ladybug_statements(SCHEMA, FILMS, ["Perriod"])


@pytest.mark.parametrize("dim", [0, -1, 4097, True, "64", 1.5])
def test_vectors_have_a_length_that_an_index_takes(dim: int) -> None:
    with pytest.raises(InputError, match="a vector index takes whole numbers from 1 to 4096"):
        neo4j_statements(SCHEMA, dim=dim)
    with pytest.raises(InputError, match="a vector index takes whole numbers from 1 to 4096"):
        ladybug_statements(SCHEMA, FILMS, dim=dim)
