"""Mistakes as a user of the command line meets them: one line with the remedy, status 2, nothing half-written.

Tested elsewhere, and not again here: names and keys at the top of a configuration, a missing configuration, one that is
not TOML, unknown users and domains, a run that exists (tests/test_cli.py); absent, truncated and damaged downloads and
a full disk while downloading (tests/loaders/test_download.py); tables that contradict each other, nothing in common and
a domain of one user as Python calls (tests/loaders); damaged models (tests/test_recommender_store.py), checkpoints
(tests/training) and graphs (tests/graph/test_storage.py); a folder that is not a run's, a run that is complete
(tests/experiment).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import loaders
from kgxfer.recommender_store import load_recommender
from kgxfer.training.history import EpochRecorder
from loaders import CrossDomainDataset
from loaders.registry import DataSet
from tests.command_line import Call, assert_mistake
from tests.worlds import Likes, checkerboard, domain_of, pair_of

CONFIG = """
name = "own"

[data]
name = "own"

[split]
protocol = "cold_start_users"
settings = { test_share = 0.25, pseudo_cold_share = 0.25 }

[graph]
bridges = ["shared_id", "shared_entity"]
combine = "same_as_edges"

[models.one]
stages = ["fusion"]
dim = 4
encoder_settings = { layers = 1 }
stage_settings = { fusion = { learning_rate = 0.01 } }
scorer = { item_bias = true }

[models.one.training]
epochs = 1
steps_per_epoch = 1
monitor = "ndcg@10"
supervision_settings = { negatives = 8 }

[baselines.popularity]
"""


Register = Callable[[Callable[[], CrossDomainDataset]], None]


@pytest.fixture
def register(monkeypatch: pytest.MonkeyPatch) -> Register:
    """Register a data set under the name "own", as a project that adds one would."""

    def register(make: Callable[[], CrossDomainDataset]) -> None:
        card = loaders.card("case-study")
        own = DataSet(card=card, load=lambda root: make())
        monkeypatch.setitem(loaders._registry._data_sets, "own", own)

    return register


def configured(text: str = CONFIG) -> Path:
    path = Path("own.toml")
    path.write_text(text)
    return path


def left_behind(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.name != "own.toml")


@pytest.mark.parametrize(
    ("right", "wrong", "words"),
    [
        (
            '"cold_start_users"',
            '"cold_start_user"',
            'unknown split "cold_start_user"; did you mean "cold_start_users"?',
        ),
        ("test_share = 0.25", "test_shar = 0.25", 'did you mean "test_share"?'),
        ("test_share = 0.25", "test_share = 1.5", "key test_share: input should be less than 1, not 1.5"),
        ('"shared_id"', '"share_id"', 'unknown bridge "share_id"; did you mean "shared_id"?'),
        ('"same_as_edges"', '"same_as"', 'unknown combination "same_as"; did you mean "same_as_edges"?'),
        ("layers = 1", "layer = 1", 'unknown key in encoder relational "layer"; did you mean "layers"?'),
        ("fusion = {", "fusoin = {", 'unknown stage "fusoin"; did you mean "fusion"?'),
        ("learning_rate = 0.01", "learning_rte = 0.01", 'did you mean "learning_rate"?'),
        (
            "item_bias",
            "item_bais",
            'unknown key in configuration "own.toml", models.one.scorer "item_bais"; did you mean "item_bias"?',
        ),
        ("ndcg@10", "ndgc@10", 'unknown monitored metric "ndgc@10"; did you mean "ndcg@10"?'),
        ("dim = 4", 'dim = 4\nencoder = "relationl"', 'unknown encoder "relationl"; did you mean "relational"?'),
        ("dim = 4", 'dim = 4\nloss = "brp"', 'unknown loss "brp"; did you mean "bpr"?'),
        ("negatives = 8", "negative = 8", 'did you mean "negatives"?'),
        ("steps_per_epoch = 1", 'steps_per_epoch = 1\nsupervision = "hold_out"', 'did you mean "held_out"?'),
        ("[baselines.popularity]", "[baselines.popularity]\nsettings = { k = 1 }", 'popularity "k"'),
        ("[baselines.popularity]", "[baselines.one]", '"one" is the name of a model and of a baseline; rename one'),
        ('name = "own"\n\n[split]', 'name = "own"\noptions = { sed = 1 }\n\n[split]', 'option of data set "own" "sed"'),
    ],
)
def test_a_wrong_name_or_value_is_named_with_the_nearest(
    call: Call, register: Register, tmp_path: Path, right: str, wrong: str, words: str
) -> None:
    register(lambda: checkerboard(12, 8))
    assert right in CONFIG
    assert_mistake(call("run", configured(CONFIG.replace(right, wrong, 1))), words)
    assert left_behind(tmp_path) == []


def test_a_truncated_data_file(call: Call, tmp_path: Path) -> None:
    file = loaders.DATA_SETS["cdrib-game-video"].files[0]
    place = tmp_path / "data" / file.folder / file.file
    place.parent.mkdir(parents=True)
    place.write_text("1\t2\n1\t")
    text = CONFIG.replace('name = "own"\n\n[split]', 'name = "cdrib-game-video"\nroot = "data"\n\n[split]')
    answer = call("run", configured(text))
    assert_mistake(answer, "is damaged or another version")
    assert str(Path(file.folder) / file.file) in answer.error
    assert not (tmp_path / "runs").exists()


def test_a_missing_file_of_a_model_and_a_missing_model(call: Call, register: Register, tmp_path: Path) -> None:
    register(lambda: checkerboard(12, 8))
    assert call("run", configured(), "--out", "here").status == 0
    model = tmp_path / "here" / "models" / "one"
    assert call("recommend", model, "--user", "u3").status == 0
    (model / "vectors.safetensors").unlink()
    assert_mistake(call("recommend", model, "--user", "u3"), "train it again or restore the folder")
    assert_mistake(call("recommend", "nowhere", "--user", "u3"), "give a folder below models/ of a run")


def test_no_common_user(call: Call, register: Register, tmp_path: Path) -> None:
    register(lambda: checkerboard(12, 8, links=False))
    answer = call("run", configured())
    assert_mistake(answer, "0 users have relevant interactions in both domains")
    assert "or link more users" in answer.error and left_behind(tmp_path) == []


BOOKS: Likes = {f"u{person}": f"b{person % 3} b{(person + 1) % 3}" for person in range(8)}
RATED_BOOKS: Likes = {user: items.replace(" ", ":4 ") + ":5" for user, items in BOOKS.items()}
FILMS: Likes = {f"u{person}": f"f{person % 3}:{person % 5 + 1} f{(person + 1) % 3}:2" for person in range(8)}


def test_nothing_in_common_at_all(call: Call, register: Register, tmp_path: Path) -> None:
    others = {f"x{user}": items for user, items in FILMS.items()}
    register(lambda: pair_of(domain_of("books", "Book", BOOKS), domain_of("films", "Movie", others)))
    assert_mistake(call("run", configured()), 'nothing connects the domains "books" and "films"')
    assert left_behind(tmp_path) == []


def test_a_domain_of_one_user(call: Call, register: Register, tmp_path: Path) -> None:
    register(lambda: pair_of(domain_of("books", "Book", BOOKS), domain_of("films", "Movie", {"u1": "f0 f1"})))
    answer = call("run", configured())
    assert_mistake(answer, 'domain "films"')
    assert "user" in answer.error and left_behind(tmp_path) == []


def test_an_empty_test_set(call: Call, register: Register, tmp_path: Path) -> None:
    """All that the protocol holds out lies below the threshold."""
    held = {"films": {"u1": FILMS["u1"].split()[1].split(":")[0]}}
    worlds = domain_of("books", "Book", RATED_BOOKS), domain_of("films", "Movie", FILMS)
    register(lambda: pair_of(*worlds, test=held, positive_from=2.5))
    text = re.sub(r"protocol = .*\nsettings = .*", 'protocol = "fixed_files"', CONFIG)
    answer = call("run", configured(text))
    assert_mistake(answer, "the test set has no relevant row; hold out more users or lower the rating threshold")
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize(
    "encoder", ["relational", *(pytest.param(x, marks=pytest.mark.slow) for x in ("lightgcn", "mf"))]
)
def test_an_item_without_interactions_is_an_item_like_any_other(
    call: Call, register: Register, tmp_path: Path, encoder: str
) -> None:
    books = domain_of("books", "Book", BOOKS, items=["b9"])
    films = domain_of("films", "Movie", FILMS, items=["f9"], genres={"f9": "drama", "f0": "drama"})
    register(lambda: pair_of(books, films))
    text = CONFIG.replace("dim = 4\nencoder_settings = { layers = 1 }", f'dim = 4\nencoder = "{encoder}"')
    assert call("run", configured(text), "--out", "run").status == 0
    found = load_recommender(tmp_path / "run" / "models" / "one")
    cold = found.recommend(found.catalogue.user_ids, n=9)
    # Each of the eight has seen at most two of four films, and f9 was seen by nobody.
    assert set(cold.loc[cold["item_id"] == "f9", "user_id"]) == set(BOOKS)
    assert cold["score"].notna().all()
    report = pd.read_parquet(tmp_path / "run" / "figures.parquet")
    # All but the popularity bias, a difference of logarithms, are shares or errors.
    signed = report["metric"].str.startswith("popularity_bias")
    assert report["value"].between(-5, 5).all() and (report["value"][~signed] >= 0).all()


def test_a_full_disk(call: Call, register: Register, small_disk: Path) -> None:
    register(lambda: checkerboard(12, 8))
    answer = call("run", configured(CONFIG.replace("dim = 4", "dim = 512")), "--out", small_disk / "run")
    assert_mistake(answer, "no space left while writing", out=None)
    assert "free some or choose another folder" in answer.error
    assert list(small_disk.iterdir()) == []


def test_a_checkpoint_of_another_data_set(
    call: Call, register: Register, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The configuration is the same, but what is loaded under the name has changed since."""
    register(lambda: checkerboard(12, 8))
    path = configured(CONFIG.replace("epochs = 1", "epochs = 2", 1))
    record = EpochRecorder.record

    def record_or_stop(self: EpochRecorder, trainer: object) -> None:
        record(self, trainer)  # type: ignore[arg-type]
        if len(self.lines) == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(EpochRecorder, "record", record_or_stop)
        assert call("run", path, "--out", "run").status == 130
    register(lambda: checkerboard(16, 8))
    before = {place: place.read_bytes() for place in (tmp_path / "run").rglob("*") if place.is_file()}
    answer = call("run", path, "--out", "run", "--resume")
    assert_mistake(answer, "the checkpoint was made with another data set", out=None)
    assert "start a new run in another folder" in answer.error
    assert {place: place.read_bytes() for place in (tmp_path / "run").rglob("*") if place.is_file()} == before
