"""Explanations: the strongest paths between a user's history and an item, under the model that recommends it."""

from kgxfer.explain.cypher import Query
from kgxfer.explain.explainer import Explainer, explain
from kgxfer.explain.explanation import Explanation
from kgxfer.explain.path import Node, Path, Step
from kgxfer.explain.search import SearchConfig

__all__ = ["Explainer", "Explanation", "Node", "Path", "Query", "SearchConfig", "Step", "explain"]
