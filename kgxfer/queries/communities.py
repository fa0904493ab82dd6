"""Communities, which `kgxfer.queries.grouping` computes and writes back."""

from __future__ import annotations

from kgxfer.queries.values import Line, Parameter, Query, columns

_NEEDS = (".community",)

COMMUNITIES = (
    Query(
        "communities",
        "Communities and what they join",
        "Nodes that are joined more among themselves than to others, by size; one with nodes of both domains is where "
        "transfer can happen. `kgxfer graph communities` finds them.",
        """
        MATCH (n:Node)
        WHERE n.community IS NOT NULL
        RETURN n.community AS community, count(*) AS nodes,
               sum(CASE WHEN $source IN n.domain THEN 1 ELSE 0 END) AS source_nodes,
               sum(CASE WHEN $target IN n.domain THEN 1 ELSE 0 END) AS target_nodes
        ORDER BY nodes DESC, community
        """,
        columns("community:integer nodes:integer source_nodes:integer target_nodes:integer"),
        needs=_NEEDS,
    ),
    Query(
        "community-of",
        "The community of a node",
        "Its other members, those with most edges first.",
        """
        MATCH (n:Node)
        WHERE n.key IN $node
        WITH n.community AS community
        MATCH (m:Node)
        WHERE m.community = community AND NOT m.key IN $node
        WITH DISTINCT m
        OPTIONAL MATCH (m)-[r:KNOWN]-(:Node)
        WITH m, count(r) AS edges
        RETURN m.key AS key, called(m) AS name, kind(m) AS type, edges
        ORDER BY edges DESC, key
        """,
        columns("key name type edges:integer"),
        (Parameter("node", "node", "key, id or name of a node"),),
        needs=_NEEDS,
        pictures=(Line("key"),),
    ),
    Query(
        "between-communities",
        "What joins communities to each other",
        "Edges between two communities, by relation; the strongest first.",
        """
        MATCH (a:Node)-[r:KNOWN]->(b:Node)
        WHERE a.community <> b.community
        WITH CASE WHEN a.community < b.community THEN a.community ELSE b.community END AS community,
             CASE WHEN a.community < b.community THEN b.community ELSE a.community END AS other, type(r) AS relation
        RETURN community, other, relation, count(*) AS edges
        ORDER BY edges DESC, community, other, relation
        """,
        columns("community:integer other:integer relation edges:integer"),
        needs=_NEEDS,
    ),
)
