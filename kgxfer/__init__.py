"""Cross-domain recommendation through one bridged knowledge graph.

From two domains' tables to recommendations: load a data set (`loaders`), split it, let bridges propose links, build the
graph, train a transfer model, evaluate it beside its controls::

    data = loaders.load("movielens-genres")
    split = ColdStartUsers(test_share=0.2).split(data, rng=0)
    links = propose_links(split, ["shared_id", "shared_entity"])
    graph = build_graph(split, links, combine="same_as_edges")
    model = TransferModel("relational", stages=["adversarial", "fusion"], dim=128)
    recommender = Trainer(epochs=50, monitor="ndcg@10").fit(model, graph, split, rng=0)
    report = evaluate({"kgxfer": recommender, "popularity": Popularity().fit(graph, split)}, split)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graph_schema.errors import InputError
    from kgxfer.baselines import ItemKNN, PersonalisedPageRank, Popularity, greedy_blend
    from kgxfer.bridges import propose_links, shuffle_links, twin_pairs
    from kgxfer.evaluation import EvaluationConfig, Report, best_control, check_leakage, compare, evaluate
    from kgxfer.graph import KnowledgeGraph, build_graph
    from kgxfer.model import TransferModel
    from kgxfer.recommender import Recommender
    from kgxfer.recommender_store import load_recommender, save_recommender
    from kgxfer.splits import ColdStartUsers, FixedFiles, Split
    from kgxfer.training import Trainer

_MODULE_OF = {
    "ColdStartUsers": "kgxfer.splits",
    "EvaluationConfig": "kgxfer.evaluation",
    "FixedFiles": "kgxfer.splits",
    "InputError": "graph_schema.errors",
    "ItemKNN": "kgxfer.baselines",
    "KnowledgeGraph": "kgxfer.graph",
    "PersonalisedPageRank": "kgxfer.baselines",
    "Popularity": "kgxfer.baselines",
    "Recommender": "kgxfer.recommender",
    "Report": "kgxfer.evaluation",
    "Split": "kgxfer.splits",
    "Trainer": "kgxfer.training",
    "TransferModel": "kgxfer.model",
    "best_control": "kgxfer.evaluation",
    "build_graph": "kgxfer.graph",
    "check_leakage": "kgxfer.evaluation",
    "compare": "kgxfer.evaluation",
    "evaluate": "kgxfer.evaluation",
    "greedy_blend": "kgxfer.baselines",
    "load_recommender": "kgxfer.recommender_store",
    "propose_links": "kgxfer.bridges",
    "save_recommender": "kgxfer.recommender_store",
    "shuffle_links": "kgxfer.bridges",
    "twin_pairs": "kgxfer.bridges",
}
"""Where each public name lives; modules are imported when a name is first used: the command line starts fast."""


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULE_OF[name]), name)


__all__ = [
    "ColdStartUsers",
    "EvaluationConfig",
    "FixedFiles",
    "InputError",
    "ItemKNN",
    "KnowledgeGraph",
    "PersonalisedPageRank",
    "Popularity",
    "Recommender",
    "Report",
    "Split",
    "Trainer",
    "TransferModel",
    "best_control",
    "build_graph",
    "check_leakage",
    "compare",
    "evaluate",
    "greedy_blend",
    "load_recommender",
    "propose_links",
    "save_recommender",
    "shuffle_links",
    "twin_pairs",
]
