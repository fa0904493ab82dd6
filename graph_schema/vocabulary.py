"""The vocabulary, declared once: which things there are in a recommendation knowledge graph and how they relate.

Extend it, do not edit it: `SCHEMA.extend(node_types=[...], relations=[...])`.
"""

from __future__ import annotations

from graph_schema.schema import ANY, NodeType, Property, Relation, Schema

_NAME = Property("name", "string", indexed=True, aligned=("schema:name",))
_YEAR = Property(
    "year",
    "year",
    comment="of first publication or release",
    indexed=True,
    aligned=("dcterms:issued", "schema:datePublished"),
)
_LANGUAGE = Property(
    "language", "string", many=True, comment="BCP 47 code, such as en or zh-Hans", aligned=("schema:inLanguage",)
)
_DURATION = Property("duration", "float", "second", minimum=0)
_POSITION = Property("position", "integer", aligned=("schema:position",))
_LINK = (
    Property("confidence", "float", comment="0 to 1", minimum=0, maximum=1, indexed=True),
    Property("method", "string", comment="how the link was found"),
)


def _labels(english: str, chinese: str) -> dict[str, str]:
    return {"en": english, "zh": chinese}


_ACTORS = (
    NodeType("User", _labels("user", "用户"), properties=(_NAME,), aligned=("dcterms:Agent",)),
    NodeType(
        "Item",
        _labels("item", "物品"),
        properties=(
            _NAME,
            Property("description", "string", aligned=("dcterms:description", "schema:description")),
        ),
        comment="anything a user may be recommended",
        aligned=("schema:Thing",),
    ),
    NodeType(
        "Entity",
        _labels("entity", "实体"),
        properties=(_NAME,),
        comment="anything facts speak of that is neither a user nor an item",
        aligned=("schema:Thing",),
    ),
)

_ITEMS = (
    NodeType(
        "Book",
        _labels("book", "图书"),
        "Item",
        (
            _YEAR,
            _LANGUAGE,
            Property("pages", "integer", "page", minimum=0, aligned=("schema:numberOfPages",)),
            Property("isbn", "string", many=True, aligned=("schema:isbn",)),
        ),
        aligned=("dcterms:BibliographicResource", "schema:Book"),
    ),
    NodeType(
        "Movie",
        _labels("film", "电影"),
        "Item",
        (_YEAR, _LANGUAGE, Property("runtime", "integer", "minute", minimum=0)),
        aligned=("schema:Movie",),
    ),
    NodeType(
        "Track",
        _labels("track", "曲目"),
        "Item",
        (_YEAR, _LANGUAGE, _DURATION),
        aligned=("schema:MusicRecording",),
    ),
    NodeType(
        "Album",
        _labels("album", "专辑"),
        "Item",
        (_YEAR, Property("tracks", "integer", "track", minimum=0, aligned=("schema:numTracks",))),
        aligned=("schema:MusicAlbum",),
    ),
    NodeType(
        "Artist",
        _labels("artist", "艺术家"),
        "Item",
        comment="a singer, player or band as something to listen to; the human being is a Person",
        aligned=("schema:MusicGroup",),
    ),
    NodeType(
        "Product",
        _labels("product", "商品"),
        "Item",
        (
            Property(
                "price",
                "float",
                "currency unit",
                comment="in the currency that `currency` names",
                minimum=0,
                aligned=("schema:price",),
            ),
            Property("currency", "string", comment="ISO 4217 code", aligned=("schema:priceCurrency",)),
            Property("weight", "float", "gram", minimum=0),
        ),
        aligned=("schema:Product",),
    ),
    NodeType(
        "Course",
        _labels("course", "课程"),
        "Item",
        (
            _LANGUAGE,
            Property("workload", "float", "hour", minimum=0),
            Property("level", "string", aligned=("schema:educationalLevel",)),
        ),
        aligned=("schema:Course",),
    ),
    NodeType("Video", _labels("video", "视频"), "Item", (_YEAR, _LANGUAGE, _DURATION), aligned=("schema:VideoObject",)),
    NodeType(
        "Game",
        _labels("game", "游戏"),
        "Item",
        (_YEAR, Property("platform", "string", many=True, aligned=("schema:gamePlatform",))),
        aligned=("schema:Game",),
    ),
)

_ENTITIES = (
    NodeType(
        "Person",
        _labels("person", "人物"),
        "Entity",
        (
            Property("born", "year", aligned=("schema:birthDate",)),
            Property("died", "year", aligned=("schema:deathDate",)),
        ),
        aligned=("dcterms:Agent", "schema:Person"),
    ),
    NodeType("Genre", _labels("genre", "类型"), "Entity", aligned=("skos:Concept",)),
    NodeType(
        "Category",
        _labels("category", "类别"),
        "Entity",
        comment="a place in a catalogue's tree",
        aligned=("skos:Concept",),
    ),
    NodeType("Keyword", _labels("keyword", "关键词"), "Entity", aligned=("skos:Concept",)),
    NodeType(
        "Organisation",
        _labels("organisation", "机构"),
        "Entity",
        (Property("founded", "year", aligned=("schema:foundingDate",)),),
        aligned=("dcterms:Agent", "schema:Organization"),
    ),
    NodeType(
        "Place",
        _labels("place", "地点"),
        "Entity",
        (
            Property("latitude", "float", "degree", minimum=-90, maximum=90, aligned=("schema:latitude",)),
            Property("longitude", "float", "degree", minimum=-180, maximum=180, aligned=("schema:longitude",)),
        ),
        aligned=("dcterms:Location", "schema:Place"),
    ),
    NodeType(
        "Period",
        _labels("period", "时期"),
        "Entity",
        (
            Property("start", "year", aligned=("schema:startDate",)),
            Property("end", "year", aligned=("schema:endDate",)),
        ),
        aligned=("dcterms:PeriodOfTime",),
    ),
    NodeType("Series", _labels("series", "系列"), "Entity", aligned=("schema:CreativeWorkSeries",)),
    NodeType("Domain", _labels("domain", "领域"), "Entity", comment="one of the two sides of a transfer"),
)

_RELATIONS = (
    Relation(
        "RATED",
        "User",
        "Item",
        _labels("rated", "评分"),
        (
            Property(
                "rating",
                "float",
                comment="on the scale of its data set; absent where feedback is implicit",
                aligned=("schema:ratingValue",),
            ),
            Property("timestamp", "datetime", comment="UTC", aligned=("dcterms:created", "schema:dateCreated")),
        ),
        comment="an interaction, explicit or implicit",
    ),
    Relation(
        "RECOMMENDED",
        "User",
        "Item",
        _labels("recommended", "推荐"),
        (
            Property("score", "float", required=True),
            Property("rank", "integer", required=True, minimum=1),
            Property("model", "string", required=True, comment="the model's name"),
            Property("run", "string", required=True, indexed=True, comment="what is undone together"),
            Property("at", "datetime", required=True, comment="UTC"),
        ),
        comment="what a model wrote back: no fact and no interaction, never learned from",
    ),
    Relation(
        "AUTHORED_BY", "Item", "Person", _labels("authored by", "作者"), aligned=("dcterms:creator", "schema:author")
    ),
    Relation("DIRECTED_BY", "Item", "Person", _labels("directed by", "导演"), aligned=("schema:director",)),
    Relation(
        "ACTED_IN",
        "Person",
        "Item",
        _labels("acted in", "参演"),
        (Property("role", "string", many=True, aligned=("schema:characterName",)),),
        aligned=("^schema:actor",),
    ),
    Relation("COMPOSED_BY", "Item", "Person", _labels("composed by", "作曲"), aligned=("schema:composer",)),
    Relation("PERFORMED_BY", "Item", "Person", _labels("performed by", "演唱或演奏"), aligned=("schema:byArtist",)),
    Relation(
        "PERFORMED_BY",
        "Item",
        "Organisation",
        _labels("performed by", "演唱或演奏"),
        comment="a band",
        aligned=("schema:byArtist",),
    ),
    Relation(
        "PUBLISHED_BY",
        "Item",
        "Organisation",
        _labels("published by", "出版"),
        aligned=("dcterms:publisher", "schema:publisher"),
    ),
    Relation("PRODUCED_BY", "Item", "Organisation", _labels("produced by", "出品"), aligned=("schema:producer",)),
    Relation("PRODUCED_BY", "Item", "Person", _labels("produced by", "制片"), aligned=("schema:producer",)),
    Relation("HAS_GENRE", "Item", "Genre", _labels("has genre", "属于类型"), aligned=("schema:genre",)),
    Relation("IN_CATEGORY", "Item", "Category", _labels("in category", "属于类别"), aligned=("schema:category",)),
    Relation(
        "HAS_KEYWORD",
        "Item",
        "Keyword",
        _labels("has keyword", "含关键词"),
        aligned=("dcterms:subject", "schema:keywords"),
    ),
    Relation("IN_PERIOD", "Item", "Period", _labels("in period", "属于时期"), aligned=("dcterms:temporal",)),
    Relation("LOCATED_IN", "Item", "Place", _labels("located in", "位于"), aligned=("schema:location",)),
    Relation("LOCATED_IN", "Entity", "Place", _labels("located in", "位于"), aligned=("schema:location",)),
    Relation(
        "PART_OF_SERIES",
        "Item",
        "Series",
        _labels("part of series", "属于系列"),
        (Property("position", "float", aligned=("schema:position",)),),
        aligned=("dcterms:isPartOf", "schema:isPartOf"),
    ),
    Relation(
        "PART_OF",
        "Track",
        "Album",
        _labels("part of", "收录于"),
        (_POSITION,),
        aligned=("dcterms:isPartOf", "schema:isPartOf"),
    ),
    Relation(
        "PART_OF",
        "Video",
        "Course",
        _labels("part of", "属于课程"),
        (_POSITION,),
        aligned=("dcterms:isPartOf", "schema:isPartOf"),
    ),
    Relation("SUBCATEGORY_OF", "Category", "Category", _labels("subcategory of", "子类别"), aligned=("skos:broader",)),
    Relation("KNOWS", "User", "User", _labels("knows", "认识"), symmetric=True, aligned=("schema:knows",)),
    Relation("BELONGS_TO", ANY, "Domain", _labels("belongs to", "属于领域")),
    Relation(
        "SAME_AS",
        ANY,
        ANY,
        _labels("same as", "等同于"),
        _LINK,
        symmetric=True,
        agreement="type",
        comment="identity: two names of one thing",
        aligned=("schema:sameAs",),
    ),
    Relation(
        "SIMILAR_TO",
        ANY,
        ANY,
        _labels("similar to", "相似于"),
        _LINK,
        symmetric=True,
        agreement="root",
        comment="a soft link: alike, not the same",
        aligned=("dcterms:relation",),
    ),
)

SCHEMA = Schema((*_ACTORS, *_ITEMS, *_ENTITIES), _RELATIONS)
"""The vocabulary that every loader and every graph uses unless it is given another."""
