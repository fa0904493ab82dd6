"""Controls that need no training loop of ours; joint LightGCN, which does, is an encoder."""

from kgxfer.baselines.base import Baseline, Candidate
from kgxfer.baselines.blend import Blend, BlendConfig, greedy_blend
from kgxfer.baselines.bpr import BPR
from kgxfer.baselines.content import Content
from kgxfer.baselines.ease import EASE
from kgxfer.baselines.emcdr import EMCDR
from kgxfer.baselines.ials import IALS
from kgxfer.baselines.item_knn import ItemKNN
from kgxfer.baselines.personalised_pagerank import PersonalisedPageRank
from kgxfer.baselines.popularity import Popularity
from kgxfer.baselines.pure_svd import PureSVD
from kgxfer.baselines.recent_popularity import RecentPopularity
from kgxfer.baselines.rp3beta import RP3Beta
from kgxfer.baselines.user_knn import UserKNN
from kgxfer.registry import Registry

BASELINES: Registry[Baseline] = Registry(
    "baseline",
    {
        "popularity": Popularity, "recent_popularity": RecentPopularity, "item_knn": ItemKNN, "user_knn": UserKNN,
        "personalised_pagerank": PersonalisedPageRank, "rp3beta": RP3Beta, "bpr": BPR, "ease": EASE, "ials": IALS,
        "pure_svd": PureSVD, "content": Content, "emcdr": EMCDR,
    },
)

__all__ = [
    "BASELINES", "BPR", "EASE", "EMCDR", "IALS", "Baseline", "Blend", "BlendConfig", "Candidate", "Content", "ItemKNN",
    "PersonalisedPageRank", "Popularity", "PureSVD", "RP3Beta", "RecentPopularity", "UserKNN", "greedy_blend",
]
