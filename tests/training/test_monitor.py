"""What training validates: which metric, on which rows."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from graph_schema import InputError
from kgxfer.bridges import propose_links, twin_pairs
from kgxfer.evaluation import WITHOUT_TWINS, EvaluationConfig, evaluate
from kgxfer.graph import KnowledgeGraph, build_graph
from kgxfer.model import TransferModel
from kgxfer.splits import Split
from kgxfer.training import Trainer
from tests.evaluation.scored import twin_world
from tests.networks import graph_of
from tests.training.test_training import trainer_of


@pytest.fixture(scope="module")
def graph(board_split: Split) -> KnowledgeGraph:
    return build_graph(board_split, propose_links(board_split, ["shared_id"]))


def test_a_metric_of_sampled_ranking_can_be_monitored(board_split: Split, graph: KnowledgeGraph) -> None:
    trainer = trainer_of(monitor="sampled_hr@3", epochs=1, supervision_settings={})
    recommender = trainer.fit(
        TransferModel("mf", dim=4), graph, board_split, evaluation=EvaluationConfig(sampled_negatives=4)
    )
    config = EvaluationConfig(k=3, sampled_negatives=4)
    expected = evaluate({"": recommender}, board_split, config, part="valid").value("", "sampled_hr@3", "films")
    assert trainer.records[0].validation == {"sampled_hr@3": pytest.approx(expected)}


@pytest.mark.parametrize(
    ("monitor", "words"),
    [
        ("ndgc@10", 'did you mean "ndcg@10"?'), ("recall", "recall@10"), ("ndcg@0", "ndcg@10"),
        ("sampled_mrr@10", "choices: "), ("nonsense", "choices: "),
    ],
)
def test_a_metric_that_does_not_exist_is_named_with_the_nearest(monitor: str, words: str) -> None:
    with pytest.raises(InputError, match=re.escape(f'unknown monitored metric "{monitor}"')) as caught:
        Trainer(monitor=monitor)
    assert words in str(caught.value)


def test_validation_rows_without_twins_can_choose() -> None:
    """zoe's f1 is a twin of her b1; what is monitored is her f3 alone, with f1 no candidate."""
    split, _ = twin_world()
    split = replace(split, valid=split.test[split.test["user_id"] == "zoe"])
    figures = {}
    for rows in ("all rows", WITHOUT_TWINS):
        trainer = trainer_of(monitor="ndcg@2", monitor_rows=rows, epochs=1, supervision_settings={})
        recommender = trainer.fit(TransferModel("mf", dim=4), graph_of(split), split, rng=1)
        config = EvaluationConfig(k=2, twins=True)
        report = evaluate({"": recommender}, split, config, twin_pairs(split), part="valid")
        figures[rows] = report.value("", "ndcg@2", "films", group=rows)
        assert trainer.records[0].validation == {"ndcg@2": pytest.approx(figures[rows])}
    assert figures["all rows"] != figures[WITHOUT_TWINS]


def test_twins_alone_cannot_choose_as_rows_without_twins() -> None:
    split, _ = twin_world()
    split = replace(split, valid=split.test[split.test["item_id"] == "f1"])
    with pytest.raises(InputError, match='no validation row is among the rows without twins; set monitor_rows to "all'):
        trainer_of(monitor_rows=WITHOUT_TWINS, supervision_settings={}).fit(TransferModel("mf"), graph_of(split), split)
