"""Does transfer work where the truth is known? ``python -m benchmarks.case_study [WORLDS]``.

Every world has a source and a target domain whose users have the same tastes in both, shared through keywords. Judged
over all worlds by NDCG@10 of cold-start users: the joint model has to beat the target-only model (the same model on
disjoint domains) and stay below the oracle that knows the true preferences; with shuffled links it has to fall to
target-only.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from kgxfer import (
    ColdStartUsers,
    Popularity,
    Trainer,
    TransferModel,
    build_graph,
    evaluate,
    propose_links,
    shuffle_links,
)
from kgxfer.recommender import Catalogue, RankingModel
from kgxfer.rng import numpy_generator
from loaders.synthetic.case_study import CaseStudyConfig, World, generate


class Oracle(RankingModel):
    """Scores target items by the true probabilities of the world."""

    def __init__(self, catalogue: Catalogue, world: World) -> None:
        super().__init__(catalogue)
        self._world = world

    def score_places(self, domain: int, places: np.ndarray) -> np.ndarray:
        """See `RankingModel`; only the target domain has a truth to look up."""
        return self._world.oracle_scores(self.catalogue.user_ids[places]).astype(np.float32)


def judge(seed: int) -> dict[str, float]:
    """NDCG@10 of every contender in one world."""
    world = generate(CaseStudyConfig(seed=seed))
    split = ColdStartUsers(test_share=0.3, pseudo_cold_share=0.15).split(world.dataset, rng=seed)
    links = propose_links(split, ["shared_id", "shared_entity"])
    variants = {
        "joint": build_graph(split, links),
        "shuffled links": build_graph(split, shuffle_links(links, numpy_generator(seed, "shuffled links"))),
        "target only": build_graph(split, links, combine="disjoint"),
    }
    settings = {"learning_rate": 1e-2, "gate_learning_rate": 1e-2, "fact_gate": 1.0}
    model = TransferModel("relational", dim=32, encoder_settings=settings)
    supervision = {"share": 0.2, "hidden_share": 0.5, "rows_per_domain": 512, "negatives": 256}
    models: dict[str, RankingModel] = {
        name: Trainer(epochs=12, steps_per_epoch=10, patience=12, supervision_settings=supervision).fit(
            model, graph, split, rng=seed
        )
        for name, graph in variants.items()
    }
    models["popularity"] = Popularity().fit(variants["joint"], split)
    models["oracle"] = Oracle(Catalogue.of(split), world)
    report = evaluate(models, split)
    target = world.dataset.target.domain
    return {name: report.value(name, "ndcg@10", target) for name in models}


def main() -> None:
    """Judge the worlds, print means with standard errors and the paired comparisons, and write them as JSON."""
    worlds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    table = pd.DataFrame([judge(seed) for seed in range(worlds)])
    summary = pd.DataFrame({"mean": table.mean(), "standard error": table.sem()})
    print((100 * summary).round(2).to_string())
    comparisons = {}
    for first, second in (("joint", "target only"), ("oracle", "joint"), ("shuffled links", "target only")):
        difference = table[first] - table[second]
        comparisons[f"{first} - {second}"] = [float(difference.mean()), float(difference.sem())]
        print(f"{first} - {second}: {100 * difference.mean():.2f} +- {100 * difference.sem():.2f} (standard error)")
    target = Path(__file__).parent / "results" / "case_study.json"
    target.parent.mkdir(exist_ok=True)
    values = {"worlds": worlds, "ndcg@10": summary.to_dict("index"), "paired differences": comparisons}
    target.write_text(json.dumps(values, indent=1) + "\n")


if __name__ == "__main__":
    main()
