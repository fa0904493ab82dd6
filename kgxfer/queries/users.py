"""What a user took, how taste differs between domains, and by which paths an item is near."""

from __future__ import annotations

from kgxfer.queries.values import TARGET_DOMAIN, Chain, Line, Parameter, Query, columns

_USER = Parameter("user", "user", "key, id or name of a user")
_ITEM = Parameter("item", "item", "key, id or name of an item")

USERS = (
    Query(
        "users-in-both",
        "People with a history in both domains",
        "Users that are one node in both domains, or that SAME_AS joins, and what they took in each; those with most "
        "interactions first.",
        """
        MATCH (u:User)-[r:RATED]->(:Item)
        WHERE r.domain = $source
        WITH u, count(r) AS source_items
        MATCH (u)-[:SAME_AS*0..1]-(v:User)
        MATCH (v)-[q:RATED]->(i:Item)
        WHERE q.domain = $target
        WITH u, v, source_items, count(DISTINCT i.key) AS target_items
        RETURN u.key AS source_key, v.key AS target_key, called(u) AS user, source_items, target_items
        ORDER BY source_items + target_items DESC, source_key, target_key
        """,
        columns("source_key target_key user source_items:integer target_items:integer"),
        pictures=(Line("source_key", "target_key", "SAME_AS"),),
    ),
    Query(
        "cold-start-users",
        "Users with a history in the other domain only",
        "Whom transfer is for: nothing taken in the domain, something elsewhere; those with most first.",
        """
        MATCH (u:User)-[r:RATED]->(:Item)
        WHERE r.domain <> $domain
        WITH u, count(r) AS interactions
        MATCH (u)-[:SAME_AS*0..1]-(v:User)
        OPTIONAL MATCH (v)-[q:RATED]->(:Item) WHERE q.domain = $domain
        WITH u, interactions, count(q) AS own
        WHERE own = 0
        RETURN u.key AS user_key, called(u) AS user, interactions
        ORDER BY interactions DESC, user_key
        """,
        columns("user_key user interactions:integer"),
        (Parameter("domain", "domain", "in which they took nothing", TARGET_DOMAIN),),
        pictures=(Line("user_key"),),
    ),
    Query(
        "history",
        "What a user took, in both domains",
        "Items with their ratings, where there are any.",
        """
        MATCH (u:User)-[r:RATED]->(i:Item)
        WHERE u.key IN $user
        RETURN r.domain AS domain, u.key AS user_key, i.key AS item_key, called(i) AS item, r.rating AS rating
        ORDER BY domain, item_key
        """,
        columns("domain user_key item_key item rating:number"),
        (_USER,),
        pictures=(Line("user_key", "item_key", "RATED"),),
    ),
    Query(
        "taste-shift",
        "How a user's taste differs between the domains",
        "Share of the user's items in each domain that have a genre (or what else the relation leads to), and the "
        "shift from source to target; the largest first.",
        """
        MATCH (u:User)-[r:RATED]->(i:Item)
        WHERE u.key IN $user
        WITH r.domain AS domain, count(DISTINCT i.key) AS taken
        MATCH (v:User)-[q:RATED]->(j:Item)
        WHERE v.key IN $user AND q.domain = domain
        MATCH (j)-[f:FACT]-(e:Entity)
        WHERE type(f) = $relation
        WITH domain, taken, called(e) AS entity, count(DISTINCT j.key) AS items
        WITH entity, sum(CASE WHEN domain = $source THEN 1.0 * items / taken ELSE 0.0 END) AS source_share,
             sum(CASE WHEN domain = $target THEN 1.0 * items / taken ELSE 0.0 END) AS target_share
        RETURN entity, source_share, target_share, target_share - source_share AS shift
        ORDER BY abs(shift) DESC, entity
        """,
        columns("entity source_share:number target_share:number shift:number"),
        (_USER, Parameter("relation", "text", "of items and what taste is counted by", "HAS_GENRE")),
    ),
    Query(
        "shortest-paths",
        "The shortest paths between a user and an item",
        "At most six steps through interactions, facts and links; recommendations are not walked along.",
        """
        MATCH (u:User)
        WHERE u.key IN $user
        MATCH (i:Item)
        WHERE i.key IN $item
        MATCH p = shortest((u)-[:KNOWN*1..6]-(i))
        WITH u.key AS first, i.key AS last, keys_of(p) AS keys, names_of(p) AS names, relations_of(p) AS relations,
             length(p) AS steps, $user AS users, $item AS items
        WHERE all(key IN keys WHERE key = first OR key = last OR NOT (key IN users OR key IN items))
        RETURN steps, names, relations, keys
        ORDER BY steps, joined(keys)
        """,
        columns("steps:integer names:list relations:list keys:list"),
        (_USER, _ITEM),
        pictures=(Chain("keys", "relations"),),
    ),
    Query(
        "paths-by-facts",
        "What a user's history shares with an item",
        "Items that the user took and the entities that the item has too: \"you took A, by X, who also made B\".",
        """
        MATCH (u:User)-[:RATED]->(h:Item)
        WHERE u.key IN $user AND NOT h.key IN $item
        MATCH (h)-[f:FACT]-(e:Entity)
        WHERE $relation = '' OR type(f) = $relation
        MATCH (e)-[:SAME_AS*0..1]-(x:Entity)
        MATCH (x)-[g:FACT]-(i:Item)
        WHERE i.key IN $item
        RETURN DISTINCT u.key AS user_key, h.key AS taken_key, called(h) AS taken, type(f) AS relation,
               e.key AS entity_key, called(e) AS entity, x.key AS same_key, type(g) AS item_relation,
               i.key AS item_key, called(i) AS item
        ORDER BY entity, taken_key, relation, item_relation, entity_key, same_key, item_key, user_key
        """,
        columns(
            "user_key taken_key taken relation entity_key entity same_key item_relation item_key item"
        ),
        (_USER, _ITEM, Parameter("relation", "text", "of what was taken and the entity; any, where empty", "")),
        pictures=(
            Line("user_key", "taken_key", "RATED"),
            Line("taken_key", "entity_key", column="relation"),
            Line("entity_key", "same_key", "SAME_AS"),
            Line("item_key", "same_key", column="item_relation"),
        ),
    ),
    Query(
        "paths-by-people",
        "What others who took an item have in common with a user",
        "Items of the user's history by the number of people who took them and the item.",
        """
        MATCH (u:User)-[:RATED]->(h:Item)
        WHERE u.key IN $user AND NOT h.key IN $item
        MATCH (h)<-[:RATED]-(o:User)
        WHERE NOT o.key IN $user
        MATCH (o)-[:SAME_AS*0..1]-(v:User)
        MATCH (v)-[:RATED]->(i:Item)
        WHERE i.key IN $item
        RETURN u.key AS user_key, h.key AS taken_key, called(h) AS taken, i.key AS item_key,
               count(DISTINCT o.key) AS people
        ORDER BY people DESC, taken_key, item_key, user_key
        """,
        columns("user_key taken_key taken item_key people:integer"),
        (_USER, _ITEM),
        pictures=(Line("user_key", "taken_key", "RATED"), Line("taken_key", "item_key", "taken together")),
    ),
)
