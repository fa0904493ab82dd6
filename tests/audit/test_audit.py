"""Audits as a whole: by Python call, of a finished run, on the command line, and what they leave."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from graph_schema import InputError
from kgxfer import experiment
from kgxfer.audit import FINDINGS, AuditConfig, audit, source_of
from kgxfer.audit.subject import CONTROLS
from kgxfer.splits import ColdStartUsers
from loaders import CrossDomainDataset
from tests.audit.subjects import cold_split, lists, warm_split
from tests.command_line import Call, assert_mistake
from tests.worlds import TARGET, checkerboard

SMALL = AuditConfig(k=2, sampled_negatives=10, draws=100, shuffles=1)
NASTY = '<script>alert("1")</script> & Co'
CONFIG = """
name = "small"

[data]
name = "case-study"

[split]
protocol = "cold_start_users"
refit = true

[models.kgxfer]
dim = 8

[models.kgxfer.training]
epochs = 1
steps_per_epoch = 2

[baselines.popularity]
[baselines.item_knn]
settings = { beta = [0.0] }
"""


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("audited")
    (place / "small.toml").write_text(CONFIG)
    experiment.run(experiment.load_config(place / "small.toml"), place / "run", progress=False, say=lambda line: None)
    return place / "run"


class Outside(HTMLParser):
    """Collects what a page would have to fetch, and its links within itself."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.tags.append(tag)
        self.fetched += [values[name] or "" for name in ("src",) if name in values]
        self.links += [values["href"] or ""] if "href" in values else []
        self.anchors |= {values["id"] or ""} if "id" in values else set()


def test_a_saved_audit_is_two_files_that_need_no_other(tmp_path: Path) -> None:
    split = cold_split(valid_users=2)
    found = audit(split, {NASTY: lists(split, {"u0": "f0"})}, config=SMALL, name=NASTY)
    found.save(tmp_path / "audits" / "one")
    assert sorted(path.name for path in (tmp_path / "audits" / "one").iterdir()) == ["audit.html", "audit.json"]
    text = (tmp_path / "audits" / "one" / "audit.html").read_text()
    page = Outside()
    page.feed(text)
    assert page.fetched and all(source.startswith("data:image/svg+xml;base64,") for source in page.fetched)
    assert {link.removeprefix("#") for link in page.links} <= page.anchors and len(page.links) == len(FINDINGS)
    assert "script" not in page.tags and "<script>" not in text
    record = json.loads((tmp_path / "audits" / "one" / "audit.json").read_text())
    assert record == json.loads(json.dumps(found.record()))
    assert record["models"] == [NASTY] and record["controls"] == list(CONTROLS)
    assert [each["name"] for each in record["findings"]] == [each.name for each in found.findings]
    assert record["split"]["fingerprint"] == split.fingerprint


def test_the_same_seed_gives_the_same_answers() -> None:
    first, second = (audit(warm_split(), config=SMALL) for _ in range(2))
    pd.testing.assert_frame_equal(first.figures, second.figures)
    assert [each.record() for each in first.findings] == [each.record() for each in second.findings]


def test_findings_by_name_and_as_text() -> None:
    found = audit(cold_split(), config=SMALL)
    assert found["twins"].numbers["pairs"] == 4
    assert f"! {found['twins'].title}: {found['twins'].verdict}" in str(found).splitlines()
    with pytest.raises(KeyError):
        found["twin"]


@pytest.mark.slow
def test_one_domain_is_audited_alone(world: CrossDomainDataset) -> None:
    split = ColdStartUsers(test_share=0.25, domains=["source", "target"]).split(world)
    both, one = audit(split, config=SMALL), audit(split, config=SMALL, domain=TARGET)
    assert both.facts["split"]["domains"] == ["books", TARGET] and one.facts["split"]["domains"] == [TARGET]
    figures = both.figures[(both.figures["domain"] == TARGET) & (both.figures["model"] == "popularity")]
    alone = one.figures[one.figures["model"] == "popularity"]
    pd.testing.assert_frame_equal(figures.reset_index(drop=True), alone.reset_index(drop=True))
    with pytest.raises(InputError, match='did you mean "films"'):
        audit(split, config=SMALL, domain="film")


@pytest.fixture
def world() -> CrossDomainDataset:
    return checkerboard(24, 12)


def test_a_run_is_audited_with_the_figures_that_it_reported(run_folder: Path) -> None:
    source = source_of(str(run_folder))
    assert source.choosing is not None and source.name == "small"
    controls = source.controls(lambda line: None)
    found = audit(
        source.final, source.models(), choosing=source.choosing, controls=controls, config=source.settings
    )
    reported = pd.read_parquet(run_folder / "figures.parquet")
    keys = ["model", "domain", "group", "ranking", "average", "metric"]
    joined = reported.merge(found.figures, on=keys, suffixes=("", "_again"))
    assert set(joined["model"]) == {"kgxfer", "popularity", "item_knn"}
    assert len(joined) == len(reported)
    assert joined["value_again"].to_numpy() == pytest.approx(joined["value"].to_numpy(), rel=1e-6, nan_ok=True)
    assert found.facts["models"] == ["kgxfer"]


def test_a_run_of_other_data_is_refused(run_folder: Path, tmp_path: Path) -> None:
    changed = tmp_path / "run"
    shutil.copytree(run_folder, changed)
    config = json.loads((changed / "config.json").read_text())
    config["seed"] = 5
    (changed / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="was made from other data or another split"):
        source_of(str(changed))


@pytest.mark.slow
def test_the_command_audits_a_run(run_folder: Path, call: Call, tmp_path: Path) -> None:
    answer = call("audit", run_folder)
    assert answer.status == 0 and answer.error == "", answer.error
    assert answer.out.splitlines()[-1] == "audit: audits/small/audit.html"
    assert answer.out.count("●") + answer.out.count("○") == len(FINDINGS)
    assert json.loads((tmp_path / "audits/small/audit.json").read_text())["models"] == ["kgxfer"]


APART = """
name = "apart"
[{side}]
domain = "{side}s"
interactions = {{ file = "{side}.csv", columns = {{ user_id = "user", item_id = "item" }} }}
[{side}.items]
file = "{side}-items.csv"
columns = {{ item_id = "item" }}
attributes = {{ genre = {{ kind = "categorical", relation = "HAS_GENRE", node_type = "Genre" }} }}
"""
APART_RUN = """
name = "apart"
data = { map = "data.toml" }
split = { protocol = "ratio" }
evaluation = { k = 2, twins = false }
[models.kgxfer]
dim = 8
training = { epochs = 1, steps_per_epoch = 2 }
[baselines.popularity]
"""


def test_a_run_in_which_nobody_is_in_both_domains_is_audited(call: Call, tmp_path: Path) -> None:
    """Genres join the domains; no link is one of users, so no user is named by the bridge of one."""
    for side in ("source", "target"):
        rows = "".join(f"{side}{user},{side}-{item}\n" for user in range(30) for item in {user % 5, user % 7, user % 8})
        (tmp_path / f"{side}.csv").write_text("user,item\n" + rows)
        things = "".join(f"{side}-{item},{item % 2}\n" for item in range(8))
        (tmp_path / f"{side}-items.csv").write_text("item,genre\n" + things)
    second = APART.format(side="target").replace('name = "apart"\n', "")
    (tmp_path / "data.toml").write_text(APART.format(side="source") + second)
    (tmp_path / "run.toml").write_text(APART_RUN)
    assert call("run", "run.toml", "--out", "done").status == 0
    answer = call("audit", "done")
    assert (answer.status, answer.error) == (0, ""), answer.error
    assert answer.out.count("●") + answer.out.count("○") == len(FINDINGS)


@pytest.mark.slow
def test_the_command_audits_recommendations_of_any_program(call: Call, tmp_path: Path) -> None:
    split = source_of("case-study").final.split
    domain = split.evaluated_domains[-1]
    rows = split.rows("test", domain)[["user_id", "item_id"]].assign(score=1.0)
    rows.to_csv(tmp_path / "oracle.csv", index=False)
    answer = call("audit", "case-study", "--recommendations", "oracle.csv", "--name", "mine", "--out", "here")
    assert answer.status == 0, answer.error
    record = json.loads((tmp_path / "here/audit.json").read_text())
    figures = pd.DataFrame(record["figures"])
    mine = figures[(figures["model"] == "mine") & (figures["metric"] == "ndcg@10") & (figures["group"] == "all rows")]
    assert record["models"] == ["mine"] and mine["value"].iloc[0] == pytest.approx(1)
    again = call("audit", "case-study", "--out", "here")
    assert again.status == 2 and '"here" exists already' in again.error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["case-stud"], 'unknown data set or folder of a run "case-stud"; did you mean "case-study"?'),
        (["case-study", "--name", "mine"], "--name names recommendations"),
        (["case-study", "--domain", "e-commerce"], 'unknown tested domain "e-commerce"; choices: online-education'),
        (["case-study", "--recommendations", "absent.csv"], 'recommendations "absent.csv" do not exist'),
        (["case-study", "--recommendations", "bad.csv"], '"bad.csv": table recommendations, column "score", row 1'),
        (["case-study", "--recommendations", "bad.csv", "--domain", "films"], 'unknown domain "films"'),
        (["case-study", "--recommendations", "good.csv", "--name", "item_knn"], "is the name of a control"),
        (["."], "is not the folder of a finished run: config.json is not there"),
        (["good.csv"], "is not the folder of a finished run"),
    ],
)
def test_mistakes_are_one_line_and_leave_nothing(
    call: Call, tmp_path: Path, arguments: list[str], words: str
) -> None:
    (tmp_path / "bad.csv").write_text("user_id,item_id,score\nu1,c1,1\nu1,c2,x\n")
    (tmp_path / "good.csv").write_text("user_id,item_id,score\nu1,c1,1\n")
    assert_mistake(call("audit", *arguments), words, out=None)
    assert not [path for path in tmp_path.rglob("*") if path.is_dir() or path.name.startswith((".", "audit"))]


@pytest.mark.real_data
@pytest.mark.slow
def test_game_and_video(loaded: Callable[[str], CrossDomainDataset]) -> None:
    """The known twins, their shares of the test rows, and whose validation rows the files bring."""
    loaded("cdrib-game-video")
    source = source_of("cdrib-game-video")
    config = source.settings.model_copy(update={"shuffles": 1, "draws": 100})
    found = audit(source.final, choosing=source.choosing, config=config)
    twins = found["twins"].numbers
    assert twins["pairs"] == 89 and twins["pairs by chance"] < 25
    assert twins["share of test rows, game"] == pytest.approx(0.017, abs=5e-4)
    assert twins["share of test rows, video"] == pytest.approx(0.022, abs=5e-4)
    assert list(found["validation users"].table["with validation rows"]) == [199, 209]
    ties = found["ties"].numbers
    assert ties["sampled HR, optimistic, item_knn, video"] > 2 * ties["sampled HR, uniform, item_knn, video"]
