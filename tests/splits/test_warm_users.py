"""Leave-one-out, ratio and temporal splits, and validation rows carved out of training: exact cases."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer.splits import FixedFiles, LeaveOneOut, Ratio, Split, Temporal
from loaders import CrossDomainDataset, DomainTables
from tests.worlds import checkerboard, domain_of, pair_of


def timed(name: str, letter: str, times: dict[str, str]) -> DomainTables:
    """User -> days of 1970, in which they take items 0, 1, 2...; "9-" is a day with a rating of 1, others 5."""
    rows = [
        (user, f"{letter}{number}", f"1970-01-{int(day.strip('-')):02}", 1.0 if day.endswith("-") else 5.0)
        for user, days in times.items()
        for number, day in enumerate(days.split())
    ]
    frame = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp", "rating"])
    return DomainTables.from_frames(name, frame, item_type="Book" if letter == "b" else "Movie")


BOOKS = timed("books", "b", {"ann": "1 2", "bob": "20", "cem": "5"})
FILMS = timed("films", "f", {"ann": "4 3 2 9-", "bob": "7 8 6", "cem": "1 12", "dee": "15"})
DAYS = pair_of(BOOKS, FILMS, positive_from=3)
UNTIMED = pair_of(
    domain_of("books", "Book", {"ann": "b1 b2 b3", "bob": "b1 b2 b3"}),
    domain_of("films", "Movie", {"ann": "f1 f2 f3 f4", "bob": "f1", "cem": "f1 f2"}),
)


def cells(rows: pd.DataFrame) -> list[str]:
    return [f"{row.domain} {row.user_id} {row.item_id}" for row in rows.itertuples()]


def parts(split: Split) -> dict[str, list[str]]:
    return {"valid": cells(split.valid), "test": cells(split.test)}


def test_leave_one_out_takes_the_last_relevant_rows_of_users_with_three() -> None:
    split = LeaveOneOut().split(DAYS)
    assert parts(split) == {"valid": ["films ann f1", "films bob f0"], "test": ["films ann f0", "films bob f1"]}
    assert "films ann f3" in cells(split.train), "a row that is not relevant is no test row, however late"
    assert split.protocol == "leave-one-out (films: last by time)"
    assert split.validation == "rows of warm users"
    assert split.cold_users.empty


def test_leave_one_out_without_validation_needs_two_rows() -> None:
    split = LeaveOneOut(validation=False, minimum_rows=2, domains=("source", "target")).split(DAYS)
    assert parts(split) == {"valid": [], "test": ["books ann b1", "films ann f0", "films bob f1", "films cem f1"]}
    assert split.validation == "none"


def test_leave_one_out_draws_where_there_is_no_time() -> None:
    splits = [LeaveOneOut(domains=("source", "target")).split(UNTIMED, rng=seed) for seed in range(30)]
    tested = {tuple(cells(split.test)) for split in splits}
    assert len(tested) > 10, "of 4 x 3 x 3 equally likely choices"
    assert all(split.test["user_id"].tolist() == ["ann", "bob", "ann"] for split in splits)
    assert splits[3].protocol == "leave-one-out (books: drawn, seed 3, films: drawn, seed 3)"


def test_one_domain_may_have_times_and_the_other_not() -> None:
    mixed = pair_of(domain_of("books", "Book", {"ann": "b1:5 b2:5 b3:5", "bob": "b1:5"}), FILMS)
    splits = [LeaveOneOut(domains=("source", "target")).split(mixed, rng=seed) for seed in range(20)]
    assert {tuple(cells(split.test)[1:]) for split in splits} == {("films ann f3", "films bob f1")}
    assert {cells(split.test)[0] for split in splits} == {"books ann b1", "books ann b2", "books ann b3"}
    assert splits[0].protocol == "leave-one-out (books: drawn, seed 0, films: last by time)"


def test_equal_times_are_drawn() -> None:
    films = timed("films", "f", {"ann": "1 9 9 9", "bob": "1"})
    found = {cells(LeaveOneOut().split(pair_of(BOOKS, films), rng=seed).test)[0] for seed in range(30)}
    assert found == {"films ann f1", "films ann f2", "films ann f3"}


@pytest.mark.parametrize(("tests", "valids", "counts"), [(0.2, 0.1, (1, 0)), (0.5, 0.5, (2, 1)), (0.38, 0.2, (2, 1))])
def test_ratio_rounds_to_whole_rows_and_leaves_one(tests: float, valids: float, counts: tuple[int, int]) -> None:
    films = domain_of("films", "Movie", {"ann": "f1 f2 f3 f4", "bob": "f1"})
    split = Ratio(test_share=tests, valid_share=valids).split(pair_of(BOOKS, films), rng=5)
    assert (len(split.test), len(split.valid)) == counts
    assert set(split.test["user_id"]) == {"ann"}
    assert split.protocol == f"ratio ({tests:.0%} of each user's rows, seed 5)"


def test_ratio_takes_rows_whether_relevant_or_not() -> None:
    found = {cell for seed in range(40) for cell in cells(Ratio(test_share=0.25).split(DAYS, rng=seed).test)}
    assert {f"films ann f{number}" for number in range(4)} < found


def test_a_global_cut_divides_both_domains_at_one_moment() -> None:
    split = Temporal(test_share=0.2, valid_share=0.2).split(DAYS)
    # Ten film rows; the last two are of days 12 and 15, the two before of 8 and 9.
    assert parts(split) == {
        "valid": ["films ann f3", "films bob f1"], "test": ["books bob b0", "films cem f1", "films dee f0"],
    }
    assert split.protocol == "temporal (rows from 1970-01-12 00:00:00 on)"
    assert split.validation == "rows of an earlier time"
    assert split.cold_users.to_numpy().tolist() == [["books", "bob"], ["films", "dee"]]


def test_a_user_whose_first_rows_were_validation_rows_is_warm_after_the_refit() -> None:
    films = timed("films", "f", {"ann": "1 2", "bob": "5 9", "cem": "9"})
    split = Temporal(test_from="1970-01-08", valid_from="1970-01-04").split(pair_of(BOOKS, films))
    assert split.cold_users.to_numpy().tolist() == [["books", "bob"], ["films", "bob"], ["films", "cem"]]
    assert split.for_refit().cold_users.to_numpy().tolist() == [["books", "bob"], ["films", "cem"]]


def test_given_moments_cut_and_zones_are_understood() -> None:
    split = Temporal(test_from="1970-01-08T02:00:00+02:00", valid_share=0.2).split(DAYS)
    # Of day 8 and later are 8, 9, 12, 15; a fifth of ten rows before them are those of days 6 and 7.
    assert parts(split) == {
        "valid": ["films bob f0", "films bob f2"],
        "test": ["books bob b0", "films ann f3", "films bob f1", "films cem f1", "films dee f0"],
    }


def test_per_user_the_last_share_is_tested_in_both_domains() -> None:
    split = Temporal(cut="per_user", test_share=0.25, valid_share=0.25).split(DAYS)
    assert parts(split) == {
        "valid": ["films ann f0", "films bob f0"],
        "test": ["books ann b1", "films ann f3", "films bob f1", "films cem f1"],
    }
    assert split.protocol == "temporal (the last 25% of each user's rows, seed 0)"


WARM = pair_of(
    domain_of("books", "Book", {"ann": "b1", "bob": "b1 b2", "cem": "b1 b2"}),
    domain_of("films", "Movie", {"ann": "f1 f2 f9", "bob": "f1 f2 f3", "cem": "f1 f2 f3", "dee": "f3 f4"}),
    test={"films": {"ann": "f9", "bob": "f3"}},
    valid={"films": {"cem": "f3"}},
)


def carved(seed: int, **settings: Any) -> Split:
    return FixedFiles(choose_on="training_rows", **settings).split(WARM, rng=seed)


def test_one_row_of_each_warm_user_is_carved_out_of_training() -> None:
    found = set()
    for seed in range(20):
        split = carved(seed)
        assert split.validation == "rows of warm users"
        assert set(split.valid["domain"]) == {"films"}, "books are not tested"
        assert not split.valid["user_id"].duplicated().any()
        assert split.valid["item_id"].isin(split.rows("train", "films")["item_id"]).all()
        assert "films cem f3" not in cells(split.train) + cells(split.valid), "the files' rows are used for nothing"
        found |= set(cells(split.valid))
    # dee is the only one with f3 and f4 in training: no model could find them if they left.
    assert found == {f"films {user} {item}" for user in ("ann", "bob", "cem") for item in ("f1", "f2")}


def test_the_share_of_the_users_who_give_a_row() -> None:
    likes = {f"u{number}": "f1 f2 f3" for number in range(20)} | {"tested": "f1 f2"}
    dataset = pair_of(
        domain_of("books", "Book", {"u0": "b1", "u1": "b1"}), domain_of("films", "Movie", likes),
        test={"films": {"tested": "f1"}},
    )
    for share, count in ((1.0, 20), (0.25, 5), (0.001, 1)):
        split = FixedFiles(choose_on="training_rows", valid_share=share).split(dataset, rng=1)
        assert len(split.valid) == split.valid["user_id"].nunique() == count


def test_given_validation_rows_of_warm_users_are_called_so() -> None:
    split = FixedFiles().split(WARM)
    assert split.validation == "rows of warm users"
    assert cells(split.for_refit().train)[-1] == "films cem f3"


@pytest.mark.parametrize(
    ("splitter", "dataset", "message"),
    [
        (LeaveOneOut(minimum_rows=9), DAYS, "leave-one-out (films: last by time): the test set has no relevant row"),
        (Ratio(test_share=0.01), DAYS, "ratio (1% of each user's rows, seed 0): the test set has no relevant row"),
        (Temporal(), UNTIMED, 'data set "world": domain "books" has no timestamps, which the split "temporal" needs'),
        (Temporal(test_from="1970-01-01"), DAYS, 'domain "books" keeps no training row; hold out less'),
        (Temporal(test_from="1971-01-01"), DAYS, "the test set has no relevant row"),
        (
            FixedFiles(choose_on="training_rows"),
            pair_of(
                domain_of("books", "Book", {"ann": "b1", "bob": "b1"}),
                domain_of("films", "Movie", {"ann": "f1 f2", "bob": "f2"}),
                test={"films": {"ann": "f1"}},
            ),
            "fixed files: no training row can be spared for choosing; choose on pseudo-cold users instead",
        ),
    ],
)
def test_what_cannot_be_divided_is_one_clear_line(
    splitter: Any, dataset: CrossDomainDataset, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        splitter.split(dataset)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("protocol", "settings", "message"),
    [
        (LeaveOneOut, {"minimum_rows": 2}, "with validation minimum_rows has to be at least 3"),
        (Temporal, {"cut": "per_user", "test_from": "2020-01-01"}, 'test_from and valid_from belong to the cut "glob'),
        (Temporal, {"valid_from": "2020-01-01"}, "valid_from needs test_from"),
        (Temporal, {"valid_from": "2020-01-01", "test_from": "2020-01-01"}, "valid_from has to lie before test_from"),
        (Ratio, {"test_share": 0}, "split ratio, key test_share: input should be greater than 0"),
    ],
)
def test_wrong_settings_are_one_clear_line(protocol: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        protocol(**settings)
    assert message in str(caught.value)


def test_an_exact_number_of_rows_on_the_checkerboard() -> None:
    # Each of 16 users likes 3 of the 4 items of their block, in each domain.
    board = checkerboard(16, 8)
    assert [len(part) for part in (LeaveOneOut().split(board).test, LeaveOneOut().split(board).valid)] == [16, 16]
    assert len(Ratio(test_share=0.34, domains=("source", "target")).split(board).test) == 32
