"""Questions to a stored knowledge graph: named, documented, parametrised, the same on Neo4j and on Ladybug."""

from kgxfer.queries.draw import answer_graph, draw, drawable
from kgxfer.queries.grouping import CommunityConfig, find_communities
from kgxfer.queries.pack import QUERIES, THEMES, query_names
from kgxfer.queries.run import query_text, run_query
from kgxfer.queries.values import Chain, Column, Line, Parameter, Query

__all__ = [
    "QUERIES", "THEMES", "Chain", "Column", "CommunityConfig", "Line", "Parameter", "Query", "answer_graph", "draw",
    "drawable", "find_communities", "query_names", "query_text", "run_query",
]
