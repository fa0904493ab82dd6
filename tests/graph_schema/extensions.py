"""Extensions of the vocabulary that a user might declare, drawn at random, and some that must go through whole."""

from __future__ import annotations

from typing import get_args

from hypothesis import strategies as st

from graph_schema import ANY, SCHEMA, NodeType, Property, Relation, Schema
from graph_schema.schema import Agreement, Datatype

COOKERY = SCHEMA.extend(
    [
        NodeType(
            "Recipe",
            {"en": "recipe", "zh": "食谱", "de": "Rezept"},
            "Item",
            (
                Property("servings", "integer", "person", required=True, minimum=1, aligned=("schema:recipeYield",)),
                Property("spicy", "boolean"),
                Property("order", "string", indexed=True),
            ),
            aligned=("schema:Recipe",),
        ),
        NodeType("Stew", parent="Recipe"),
        NodeType("Ingredient", {"en": "ingredient"}, "Entity"),
    ],
    [
        Relation("CONTAINS", "Recipe", "Ingredient", {"en": "contains"}, (Property("grams", "float", "gram"),)),
        Relation("SERVED_WITH", "Recipe", "Recipe", symmetric=True, aligned=("https://food.example/with",)),
    ],
)

WORDS = ["MATCH", "null", "Group", "end", "_", "__x", "true", "RETURN", "Table", "from", "class", "a"]
RESERVED = ("key", "id", "graph", "domain", "embedding", "_id", "_label", "_src", "_dst", "_nodes", "_rels")


def names_of(schema: Schema) -> set[tuple[str, str]]:
    """Every name of a schema with what it names: node type, relation or property."""
    holders = [("node type", one.name, one.properties) for one in schema.node_types]
    holders += [("relation", one.name, one.properties) for one in schema.relations]
    owned = {("property", row.name) for _, _, properties in holders for row in properties}
    return {(kind, name) for kind, name, _ in holders} | owned


TAKEN = {name.casefold() for name in (*RESERVED, *(name for _, name in names_of(SCHEMA)))}
NAMES = st.one_of(st.from_regex("[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True), st.sampled_from(WORDS)).filter(
    lambda name: name.casefold() not in TAKEN
)
TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
LABELS = st.dictionaries(st.sampled_from(["en", "zh", "zh-Hans", "de"]), TEXTS, max_size=2)


@st.composite
def extended_schemas(draw: st.DrawFn) -> Schema:
    """The vocabulary with node types and relations whose names are identifiers and whose texts are anything."""
    names = draw(st.lists(NAMES, unique_by=str.casefold, min_size=1, max_size=8))
    cuts = sorted(draw(st.tuples(*[st.integers(0, len(names))] * 2)))
    types, relations, free = names[: cuts[0]], names[cuts[0] : cuts[1]], [*names[cuts[1] :], "year", "name"]
    properties = st.lists(
        st.builds(
            Property,
            st.sampled_from(free),
            st.sampled_from(get_args(Datatype)),
            st.none() | TEXTS,
            st.booleans(),
            TEXTS,
            st.booleans(),
            indexed=st.booleans(),
        ),
        unique_by=lambda row: row.name,
        max_size=3,
    ).map(tuple)
    known = [*SCHEMA.names]
    node_types = []
    for name in types:
        parent = draw(st.none() | st.sampled_from(known))
        node_types.append(NodeType(name, draw(LABELS), parent, draw(properties), draw(TEXTS)))
        known.append(name)
    ends = st.sampled_from([*known, ANY])
    agreements = st.sampled_from(get_args(Agreement))
    return SCHEMA.extend(
        node_types,
        [
            Relation(
                name, draw(ends), draw(ends), draw(LABELS), draw(properties), draw(st.booleans()), draw(agreements)
            )
            for name in relations
        ],
    )
