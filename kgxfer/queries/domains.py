"""What each domain is like: popularity, tail, genres, decades, what is taken together, what nobody took."""

from __future__ import annotations

from kgxfer.queries.values import TARGET_DOMAIN, Line, Parameter, Query, columns

_DOMAIN = Parameter("domain", "domain", "whose items", TARGET_DOMAIN)
_RELATION = Parameter("relation", "text", "of items and what they are counted by", "HAS_GENRE")

DOMAINS = (
    Query(
        "popular-items",
        "The most taken items of a domain",
        "How many users took an item; what a recommender has to beat.",
        """
        MATCH (u:User)-[r:RATED]->(i:Item)
        WHERE r.domain = $domain
        RETURN i.key AS item_key, called(i) AS item, count(*) AS users
        ORDER BY users DESC, item_key
        """,
        columns("item_key item users:integer"),
        (_DOMAIN,),
        pictures=(Line("item_key"),),
    ),
    Query(
        "long-tail",
        "How much of a domain lies in its tail",
        "Items that at most `most` users took: their number, and the interactions that go to them.",
        """
        MATCH (i:Item)
        UNWIND i.domain AS domain
        OPTIONAL MATCH (:User)-[r:RATED]->(i) WHERE r.domain = domain
        WITH domain, i.key AS item, count(r) AS taken
        WITH domain, count(*) AS items, sum(CASE WHEN taken <= $most THEN 1 ELSE 0 END) AS tail_items,
             sum(taken) AS interactions, sum(CASE WHEN taken <= $most THEN taken ELSE 0 END) AS tail_interactions
        RETURN domain, items, tail_items, 1.0 * tail_items / items AS share_of_items, interactions, tail_interactions,
               CASE WHEN interactions > 0 THEN 1.0 * tail_interactions / interactions ELSE 0.0 END
               AS share_of_interactions
        ORDER BY domain
        """,
        columns(
            "domain items:integer tail_items:integer share_of_items:number interactions:integer "
            "tail_interactions:integer share_of_interactions:number"
        ),
        (Parameter("most", "integer", "users that an item of the tail has at most", 5),),
    ),
    Query(
        "profile",
        "The genres of each domain",
        "By how many items a domain has a genre (or what else the relation leads to), and which share of its items.",
        """
        MATCH (j:Item)
        UNWIND j.domain AS domain
        WITH domain, count(*) AS all_items
        MATCH (i:Item)-[f:FACT]-(e:Entity)
        WHERE type(f) = $relation AND f.domain = domain
        WITH domain, all_items, called(e) AS entity, count(DISTINCT i.key) AS items
        RETURN domain, entity, items, 1.0 * items / all_items AS share
        ORDER BY domain, items DESC, entity
        """,
        columns("domain entity items:integer share:number"),
        (_RELATION,),
    ),
    Query(
        "decades",
        "Items and interactions by decade",
        "From which decades the items of a domain are, and to which its users turn.",
        """
        MATCH (i:Item)
        WHERE i.year IS NOT NULL
        UNWIND i.domain AS domain
        OPTIONAL MATCH (:User)-[r:RATED]->(i) WHERE r.domain = domain
        WITH domain, i.year - i.year % 10 AS decade, i.key AS item, count(r) AS taken
        RETURN domain, decade, count(*) AS items, sum(taken) AS interactions
        ORDER BY domain, decade
        """,
        columns("domain decade:integer items:integer interactions:integer"),
        needs=(".year",),
    ),
    Query(
        "taken-together",
        "What those who took an item also took",
        "Items of both domains by the number of people who took them as well; users that SAME_AS joins are one person.",
        """
        MATCH (u:User)-[:RATED]->(i:Item)
        WHERE i.key IN $item
        WITH DISTINCT u
        MATCH (u)-[:SAME_AS*0..1]-(v:User)
        MATCH (v)-[r:RATED]->(j:Item)
        WHERE NOT j.key IN $item
        RETURN j.key AS item_key, called(j) AS item, r.domain AS domain, count(DISTINCT u.key) AS people
        ORDER BY people DESC, item_key, domain
        """,
        columns("item_key item domain people:integer"),
        (Parameter("item", "item", "key, id or name of an item"),),
        pictures=(Line("item_key"),),
    ),
    Query(
        "cold-start-items",
        "Items that nobody took",
        "What only facts and links can recommend, those with most facts first.",
        """
        MATCH (i:Item)
        WHERE $domain IN i.domain AND NOT EXISTS { MATCH (:User)-[:RATED]->(i) }
        OPTIONAL MATCH (i)-[f:FACT]-(:Entity)
        RETURN i.key AS item_key, called(i) AS item, count(f) AS facts
        ORDER BY facts DESC, item_key
        """,
        columns("item_key item facts:integer"),
        (_DOMAIN,),
        pictures=(Line("item_key"),),
    ),
)
