from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

import loaders
from graph_schema import InputError
from loaders import CrossDomainDataset
from loaders.public.cdrib import CLOTH_SPORT, GAME_VIDEO, CdribPair

Load = Callable[[str], CrossDomainDataset]

SMALL = CdribPair("game", "video", common_users=2, size_bytes=0, counts={"overlapping_users": 2, "game.test": 1})
FILES = {
    "game_video/train.txt": b"2\t1\n2\t0\n1\t0\n",
    "game_video/valid.txt": b"0\t0\n",
    "game_video/test.txt": b"0\t1\n",
    "video_game/train.txt": b"2\t0\n0\t0\n",
    "video_game/valid.txt": b"1\t0\n",
    "video_game/test.txt": b"1\t1\n",
}


def test_ids_below_the_number_of_common_users_are_one_person_and_others_are_not() -> None:
    dataset = SMALL.parse(FILES)
    assert dataset.source.users["user_id"].tolist() == ["u0", "u1", "game:2"]
    assert dataset.target.users["user_id"].tolist() == ["u0", "u1", "video:2"]
    assert dataset.overlapping_users.tolist() == ["u0", "u1"]


def test_interactions_hold_all_parts_and_fixed_says_which_are_held_out() -> None:
    dataset = SMALL.parse(FILES)
    assert dataset.source.interactions.to_numpy().tolist() == [
        ["game:2", "1"],
        ["game:2", "0"],
        ["u1", "0"],
        ["u0", "0"],
        ["u0", "1"],
    ]
    assert dataset.fixed["valid"].to_numpy().tolist() == [["game", "u0", "0"], ["video", "u1", "0"]]
    assert dataset.fixed["test"].to_numpy().tolist() == [["game", "u0", "1"], ["video", "u1", "1"]]


def test_items_are_products_in_the_order_of_their_numbers() -> None:
    items = SMALL.parse(FILES).source.items
    assert items.to_dict("list") == {"item_id": ["0", "1"], "item_type": ["Product", "Product"]}


def test_other_counts_than_the_cards_are_refused() -> None:
    with pytest.raises(
        InputError, match='data set "cdrib-game-video": game.test is 1, expected 2; .* fetch them again'
    ):
        replace(SMALL, counts={"game.test": 2}).parse(FILES)


def test_the_origin_is_pinned_to_a_commit() -> None:
    first = GAME_VIDEO.files[0]
    assert first.url == (
        "https://raw.githubusercontent.com/cjx96/CDRIB/bd9894565ce06e9ab187f8a52ba03919aaee5e13/"
        "dataset/game_video/train.txt"
    )
    assert [file.file for file in CLOTH_SPORT.files][::3] == ["cloth_sport/train.txt", "sport_cloth/train.txt"]


FIGURES = [
    ("cdrib-game-video", "game", (25_025, 12_319, 155_036, 1_381, 1_304), (1_953, 2_179)),
    ("cdrib-game-video", "video", (19_457, 8_751, 156_091, 1_435, 1_458), (1_736, 1_953)),
    ("cdrib-cloth-sport", "cloth", (41_829, 17_943, 187_880, 3_156, 3_085), (8_838, 9_828)),
    ("cdrib-cloth-sport", "sport", (27_328, 12_655, 163_291, 3_589, 3_546), (7_856, 8_838)),
]


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "domain", "figures", "cold"), FIGURES)
def test_the_figures_of_the_real_files(
    name: str, domain: str, figures: tuple[int, ...], cold: tuple[int, int], loaded: Load
) -> None:
    dataset = loaded(name)
    tables = dataset.domain(domain)
    parts = {part: rows[rows["domain"] == domain] for part, rows in dataset.fixed.items()}
    held_out = len(parts["valid"]) + len(parts["test"])
    train = len(tables.interactions) - held_out
    assert (len(tables.users), len(tables.items), train, len(parts["valid"]), len(parts["test"])) == figures
    cold_users = set(parts["valid"]["user_id"]) | set(parts["test"]["user_id"])
    assert cold_users <= {f"u{number}" for number in range(*cold)}
    rows = tables.interactions[tables.interactions["user_id"].isin(cold_users)]
    assert len(rows) == held_out
    other = next(other for other in dataset.domains if other is not tables)
    assert cold_users <= set(other.interactions["user_id"])


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "common"), [("cdrib-game-video", 2_179), ("cdrib-cloth-sport", 9_828)])
def test_the_id_rule_of_the_real_files(name: str, common: int, loaded: Load) -> None:
    dataset = loaded(name)
    assert dataset.overlapping_users.tolist() == [f"u{number}" for number in range(common)]
    for tables in dataset.domains:
        others = tables.users["user_id"][common:]
        assert others.str.startswith(f"{tables.domain}:").all()
        assert others.str.split(":").str[1].astype(int).min() == common
    assert loaders.card(name).counts["overlapping_users"] == common
