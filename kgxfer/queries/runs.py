"""What models wrote back: recommendations, how concentrated they are, and how two runs differ."""

from __future__ import annotations

from kgxfer.queries.values import BEFORE_LATEST, LATEST, TARGET_DOMAIN, Line, Parameter, Query, columns

_RUN = Parameter("run", "run", "whose recommendations; the latest, where not given", LATEST)
_BEFORE = Parameter("before", "run", "that it is compared with; the one before the latest, where not given",
                    BEFORE_LATEST)
_NEEDS = ("RECOMMENDED",)

RUNS = (
    Query(
        "runs",
        "Runs whose recommendations are stored",
        "Model, moment, users and items of each; the latest first.",
        """
        MATCH (u:User)-[r:RECOMMENDED]->(i:Item)
        RETURN r.run AS run, r.model AS model, max(r.at) AS at, count(DISTINCT u.key) AS users,
               count(DISTINCT i.key) AS items, count(*) AS recommendations
        ORDER BY at DESC, run
        """,
        columns("run model at:datetime users:integer items:integer recommendations:integer"),
        needs=_NEEDS,
    ),
    Query(
        "recommendations",
        "What a run recommends to a user, and what speaks for it",
        "Items by rank, with the entities that they share with what the user took.",
        """
        MATCH (v:User)
        WHERE v.key IN $user
        MATCH (v)-[:RATED]->(:Item)-[:FACT]-(e:Entity)
        WITH DISTINCT e
        MATCH (e)-[:SAME_AS*0..1]-(x:Entity)
        WITH collect(DISTINCT x.key) AS known
        MATCH (u:User)-[r:RECOMMENDED]->(i:Item)
        WHERE u.key IN $user AND r.run = $run
        OPTIONAL MATCH (i)-[:FACT]-(y:Entity) WHERE y.key IN known
        RETURN r.rank AS rank, u.key AS user_key, i.key AS item_key, called(i) AS item, r.score AS score,
               count(DISTINCT y.key) AS shared, collect(DISTINCT called(y)) AS entities
        ORDER BY rank, item_key
        """,
        columns("rank:integer user_key item_key item score:number shared:integer entities:set"),
        (Parameter("user", "user", "key, id or name of a user"), _RUN),
        needs=_NEEDS,
        pictures=(Line("user_key", "item_key", "RECOMMENDED"),),
    ),
    Query(
        "most-recommended",
        "The items that a run recommends most",
        "How often, and how many users took them: a run that repeats the popular items says little.",
        """
        MATCH (:User)-[r:RECOMMENDED]->(i:Item)
        WHERE r.run = $run
        WITH i, count(*) AS recommended, avg(r.rank) AS mean_rank
        OPTIONAL MATCH (u:User)-[:RATED]->(i)
        RETURN i.key AS item_key, called(i) AS item, recommended, mean_rank, count(u) AS users
        ORDER BY recommended DESC, mean_rank, item_key
        """,
        columns("item_key item recommended:integer mean_rank:number users:integer"),
        (_RUN,),
        needs=_NEEDS,
        pictures=(Line("item_key"),),
    ),
    Query(
        "concentration",
        "How concentrated the recommendations of each run are",
        "Different items, the share that the most recommended one takes, and how many items recommended equally often "
        "would be as concentrated (inverse of the sum of squared shares).",
        """
        MATCH (:User)-[r:RECOMMENDED]->(i:Item)
        WITH r.run AS run, i.key AS item, count(*) AS times
        WITH run, count(*) AS items, sum(times) AS recommendations, max(times) AS most, sum(times * times) AS squares
        RETURN run, recommendations, items, 1.0 * most / recommendations AS largest_share,
               1.0 * recommendations * recommendations / squares AS effective_items
        ORDER BY run
        """,
        columns("run recommendations:integer items:integer largest_share:number effective_items:number"),
        needs=_NEEDS,
    ),
    Query(
        "never-recommended",
        "Items that a run recommends to nobody",
        "Those that most users took first.",
        """
        MATCH (i:Item)
        WHERE $domain IN i.domain AND NOT EXISTS { MATCH (:User)-[r:RECOMMENDED]->(i) WHERE r.run = $run }
        OPTIONAL MATCH (u:User)-[:RATED]->(i)
        RETURN i.key AS item_key, called(i) AS item, count(u) AS users
        ORDER BY users DESC, item_key
        """,
        columns("item_key item users:integer"),
        (_RUN, Parameter("domain", "domain", "whose items", TARGET_DOMAIN)),
        needs=_NEEDS,
        pictures=(Line("item_key"),),
    ),
    Query(
        "drift-by-user",
        "How much two runs differ, by user",
        "Recommendations that both runs make, that came and that went; overlap is what both make of what either makes. "
        "The users with least overlap first.",
        """
        MATCH (u:User)-[r:RECOMMENDED]->(i:Item)
        WHERE r.run = $before OR r.run = $run
        WITH u, i.key AS item, max(CASE WHEN r.run = $before THEN 1 ELSE 0 END) AS was,
             max(CASE WHEN r.run = $run THEN 1 ELSE 0 END) AS now
        WITH u, sum(was * now) AS kept, sum(now * (1 - was)) AS came, sum(was * (1 - now)) AS went
        RETURN u.key AS user_key, called(u) AS user, kept, came, went, 1.0 * kept / (kept + came + went) AS overlap
        ORDER BY overlap, user_key
        """,
        columns("user_key user kept:integer came:integer went:integer overlap:number"),
        (_RUN, _BEFORE),
        needs=_NEEDS,
        pictures=(Line("user_key"),),
    ),
    Query(
        "drift-by-item",
        "Items that came and went between two runs",
        "How often each run recommends an item; the largest change first.",
        """
        MATCH (:User)-[r:RECOMMENDED]->(i:Item)
        WHERE r.run = $before OR r.run = $run
        WITH i, sum(CASE WHEN r.run = $before THEN 1 ELSE 0 END) AS was,
             sum(CASE WHEN r.run = $run THEN 1 ELSE 0 END) AS now
        RETURN i.key AS item_key, called(i) AS item, was, now, now - was AS change
        ORDER BY abs(change) DESC, item_key
        """,
        columns("item_key item was:integer now:integer change:integer"),
        (_RUN, _BEFORE),
        needs=_NEEDS,
        pictures=(Line("item_key"),),
    ),
)
