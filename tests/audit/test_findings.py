"""Every question has a world whose answer is known."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.audit import FINDINGS, AuditConfig, Listed
from kgxfer.audit.findings.popularity import popular_lists, popular_test
from kgxfer.audit.findings.ranking import sampled_against_full, ties
from kgxfer.audit.findings.rows import duplicates, leakage, validation_users
from kgxfer.audit.findings.transfer import negative_transfer, power
from kgxfer.audit.findings.twins import twin_gain, twins, users_shuffled
from kgxfer.audit.subject import TARGET_ONLY, Subject
from kgxfer.evaluation.leakage import Kind
from kgxfer.evaluation.power import detectable_difference
from kgxfer.splits import Split
from tests.audit.subjects import FILMS, cold_split, lists, subject_of, warm_split
from tests.worlds import SOURCE, TARGET

COLD, WARM = cold_split(), warm_split()
SECOND = 1 / math.log2(3)
"""Discount of the second place."""

TESTED = {f"u{n}": [f"f{n if n < 4 else 10 + n}", f"f{20 + n}"] for n in range(8)}
SILENT = lists(COLD, {"u23": "f1"})
"""Lists nothing for anyone who is tested."""


def only_twins(split: Split) -> Listed:
    """Finds the twin rows and nothing else."""
    return lists(split, {f"u{n}": f"f{n} f38" if n < 4 else "f38 f37" for n in range(8)})


def all_but_twins(split: Split) -> Listed:
    return lists(split, {f"u{n}": f"f{20 + n} f38" if n < 4 else f"f{20 + n} f{10 + n}" for n in range(8)})


def lines_of(table: pd.DataFrame, model: str) -> dict[str, float]:
    return {str(key): value for key, value in table[table["model"] == model].iloc[0].items()}


@pytest.fixture(scope="module")
def cold() -> Subject:
    return subject_of(COLD, {"only twins": only_twins(COLD), "no twins": all_but_twins(COLD), "silent": SILENT})


@pytest.fixture(scope="module")
def warm() -> Subject:
    worst = {
        user: " ".join(f"f{film}" for film in range(12) if f"f{film}" != item)
        for user, item in zip(WARM.test["user_id"], WARM.test["item_id"], strict=True)
    }
    best = dict(zip(WARM.test["user_id"], WARM.test["item_id"], strict=True))
    return subject_of(WARM, {"worst": lists(WARM, worst), "best": lists(WARM, best)}, draws=10_000)


def test_twins_and_the_rows_they_give_away(cold: Subject) -> None:
    found = twins(cold)
    assert sorted(zip(cold.pairs["source_id"], cold.pairs["target_id"], strict=True)) == [
        (f"b{n}", f"f{n}") for n in range(4)
    ]
    assert found.numbers["pairs"] == 4 and found.numbers["share of test rows, films"] == 4 / 16
    assert found.concern and "25.0 % of the test rows of films" in found.verdict


def test_shuffled_users_keep_everything_but_the_pairs() -> None:
    shuffled = users_shuffled(COLD, np.random.default_rng(0))
    before, after = (split.train[split.train["domain"] == TARGET] for split in (COLD, shuffled))
    pd.testing.assert_frame_equal(
        COLD.train[COLD.train["domain"] == SOURCE], shuffled.train[shuffled.train["domain"] == SOURCE]
    )
    assert list(before["item_id"]) == list(after["item_id"]) and set(before["user_id"]) == set(after["user_id"])
    exchanged = dict(zip(before["user_id"], after["user_id"], strict=True))
    assert [exchanged[user] for user in before["user_id"]] == list(after["user_id"])
    assert sum(user != other for user, other in exchanged.items()) > 10


def test_the_share_of_the_gain_that_is_twins(cold: Subject) -> None:
    """Popularity ties the four twins first: (1 + 0.63) / 4 on each of four twin rows, 0 on the twelve others."""
    floor = 4 * (1 + SECOND) / 4
    table = twin_gain(cold).table
    everything, nothing, silent = (lines_of(table, name) for name in ("only twins", "no twins", "silent"))
    assert everything["from twins"] == pytest.approx(1) and everything["hits, twin rows"] == 1
    assert everything["gain"] == pytest.approx((4 - floor) / 16) and everything["hits, other rows"] == 0
    others = 8 + 4 * SECOND
    assert nothing["gain"] == pytest.approx((others - floor) / 16)
    assert nothing["from twins"] == pytest.approx(-floor / (others - floor))
    assert floor > 16 * (1 + SECOND) / FILMS and math.isnan(silent["from twins"])


def test_copies_are_counted_by_kind() -> None:
    clean = duplicates(subject_of(COLD))
    assert not clean.concern and not any(clean.numbers.values())
    copied = replace(COLD, train=pd.concat([COLD.train, COLD.test.iloc[:3]], ignore_index=True))
    found = duplicates(subject_of(copied))
    assert found.concern and found.numbers[str(Kind.ROWS_IN_TWO_PARTS)] == 3
    assert str(Kind.ROWS_IN_TWO_PARTS) in found.verdict


def test_leaks_are_named() -> None:
    assert not leakage(subject_of(COLD)).concern
    subject = subject_of(cold_split(valid_users=3))
    found = leakage(subject)
    assert found.concern and list(found.table["kind"]) == [str(Kind.CHOSEN_ON_TEST_USERS)]
    assert found.verdict == "0 leaks and 1 warning: choosing on the test users."


def test_test_users_with_validation_rows() -> None:
    found = validation_users(subject_of(cold_split(valid_users=3)))
    assert found.numbers == {"share of test users, films": 3 / 8} and found.concern
    assert found.verdict.startswith("3 of 8 test users of films have validation rows there: choosing on them flatters")
    assert not validation_users(subject_of(COLD)).concern


def test_ties_both_ways(cold: Subject) -> None:
    """Where nothing is listed all 33 films are tied: 2 of 33 in full, 2 of 11 among ten negatives, or all, or none."""
    silent = lines_of(ties(cold).table, "silent")
    gain = (1 + SECOND) / FILMS
    assert silent["tied rows"] == 1
    assert [silent[f"sampled HR, {way}"] for way in ("pessimistic", "uniform", "optimistic")] == pytest.approx(
        [0, 2 / 11, 1]
    )
    assert [silent[f"full NDCG, {way}"] for way in ("pessimistic", "uniform", "optimistic")] == pytest.approx(
        [0, gain, 1]
    )
    assert lines_of(ties(cold).table, "no twins")["tied rows"] == pytest.approx(4 / 16)
    found = ties(cold)
    assert found.concern and "100.0 % of the test rows of films are tied for silent" in found.verdict


def test_sampled_ranking_can_turn_the_order_around() -> None:
    """One puts half its rows first and half last, the other all of them fourth and fifth of 33.

    In full NDCG@2 that is 1/2 against 0. Among ten draws from 32, the first still has 1/2; the other is first when no
    draw is one of the three (four) above it, and second when one is.
    """
    decoys = "f30 f31 f32"
    films = list(COLD.dataset.target.items["item_id"])
    half = {user: " ".join([t[0], *(f for f in films if f not in t)]) for user, t in TESTED.items()}
    near = {user: f"{decoys} {' '.join(tested)}" for user, tested in TESTED.items()}
    found = sampled_against_full(subject_of(COLD, {"half": lists(COLD, half), "near": lists(COLD, near)}))
    first, second = (lines_of(found.table, name) for name in ("half", "near"))
    expected = [
        (1 - above / 32) ** 10 + SECOND * 10 * above / 32 * (1 - above / 32) ** 9 for above in (3, 4)
    ]
    assert (first["full NDCG"], second["full NDCG"]) == (0.5, 0)
    assert first["sampled NDCG"] == pytest.approx(0.5) and second["sampled NDCG"] == pytest.approx(np.mean(expected))
    assert first["place, full"] < second["place, full"] and first["place, sampled"] > second["place, sampled"]
    assert found.concern and found.numbers["Kendall's tau, films"] < 1


def test_how_popular_the_tested_items_are(cold: Subject) -> None:
    train = COLD.rows("train", TARGET)["item_id"]
    counts = {item: int((train == item).sum()) for item in COLD.dataset.target.items["item_id"]}

    def percentile(item: str) -> float:
        below = sum(count < counts[item] for count in counts.values())
        return (below + sum(count == counts[item] for count in counts.values()) / 2) / len(counts)

    line = popular_test(cold).table.iloc[0]
    assert line["percentile of test items"] == pytest.approx(np.mean([percentile(i) for i in COLD.test["item_id"]]))
    assert line["percentile of training rows"] == pytest.approx(np.mean([percentile(i) for i in train]))
    assert line["popularity hits, full"] == pytest.approx(4 * 0.5 / 16)
    assert line["best other"] == "no twins" and not popular_test(cold).concern


def test_what_is_recommended(cold: Subject) -> None:
    table = popular_lists(cold).table
    assert lines_of(table, "only twins")["items shown"] == 6 / FILMS
    assert lines_of(table, "popularity")["items shown"] == 2 / FILMS


def test_whom_the_other_domain_harms(warm: Subject) -> None:
    assert TARGET_ONLY in warm.report.rows
    found = negative_transfer(warm)
    everyone = found.table[found.table["group"] == "all rows"]
    difference = dict(zip(everyone["model"], everyone["difference"], strict=True))
    own = everyone["own domain only"].iloc[0]
    assert own == warm.report.scores(TARGET_ONLY, TARGET, "ndcg@2").mean() > 0.3
    assert (difference["worst"], difference["best"]) == pytest.approx((-own, 1 - own))
    harmed = found.table[(found.table["p (Holm)"] < 0.05) & (found.table["difference"] < 0)]
    assert set(harmed["model"]) == {"worst"} and found.concern and "by worst (-" in found.verdict


def test_cold_users_are_compared_with_popularity(cold: Subject) -> None:
    assert TARGET_ONLY not in cold.report.rows
    table = negative_transfer(cold).table
    floor = cold.report.scores("popularity", TARGET, "ndcg@2").mean()
    assert set(table.loc[table["group"] == "all rows", "own domain only"]) == {floor}


def test_the_smallest_decidable_difference(cold: Subject) -> None:
    table = power(cold).table.set_index(["model", "against"])
    first, second = (cold.report.scores(name, TARGET, "ndcg@2") for name in ("only twins", "no twins"))
    line = table.loc[("only twins", "no twins")]
    assert line["difference"] == pytest.approx((first - second).mean())
    assert line["smallest decidable"] == pytest.approx(detectable_difference(first - second))
    models = len(cold.models)
    assert len(table) == models * (models - 1) / 2


def test_one_user_decides_nothing() -> None:
    single = replace(COLD, test=COLD.test[COLD.test["user_id"] == "u0"], cold_users=COLD.cold_users.iloc[:1])
    found = power(subject_of(single))
    assert found.concern and not found.table["decidable"].any()
    assert found.record()["numbers"]["smallest decidable, films"] is None


@pytest.mark.parametrize("question", FINDINGS, ids=lambda question: question.__name__)
@pytest.mark.parametrize("kind", ["cold", "warm"])
def test_every_finding_is_one_sentence_and_plain_figures(
    question: object, kind: str, request: pytest.FixtureRequest
) -> None:
    subject = request.getfixturevalue(kind)
    found, again = question(subject), question(subject)  # type: ignore[operator]
    assert found.verdict.endswith(".") and "\n" not in found.verdict and "nan" not in found.verdict
    assert set(found.shares) <= set(found.table.columns) and found.method.endswith(".")
    assert found.record() == json.loads(json.dumps(found.record(), allow_nan=False)) == again.record()
    assert all(np.isscalar(value) for value in found.numbers.values())


def test_names_and_titles_are_used_once(cold: Subject) -> None:
    found = [question(cold) for question in FINDINGS]
    assert len({each.name for each in found}) == len({each.title for each in found}) == len(FINDINGS)


def test_a_model_may_not_be_called_like_a_control() -> None:
    with pytest.raises(InputError, match='"item_knn" is the name of a control'):
        subject_of(COLD, {"item_knn": SILENT})


def test_settings_are_bounded() -> None:
    with pytest.raises(InputError, match="key shuffles: input should be greater than or equal to 1"):
        AuditConfig.parse({"shuffles": 0}, "audit")
