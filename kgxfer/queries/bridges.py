"""What joins the domains: links, how far they reach, hubs, and links to doubt."""

from __future__ import annotations

from kgxfer.queries.values import TARGET_DOMAIN, Line, Parameter, Query, columns

_ITEM = Parameter("item", "item", "key, id or name of an item")
_ELSEWHERE = Parameter("domain", "domain", "whose items are asked for; of any, where empty", "")

BRIDGES = (
    Query(
        "bridges",
        "Links by kind",
        "How many links each bridge made, between what, and how sure of them it was.",
        """
        MATCH (a:Node)-[r:LINK]->(b:Node)
        RETURN type(r) AS relation, kind(a) AS head_type, kind(b) AS tail_type, r.method AS method, count(*) AS links,
               min(r.confidence) AS least, avg(r.confidence) AS mean
        ORDER BY relation, head_type, tail_type, coalesce(method, '')
        """,
        columns("relation head_type tail_type method links:integer least:number mean:number"),
        needs=("LINK",),
    ),
    Query(
        "coverage",
        "Which share of each domain is joined to the other",
        "Nodes that have a link or belong to both domains, by domain and type.",
        """
        MATCH (n:Node)
        OPTIONAL MATCH (n)-[r:LINK]-(:Node)
        WITH n, count(r) AS links
        WITH n.domain AS domains, kind(n) AS type, CASE WHEN links > 0 OR size(n.domain) > 1 THEN 1 ELSE 0 END AS joined
        UNWIND domains AS domain
        WITH domain, type, count(*) AS nodes, sum(joined) AS joined
        RETURN domain, type, nodes, joined, 1.0 * joined / nodes AS share
        ORDER BY domain, type
        """,
        columns("domain type nodes:integer joined:integer share:number"),
    ),
    Query(
        "hubs",
        "Entities through which most pairs of items meet",
        "An entity with items of both domains, and the pairs it joins: what carries transfer, and where a hub says too "
        "little to be believed.",
        """
        MATCH (e:Entity)-[f:FACT]-(i:Item)
        WITH e, f.domain AS domain, count(DISTINCT i.key) AS items
        OPTIONAL MATCH (e)-[:SAME_AS]-(x:Entity)
        WITH e, domain, items, min(x.key) AS other
        WITH CASE WHEN other < e.key THEN other ELSE e.key END AS hub_key, min(called(e)) AS hub,
             min(kind(e)) AS type, sum(CASE WHEN domain = $source THEN items ELSE 0 END) AS source_items,
             sum(CASE WHEN domain = $target THEN items ELSE 0 END) AS target_items
        WHERE source_items > 0 AND target_items > 0
        RETURN hub_key, hub, type, source_items, target_items, source_items * target_items AS pairs
        ORDER BY pairs DESC, hub_key
        """,
        columns("hub_key hub type source_items:integer target_items:integer pairs:integer"),
        pictures=(Line("hub_key"),),
    ),
    Query(
        "suspicious-links",
        "Links to look at first",
        "Links of low confidence, between names that differ, or of a node that has many; those with most reasons "
        "first.",
        """
        MATCH (a:Node)-[r:LINK]->(b:Node)
        WITH a, b, type(r) AS relation, r.method AS method, r.confidence AS confidence
        OPTIONAL MATCH (a)-[p:LINK]-(:Node)
        WITH a, b, relation, method, confidence, count(p) AS of_head
        OPTIONAL MATCH (b)-[q:LINK]-(:Node)
        WITH a, b, relation, method, confidence, of_head, count(q) AS of_tail
        WITH a, b, relation, method, confidence, CASE WHEN confidence < $below THEN 1 ELSE 0 END AS unsure,
             CASE WHEN toLower(a.name) <> toLower(b.name) THEN 1 ELSE 0 END AS renamed,
             CASE WHEN of_head > 1 OR of_tail > 1 THEN 1 ELSE 0 END AS several
        WHERE unsure + renamed + several > 0
        RETURN relation, a.key AS head_key, called(a) AS head, b.key AS tail_key, called(b) AS tail, confidence, method,
               unsure = 1 AS low, renamed = 1 AS differ, several = 1 AS many, unsure + renamed + several AS reasons
        ORDER BY reasons DESC, confidence, relation, head_key, tail_key
        """,
        columns(
            "relation head_key head tail_key tail confidence:number method low:boolean differ:boolean "
            "many:boolean reasons:integer"
        ),
        (Parameter("below", "number", "confidence that is low", 0.9),),
        needs=("LINK",),
        pictures=(Line("head_key", "tail_key", column="relation"),),
    ),
    Query(
        "twins",
        "One item under two ids",
        "Items that SAME_AS joins, how many users each has, and how many people took both.",
        """
        MATCH (i:Item)-[s:SAME_AS]->(j:Item)
        OPTIONAL MATCH (u:User)-[:RATED]->(i)
        WITH i, j, s.confidence AS confidence, count(DISTINCT u.key) AS head_users
        OPTIONAL MATCH (w:User)-[:RATED]->(j)
        WITH i, j, confidence, head_users, count(DISTINCT w.key) AS tail_users
        OPTIONAL MATCH (i)<-[:RATED]-(a:User)-[:RATED]->(j)
        WITH i, j, confidence, head_users, tail_users, count(DISTINCT a.key) AS alone
        OPTIONAL MATCH (i)<-[:RATED]-(b:User)-[:SAME_AS]-(:User)-[:RATED]->(j)
        WITH i, j, confidence, head_users, tail_users, alone, count(DISTINCT b.key) AS by_link
        RETURN i.key AS item_key, called(i) AS item, j.key AS twin_key, called(j) AS twin, confidence, head_users,
               tail_users, alone + by_link AS took_both
        ORDER BY took_both DESC, item_key, twin_key
        """,
        columns(
            "item_key item twin_key twin confidence:number head_users:integer tail_users:integer took_both:integer"
        ),
        needs=("SAME_AS",),
        pictures=(Line("item_key", "twin_key", "SAME_AS"),),
    ),
    Query(
        "linked-items",
        "Items that are linked to an item",
        "SAME_AS and SIMILAR_TO from an item, the surest first.",
        """
        MATCH (i:Item)-[r:LINK]-(j:Item)
        WHERE i.key IN $item
        RETURN i.key AS key, type(r) AS relation, j.key AS item_key, called(j) AS item, r.confidence AS confidence,
               r.method AS method
        ORDER BY confidence DESC, item_key, key
        """,
        columns("key relation item_key item confidence:number method"),
        (_ITEM,),
        needs=("LINK",),
        pictures=(Line("key", "item_key", column="relation"),),
    ),
    Query(
        "similar-by-facts",
        "Items that share most entities with an item",
        "By the number of shared authors, genres, places and so on, across domains too.",
        """
        MATCH (i:Item)-[:FACT]-(e:Entity)
        WHERE i.key IN $item
        MATCH (e)-[:SAME_AS*0..1]-(x:Entity)
        MATCH (x)-[:FACT]-(j:Item)
        WHERE NOT j.key IN $item AND ($domain = '' OR $domain IN j.domain)
        RETURN j.key AS item_key, called(j) AS item, count(DISTINCT coalesce(e.name, e.key)) AS shared,
               collect(DISTINCT called(e)) AS entities
        ORDER BY shared DESC, item_key
        """,
        columns("item_key item shared:integer entities:set"),
        (_ITEM, _ELSEWHERE),
        pictures=(Line("item_key"),),
    ),
    Query(
        "similar-by-embedding",
        "Items nearest to an item in what a model learned",
        "Cosine of the vectors that were written back; every item is compared, so that both databases answer alike.",
        """
        MATCH (i:Item)
        WHERE i.key IN $item AND i.embedding IS NOT NULL
        MATCH (j:Item)
        WHERE NOT j.key IN $item AND j.embedding IS NOT NULL AND ($domain = '' OR $domain IN j.domain)
        RETURN j.key AS item_key, called(j) AS item, max(cosine(i.embedding, j.embedding)) AS similarity
        ORDER BY similarity DESC, item_key
        """,
        columns("item_key item similarity:number"),
        (_ITEM, _ELSEWHERE),
        needs=(".embedding",),
        pictures=(Line("item_key"),),
    ),
    Query(
        "only-through-entities",
        "Items that no common user reaches",
        "Items of a domain none of whose users took anything in the other, but that share an entity with its items: "
        "what transfer by facts alone can bring.",
        """
        MATCH (x:Entity)-[g:FACT]-(:Item)
        WHERE g.domain <> $domain
        WITH DISTINCT x
        MATCH (x)-[:SAME_AS*0..1]-(e:Entity)
        MATCH (e)-[f:FACT]-(i:Item)
        WHERE f.domain = $domain
        WITH i, count(DISTINCT e.key) AS entities
        WHERE NOT EXISTS { MATCH (i)<-[:RATED]-(:User)-[r:RATED]->(:Item) WHERE r.domain <> $domain }
        AND NOT EXISTS { MATCH (i)<-[:RATED]-(:User)-[:SAME_AS]-(:User)-[r:RATED]->(:Item) WHERE r.domain <> $domain }
        RETURN i.key AS item_key, called(i) AS item, entities
        ORDER BY entities DESC, item_key
        """,
        columns("item_key item entities:integer"),
        (Parameter("domain", "domain", "whose items", TARGET_DOMAIN),),
        pictures=(Line("item_key"),),
    ),
)
