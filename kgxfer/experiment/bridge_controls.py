"""What each bridge is worth: the run's links, one bridge's links exchanged at random, and that bridge left out.

Exchanged links join the domains as densely and mean nothing: where they do as well as the true ones, a bridge adds
edges and no knowledge. Where the domains do as well without it, it adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from kgxfer.bridges import propose_links, shuffle_links
from kgxfer.bridges.review import KEY
from kgxfer.evaluation import evaluate
from kgxfer.evaluation.comparison import POOLED, compare
from kgxfer.experiment.config import BaselineRun, RunConfig
from kgxfer.experiment.fitting import Place, Talk, fit_baseline, train
from kgxfer.experiment.state import Ground, RunState, kept_links
from kgxfer.graph import build_graph
from kgxfer.recommender import RankingModel
from kgxfer.rng import numpy_generator
from kgxfer.splits import Split

TRUE = "true"
COLUMNS = (
    "model", "bridge", "links", "domain", "metric", "value", "mean_difference", "low", "high", "p", "p_holm", "decided",
)


def bridge_controls(config: RunConfig, state: RunState, place: Place, talk: Talk) -> pd.DataFrame:
    """Fit the model of [bridge_controls] on every variant of the links and compare each with the true links.

    Returns:
        One line per variant and domain with the columns of `COLUMNS`: links "true" (bridge empty), "shuffled" or "left
        out"; differences as `compare` gives them, NaN for the true links.
    """
    name = config.bridge_controls.model
    true = [_joined(config, ground.split, ground.links) for ground in (state.choosing, state.final)]
    models = {(TRUE, ""): _fit(TRUE, true[0], true[1] if config.split.refit else true[0], config, place, talk)}
    for number, bridge in enumerate(config.graph.bridges):
        if not len(_own(config, state.final.split, bridge)):
            talk.say(f"bridge controls: {bridge} proposes no links here")
            continue
        for links in ("shuffled", "left out"):
            choosing, final = _variants(config, state, bridge, links)
            models[links, bridge] = _fit(f"{number}-{links.replace(' ', '-')}", choosing, final, config, place, talk)
            talk.say(f"bridge controls: {name} fitted with {bridge} {links}")
    return _table(config, state, models)


def _table(config: RunConfig, state: RunState, models: dict[tuple[str, str], RankingModel]) -> pd.DataFrame:
    metric, name = config.compared_metric, config.bridge_controls.model
    labels = {" ".join(key): key for key in models}
    settings = config.evaluation.model_copy(update={"twins": False, "groups": False})
    report = evaluate({" ".join(key): model for key, model in models.items()}, state.final.split, settings)
    lines = []
    for domain in state.final.split.evaluated_domains:
        if len(report.rows[next(iter(labels))].get(domain, ())):
            for label, (links, bridge) in labels.items():
                value = report.value(label, metric, domain, average="per user")
                lines.append({"label": label, "bridge": bridge, "links": links, "domain": domain, "value": value})
    table = pd.DataFrame(lines).assign(model=name, metric=metric)
    if len(models) == 1:
        return table.reindex(columns=list(COLUMNS))
    compared = compare(report, f"{TRUE} ", metric=metric, rng=config.seed, config=config.statistics).table
    compared = compared[compared["domain"] != POOLED].rename(columns={"model": "label"})
    figures = ["label", "domain", "mean_difference", "low", "high", "p", "p_holm", "decided"]
    joined = table.merge(compared[figures], on=["label", "domain"], how="left")
    return joined.assign(decided=joined["decided"].astype("boolean"))[list(COLUMNS)]


def _own(config: RunConfig, split: Split, bridge: str) -> pd.DataFrame:
    """The links of one bridge that the run keeps."""
    return kept_links(split, config.graph, config.graph.bridge(bridge).links(split))[0]


def _variants(config: RunConfig, state: RunState, bridge: str, links: str) -> Iterator[Ground]:
    """The grounds of choosing and of testing with other links; one and the same unless the run refits."""
    choosing = _changed(config, state.choosing.split, bridge, links)
    yield choosing
    yield _changed(config, state.final.split, bridge, links) if config.split.refit else choosing


def _changed(config: RunConfig, split: Split, bridge: str, links: str) -> Ground:
    others = propose_links(split, [config.graph.bridge(name) for name in config.graph.bridges if name != bridge])
    changed, _ = kept_links(split, config.graph, others)
    if links == "shuffled":
        exchanged = shuffle_links(_own(config, split, bridge), numpy_generator(config.seed, "bridge controls", bridge))
        tables = [table for table in (changed, exchanged[changed.columns]) if len(table)]
        changed = pd.concat(tables, ignore_index=True).drop_duplicates(KEY, ignore_index=True)
    return _joined(config, split, changed)


def _joined(config: RunConfig, split: Split, links: pd.DataFrame) -> Ground:
    """The ground of other links, joined as the model's graph is."""
    run_of = config.models.get(config.bridge_controls.model)
    combine = (run_of.combine if run_of else None) or config.graph.combine
    return Ground(split, links, build_graph(split, links, combine))


def _fit(label: str, choosing: Ground, final: Ground, config: RunConfig, place: Place, talk: Talk) -> RankingModel:
    name = config.bridge_controls.model
    if name in config.models:
        folder = Place(place.checkpoints / "bridge-controls" / label, place.resume)
        grounds = [choosing, final]
        trained = train(name, config.models[name], config.seed, config, grounds, folder, Talk(talk.progress))
        return trained.records[-1].recommender
    run_of = config.baselines.get(name, BaselineRun(kind=name))
    return fit_baseline(name, run_of, config, choosing, final)[0].final
