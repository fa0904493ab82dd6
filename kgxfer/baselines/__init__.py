"""Controls that need no training loop. Learned controls (BPR matrix factorisation, LightGCN) are encoders."""

from kgxfer.baselines.base import Baseline
from kgxfer.baselines.item_knn import ItemKNN
from kgxfer.baselines.personalised_pagerank import PersonalisedPageRank
from kgxfer.baselines.popularity import Popularity
from kgxfer.registry import Registry

BASELINES: Registry[Baseline] = Registry(
    "baseline",
    {"popularity": Popularity, "item_knn": ItemKNN, "personalised_pagerank": PersonalisedPageRank},
)

__all__ = ["BASELINES", "Baseline", "ItemKNN", "PersonalisedPageRank", "Popularity"]
