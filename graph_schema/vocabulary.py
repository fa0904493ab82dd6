"""The vocabulary, declared once: which things there are in a recommendation knowledge graph and how they relate.

Extend it, do not edit it: `SCHEMA.extend(node_types=[...], relations=[...])`.
"""

from __future__ import annotations

from graph_schema.schema import ANY, NodeType, Property, Relation, Schema

_YEAR = Property("year", "year", comment="of first publication or release")
_LANGUAGE = Property("language", "string", many=True, comment="BCP 47 code, such as en or zh-Hans")


def _labels(english: str, chinese: str) -> dict[str, str]:
    return {"en": english, "zh": chinese}


_ACTORS = (
    NodeType("User", _labels("user", "用户"), properties=(Property("name", "string"),)),
    NodeType(
        "Item",
        _labels("item", "物品"),
        properties=(Property("name", "string"), Property("description", "string")),
        comment="anything a user may be recommended",
    ),
    NodeType(
        "Entity",
        _labels("entity", "实体"),
        properties=(Property("name", "string"),),
        comment="anything facts speak of that is neither a user nor an item",
    ),
)

_ITEMS = (
    NodeType(
        "Book",
        _labels("book", "图书"),
        "Item",
        (_YEAR, _LANGUAGE, Property("pages", "integer", "page"), Property("isbn", "string", many=True)),
    ),
    NodeType("Movie", _labels("film", "电影"), "Item", (_YEAR, _LANGUAGE, Property("runtime", "integer", "minute"))),
    NodeType("Track", _labels("track", "曲目"), "Item", (_YEAR, _LANGUAGE, Property("duration", "float", "second"))),
    NodeType("Album", _labels("album", "专辑"), "Item", (_YEAR, Property("tracks", "integer", "track"))),
    NodeType(
        "Artist",
        _labels("artist", "艺术家"),
        "Item",
        comment="a singer, player or band as something to listen to; the human being is a Person",
    ),
    NodeType(
        "Product",
        _labels("product", "商品"),
        "Item",
        (
            Property("price", "float", "currency unit", comment="in the currency that `currency` names"),
            Property("currency", "string", comment="ISO 4217 code"),
            Property("weight", "float", "gram"),
        ),
    ),
    NodeType(
        "Course",
        _labels("course", "课程"),
        "Item",
        (_LANGUAGE, Property("workload", "float", "hour"), Property("level", "string")),
    ),
    NodeType("Video", _labels("video", "视频"), "Item", (_YEAR, _LANGUAGE, Property("duration", "float", "second"))),
    NodeType("Game", _labels("game", "游戏"), "Item", (_YEAR, Property("platform", "string", many=True))),
)

_ENTITIES = (
    NodeType("Person", _labels("person", "人物"), "Entity", (Property("born", "year"), Property("died", "year"))),
    NodeType("Genre", _labels("genre", "类型"), "Entity"),
    NodeType("Category", _labels("category", "类别"), "Entity", comment="a place in a catalogue's tree"),
    NodeType("Keyword", _labels("keyword", "关键词"), "Entity"),
    NodeType("Organisation", _labels("organisation", "机构"), "Entity", (Property("founded", "year"),)),
    NodeType(
        "Place",
        _labels("place", "地点"),
        "Entity",
        (Property("latitude", "float", "degree"), Property("longitude", "float", "degree")),
    ),
    NodeType("Period", _labels("period", "时期"), "Entity", (Property("start", "year"), Property("end", "year"))),
    NodeType("Series", _labels("series", "系列"), "Entity"),
    NodeType("Domain", _labels("domain", "领域"), "Entity", comment="one of the two sides of a transfer"),
)

_RELATIONS = (
    Relation(
        "RATED",
        "User",
        "Item",
        _labels("rated", "评分"),
        (
            Property("rating", "float", comment="on the scale of its data set; absent where feedback is implicit"),
            Property("timestamp", "datetime", comment="UTC"),
        ),
        comment="an interaction, explicit or implicit",
    ),
    Relation("AUTHORED_BY", "Item", "Person", _labels("authored by", "作者")),
    Relation("DIRECTED_BY", "Item", "Person", _labels("directed by", "导演")),
    Relation("ACTED_IN", "Person", "Item", _labels("acted in", "参演"), (Property("role", "string", many=True),)),
    Relation("COMPOSED_BY", "Item", "Person", _labels("composed by", "作曲")),
    Relation("PERFORMED_BY", "Item", "Person", _labels("performed by", "演唱或演奏")),
    Relation("PERFORMED_BY", "Item", "Organisation", _labels("performed by", "演唱或演奏"), comment="a band"),
    Relation("PUBLISHED_BY", "Item", "Organisation", _labels("published by", "出版")),
    Relation("PRODUCED_BY", "Item", "Organisation", _labels("produced by", "出品")),
    Relation("PRODUCED_BY", "Item", "Person", _labels("produced by", "制片")),
    Relation("HAS_GENRE", "Item", "Genre", _labels("has genre", "属于类型")),
    Relation("IN_CATEGORY", "Item", "Category", _labels("in category", "属于类别")),
    Relation("HAS_KEYWORD", "Item", "Keyword", _labels("has keyword", "含关键词")),
    Relation("IN_PERIOD", "Item", "Period", _labels("in period", "属于时期")),
    Relation("LOCATED_IN", "Item", "Place", _labels("located in", "位于")),
    Relation("LOCATED_IN", "Entity", "Place", _labels("located in", "位于")),
    Relation(
        "PART_OF_SERIES", "Item", "Series", _labels("part of series", "属于系列"), (Property("position", "float"),)
    ),
    Relation("PART_OF", "Track", "Album", _labels("part of", "收录于"), (Property("position", "integer"),)),
    Relation("PART_OF", "Video", "Course", _labels("part of", "属于课程"), (Property("position", "integer"),)),
    Relation("SUBCATEGORY_OF", "Category", "Category", _labels("subcategory of", "子类别")),
    Relation("KNOWS", "User", "User", _labels("knows", "认识"), symmetric=True),
    Relation("BELONGS_TO", ANY, "Domain", _labels("belongs to", "属于领域")),
    Relation(
        "SAME_AS",
        ANY,
        ANY,
        _labels("same as", "等同于"),
        (Property("confidence", "float"), Property("method", "string")),
        symmetric=True,
        agreement="type",
        comment="identity: two names of one thing",
    ),
    Relation(
        "SIMILAR_TO",
        ANY,
        ANY,
        _labels("similar to", "相似于"),
        (Property("confidence", "float", comment="0 to 1"), Property("method", "string")),
        symmetric=True,
        agreement="root",
        comment="a soft link: alike, not the same",
    ),
)

SCHEMA = Schema((*_ACTORS, *_ITEMS, *_ENTITIES), _RELATIONS)
"""The vocabulary that every loader and every graph uses unless it is given another."""
