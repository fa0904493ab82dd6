from __future__ import annotations

import pytest

from graph_schema import ANY, SCHEMA, EdgeType, InputError, NodeType, Property, Relation, Schema


def test_an_edge_type_is_a_plain_tuple_of_three() -> None:
    edge_type = SCHEMA.edge_type("User", "RATED", "Movie")
    assert edge_type == ("User", "RATED", "Movie")
    assert {("User", "RATED", "Movie"): 1}[edge_type] == 1
    assert edge_type.head == "User"
    assert edge_type.tail == "Movie"


@pytest.mark.parametrize(
    ("head", "relation", "tail"),
    [
        ("User", "RATED", "Item"),
        ("Movie", "HAS_GENRE", "Genre"),
        ("Person", "ACTED_IN", "Movie"),
        ("Album", "PERFORMED_BY", "Organisation"),
        ("Track", "PERFORMED_BY", "Person"),
        ("Category", "SUBCATEGORY_OF", "Category"),
        ("Product", "SAME_AS", "Item"),
        ("Book", "SIMILAR_TO", "Movie"),
    ],
)
def test_relations_hold_for_subtypes(head: str, relation: str, tail: str) -> None:
    assert SCHEMA.edge_type(head, relation, tail) == EdgeType(head, relation, tail)


@pytest.mark.parametrize("name", SCHEMA.names)
def test_identity_similarity_and_domain_hold_for_every_type(name: str) -> None:
    for relation, tail in (("SAME_AS", name), ("SIMILAR_TO", name), ("BELONGS_TO", "Domain")):
        assert SCHEMA.edge_type(name, relation, tail) == (name, relation, tail)


@pytest.mark.parametrize(
    ("triple", "message"),
    [
        (("Movei", "HAS_GENRE", "Genre"), 'unknown node type "Movei"; did you mean "Movie"?'),
        (("Movie", "HAS_GENER", "Genre"), 'unknown relation "HAS_GENER"; did you mean "HAS_GENRE"?'),
        (("Movie", "HAS_GENRE", "Gender"), 'unknown node type "Gender"; did you mean "Genre"?'),
        (("User", "HAS_GENRE", "Genre"), "relation HAS_GENRE does not join User to Genre; it joins Item -> Genre"),
        (("Movie", "RATED", "User"), "relation RATED goes from User to Movie, not from Movie to User; swap its ends"),
        (
            ("Movie", "SAME_AS", "Book"),
            "relation SAME_AS does not join Movie to Book; it joins * -> * (both of one type)",
        ),
        (("User", "SIMILAR_TO", "Genre"), "relation SIMILAR_TO does not join User to Genre"),
    ],
)
def test_a_wrong_edge_type_says_what_would_be_right(triple: tuple[str, str, str], message: str) -> None:
    with pytest.raises(InputError) as caught:
        SCHEMA.edge_type(*triple)
    assert str(caught.value).startswith(message)


def test_subtypes_and_ancestors_are_transitive() -> None:
    schema = SCHEMA.extend([NodeType("Film noir", parent="Movie")])
    assert schema.is_subtype("Film noir", "Item")
    assert not schema.is_subtype("Movie", "Film noir")
    assert schema.is_subtype("Film noir", ANY)
    assert schema.ancestors("Film noir") == ("Film noir", "Movie", "Item")
    assert schema.root("Film noir") == "Item"
    assert schema.subtypes("Movie") == ("Movie", "Film noir")
    assert "Genre" not in schema.subtypes("Item")


def test_is_subtype_refuses_unknown_names_on_either_side() -> None:
    for child, ancestor in (("Nothing", "Item"), ("Movie", "Nothing"), ("Nothing", ANY)):
        with pytest.raises(InputError, match='unknown node type "Nothing"'):
            SCHEMA.is_subtype(child, ancestor)


def test_properties_are_inherited_and_a_childs_own_wins() -> None:
    own = Property("name", "string", comment="in the local language")
    schema = SCHEMA.extend([NodeType("Short", parent="Movie", properties=(own,))])
    properties = {row.name: row for row in schema.properties("Short")}
    assert properties["runtime"].unit == "minute"
    assert properties["name"] == own


def test_extend_leaves_the_original_alone() -> None:
    extended = SCHEMA.extend([NodeType("Recipe", parent="Item")], [Relation("COOKED_BY", "Recipe", "Person")])
    assert extended.edge_type("Recipe", "COOKED_BY", "Person") == ("Recipe", "COOKED_BY", "Person")
    assert "Recipe" not in SCHEMA.names
    assert "COOKED_BY" not in SCHEMA.relation_names


@pytest.mark.parametrize(
    ("node_types", "relations", "message"),
    [
        ([NodeType("Movie")], [], 'node type "Movie" is declared twice'),
        ([NodeType("Recipe", parent="Itme")], [], 'node type "Recipe": unknown parent "Itme"; did you mean "Item"?'),
        ([], [Relation("RATED", "User", "Item")], r'relation "\(User, RATED, Item\)" is declared twice'),
        (
            [],
            [Relation("EATEN_BY", "Item", "Usr")],
            'relation "EATEN_BY": unknown node type "Usr"; did you mean "User"?',
        ),
        ([NodeType("A", parent="B"), NodeType("B", parent="A")], [], "A -> B -> A; remove one parent"),
        (
            [NodeType("A", properties=(Property("x", "string"), Property("x", "float")))],
            [],
            'property of A "x" is declared twice',
        ),
    ],
)
def test_a_contradictory_schema_is_refused(node_types: list[NodeType], relations: list[Relation], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SCHEMA.extend(node_types, relations)


def test_a_relation_may_have_several_pairs_of_ends() -> None:
    rows = SCHEMA.relation("PART_OF")
    assert {(row.head, row.tail) for row in rows} == {("Track", "Album"), ("Video", "Course")}
    with pytest.raises(InputError, match="it joins Track -> Album, Video -> Course"):
        SCHEMA.edge_type("Track", "PART_OF", "Course")


def test_an_empty_schema_is_a_schema() -> None:
    with pytest.raises(InputError, match='unknown node type "User"; choices: none'):
        Schema((), ()).node_type("User")


@pytest.mark.parametrize("name", ["", 'a"b', "a'b", "a`b", "a\\b", "a\nb", "a\x00b", "a\u2028b"])
def test_no_name_can_end_a_quotation(name: str) -> None:
    property_ = Property(name, "string")
    for types, relations in (
        ([NodeType(name)], []),
        ([], [Relation(name, "User", "Item")]),
        ([NodeType("A", properties=(property_,))], []),
        ([], [Relation("A", "User", "Item", properties=(property_,))]),
    ):
        with pytest.raises(InputError, match="a name has no quotes, backslashes or line breaks"):
            SCHEMA.extend(types, relations)


@pytest.mark.parametrize(
    ("types", "relations", "message"),
    [
        ([NodeType("Film noir")], [], 'node type "Film noir": .* call it "Film_noir"'),
        ([NodeType("8mm")], [], 'node type "8mm": .* call it "_8mm"'),
        ([NodeType("Café")], [], 'node type "Café": .* call it "Cafe"'),
        ([NodeType("电影")], [], 'node type "电影": .* use another'),
        ([NodeType("A) DETACH DELETE (n")], [], 'call it "A_DETACH_DELETE_n"'),
        ([], [Relation("film.director", "Movie", "Person")], 'relation "film.director": .* call it "film_director"'),
        ([NodeType("A", properties=(Property("how much", "float"),))], [], 'property of A "how much": .* "how_much"'),
        ([NodeType("MOVIE")], [], '"Movie" and "MOVIE" are one name to a database'),
        ([NodeType("Rated")], [], '"Rated" and "RATED" are one name to a database'),
        ([NodeType("Short", parent="Movie", properties=(Property("Name", "string"),))], [], '"name" and "Name"'),
        ([], [Relation("year", "Item", "Period")], '"year" is a relation and a property'),
    ],
)
def test_names_that_databases_cannot_take(types: list[NodeType], relations: list[Relation], message: str) -> None:
    schema = SCHEMA.extend(types, relations)
    with pytest.raises(InputError, match=message):
        schema.require_identifiers()


def test_the_vocabularys_own_names_are_identifiers() -> None:
    SCHEMA.require_identifiers()


@pytest.mark.parametrize(
    ("aligned", "message"),
    [
        ("Book", 'aligned with "Book"; give a term such as schema:Book, or a full IRI'),
        ("schma:Book", 'unknown prefix "schma"; did you mean "schema"?'),
        ("https://e.example/a b", "give a term such as schema:Book"),
        ("schema:Book> . <x", "give a term such as schema:Book"),
        ("^schema:Book", 'only a relation has an inverse, drop the "\\^"'),
    ],
)
def test_terms_of_other_vocabularies_are_checked(aligned: str, message: str) -> None:
    with pytest.raises(InputError, match=f'node type "Novel": .*{message}'):
        NodeType("Novel", aligned=(aligned,))


def test_what_cannot_be_declared_is_refused_where_it_stands() -> None:
    with pytest.raises(InputError, match='property "x": unknown datatype "sting"; did you mean "string"?'):
        Property("x", "sting")  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r'property "x": bounds \[2, 1\] of a float'):
        Property("x", "float", minimum=2, maximum=1)
    with pytest.raises(InputError, match=r'property "x": bounds \[0\] of a string'):
        Property("x", "string", minimum=0)
    with pytest.raises(InputError, match='relation "X": label in language "in English"; give a code such as en'):
        Relation("X", "User", "Item", {"in English": "x"})


def test_terms_that_come_as_a_list_from_a_file_are_the_same_declaration() -> None:
    assert NodeType("A", aligned=["schema:Thing"]) == NodeType("A", aligned=("schema:Thing",))  # type: ignore[arg-type]


def test_the_tails_of_a_relation_are_those_that_make_an_edge_type() -> None:
    assert SCHEMA.tails("Movie", "SAME_AS") == {"Movie", "Item"}
    assert SCHEMA.tails("Track", "PART_OF") == {"Album"}
    assert SCHEMA.tails("Item", "PART_OF") == frozenset()
    assert SCHEMA.tails("Genre", "BELONGS_TO") == {"Domain"}
