"""What a report keeps: the scores behind its figures, by user and by row."""

from __future__ import annotations

import pytest

from graph_schema import InputError
from kgxfer.evaluation import ALL_ROWS, TWIN_ROWS, WITHOUT_TWINS, EvaluationConfig, evaluate
from tests.evaluation.scored import Scored, of_rows, twin_world
from tests.worlds import split_of


def test_every_rank_figure_is_the_mean_of_its_kept_scores() -> None:
    split, pairs = twin_world()
    model = Scored(split, lambda domain, user, item: float(item in ("f2", "f4")))
    settings = EvaluationConfig(k=2, sampled_negatives=3, twins=True, groups=True, exclude_other_positives=("films",))
    report = evaluate({"m": model}, split, settings, pairs)
    assert report.config == settings
    of_lists = ("coverage", "gini", "novelty", "serendipity", "diversity", "popularity_bias", "calibration")
    figures = report.figures[~report.figures["metric"].str.startswith(of_lists)]
    assert {ALL_ROWS, WITHOUT_TWINS, TWIN_ROWS, "cold-start users"} <= set(figures["group"])
    for row in figures.itertuples():
        scores = report.scores("m", row.domain, row.metric, row.group, row.average)
        assert (scores.mean(), len(scores)) == (pytest.approx(row.value), row.count), row
    ndcg = report.scores("m", "films", "ndcg@1")
    assert ndcg.index.name == "user_id"
    assert ndcg.to_dict() == {"zoe": 0, "yan": pytest.approx(1 / 2)}
    # Two films tie for the first place; a row alone does not share its user's other positive.
    alone = report.scores("m", "films", "mrr@2", average="per row")
    assert alone.to_dict() == {("zoe", "f1"): 0, ("zoe", "f3"): 0, ("yan", "f2"): pytest.approx((1 + 1 / 2) / 2)}


def test_scores_that_a_report_does_not_have_are_one_clear_line() -> None:
    split = split_of({"ann": "b1", "bob": "b1"}, {"ann": "f1", "bob": "f1 f2"}, {"films": {"ann": "f1"}})
    report = evaluate({"m": Scored(split, of_rows(split.test))}, split)
    for arguments, message in (
        (("n", "films", "ndcg@10"), 'unknown model "n"'),
        (("m", "books", "ndcg@10"), 'unknown evaluated domain "books"'),
        (("m", "films", "ndcgg@10"), 'unknown metric "ndcgg@10"; did you mean "ndcg@10"'),
        (("m", "films", "ndcg"), 'unknown metric "ndcg"'),
        (("m", "films", "auc@10"), 'unknown metric "auc@10"'),
        (("m", "films", "ndcg@10", WITHOUT_TWINS), 'unknown group "rows without twins"'),
        (("m", "films", "sampled_hr@10"), 'metric "sampled_hr@10" needs sampled ranking'),
        (("m", "films", "ndcg_linear@10"), 'metric "ndcg_linear@10" needs ratings'),
    ):
        with pytest.raises(InputError, match=message):
            report.scores(*arguments)
