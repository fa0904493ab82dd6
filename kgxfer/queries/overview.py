"""What is in the graph: domains, relations, degrees, and how to find a node."""

from __future__ import annotations

from kgxfer.queries.values import Line, Parameter, Query, columns

OVERVIEW = (
    Query(
        "domains",
        "Nodes by domain and type",
        "How many nodes of each type each domain has; a node that both domains have counts in both.",
        """
        MATCH (n:Node)
        UNWIND n.domain AS domain
        RETURN domain, kind(n) AS type, count(*) AS nodes
        ORDER BY domain, nodes DESC, type
        """,
        columns("domain type nodes:integer"),
    ),
    Query(
        "relations",
        "Edges by relation, ends and domain",
        "How many edges of each kind there are; links between domains have no domain.",
        """
        MATCH (a:Node)-[r:KNOWN]->(b:Node)
        RETURN type(r) AS relation, kind(a) AS head_type, kind(b) AS tail_type, r.domain AS domain, count(*) AS edges
        ORDER BY relation, head_type, tail_type, coalesce(domain, '')
        """,
        columns("relation head_type tail_type domain edges:integer"),
    ),
    Query(
        "degrees",
        "How many edges nodes have, by type",
        "Smallest, median, mean and largest number of edges, recommendations not counted; a mean far above the median "
        "means a few hubs.",
        """
        MATCH (n:Node)
        OPTIONAL MATCH (n)-[r:KNOWN]-(:Node)
        WITH kind(n) AS type, n.key AS key, count(r) AS degree
        RETURN type, count(*) AS nodes, min(degree) AS smallest, percentileCont(degree, 0.5) AS median,
               avg(degree) AS mean, max(degree) AS largest
        ORDER BY type
        """,
        columns("type nodes:integer smallest:integer median:number mean:number largest:integer"),
    ),
    Query(
        "isolated",
        "Nodes without an edge",
        "What nothing can be learned about from the graph.",
        """
        MATCH (n:Node)
        WHERE NOT EXISTS { MATCH (n)-[:KNOWN]-(:Node) }
        RETURN kind(n) AS type, n.key AS key, called(n) AS name
        ORDER BY key
        """,
        columns("type key name"),
        pictures=(Line("key"),),
    ),
    Query(
        "find",
        "Nodes by a part of their name",
        "Nodes whose name contains the text, in whatever case, or whose id it is; the shortest names first.",
        """
        MATCH (n:Node)
        WHERE toLower(n.name) CONTAINS toLower($text) OR n.id = $text
        RETURN kind(n) AS type, n.key AS key, called(n) AS name, n.domain AS domains
        ORDER BY size(coalesce(name, '')), key
        """,
        columns("type key name domains:list"),
        (Parameter("text", "text", "part of a name, or an id"),),
        pictures=(Line("key"),),
    ),
    Query(
        "neighbours",
        "What a node is joined to",
        "Every edge at a node, and at the nodes that SAME_AS joins to it.",
        """
        MATCH (n:Node)-[r:KNOWN]-(m:Node)
        WHERE n.key IN $node
        WITH n, type(r) AS relation, m, CASE WHEN starts(r, n) THEN n.key ELSE m.key END AS head_key,
             CASE WHEN starts(r, n) THEN m.key ELSE n.key END AS tail_key
        RETURN n.key AS key, relation, m.key AS neighbour_key, called(m) AS neighbour, head_key, tail_key
        ORDER BY key, relation, neighbour_key, head_key
        """,
        columns("key relation neighbour_key neighbour head_key tail_key"),
        (Parameter("node", "node", "key, id or name of a node"),),
        pictures=(Line("head_key", "tail_key", column="relation"),),
    ),
    Query(
        "duplicate-names",
        "Nodes of one type and domain with one name",
        "What may be one thing under two ids (or two things with a common name).",
        """
        MATCH (n:Node)
        WHERE n.name IS NOT NULL AND n.name <> ''
        UNWIND n.domain AS domain
        WITH kind(n) AS type, domain, toLower(n.name) AS name, collect(n.key) AS keys
        WHERE size(keys) > 1
        RETURN type, domain, name, size(keys) AS nodes, keys
        ORDER BY nodes DESC, type, domain, name
        """,
        columns("type domain name nodes:integer keys:set"),
    ),
)
