"""The command line as a user meets it: what it prints, what it leaves, its exit status, and mistakes as one line."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass
from functools import partial
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
import typer

import loaders
from kgxfer import cli
from kgxfer.cli.console import folder_for
from kgxfer.recommender_store import load_recommender
from tests.command_line import Call, assert_mistake, command, environment, finish, kgxfer

CONFIG = """
name = "small"

[data]
name = "case-study"

[models.kgxfer]
stages = ["adversarial"]
dim = 8

[models.kgxfer.training]
epochs = {epochs}
align_epochs = 1
steps_per_epoch = 4
patience = {epochs}

[baselines.popularity]
"""


@dataclass
class Finished:
    """What a run through the command line printed, and its folder."""

    out: str
    folder: Path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    place = tmp_path_factory.mktemp("cli")
    (place / "small.toml").write_text(CONFIG.format(epochs=2))
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.chdir(place)
        patch.setattr(sys, "argv", ["kgxfer", "run", "small.toml"])
        patch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as stopped:
            cli.main()
    assert stopped.value.code == 0
    return Finished(out.getvalue(), place / "runs" / "small")


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "lightning", "scipy", "matplotlib", "loaders", "sklearn")
    code = f"import sys, kgxfer.cli; print([name for name in {heavy} if name in sys.modules])"
    assert finish([sys.executable, "-c", code]).stdout.strip() == "[]"


def words_of(command: object, before: str = "") -> list[str]:
    """The words of all commands below one."""
    below = getattr(command, "commands", {})
    return [f"{before}{name}" for name in below] + [
        words for name, one in below.items() for words in words_of(one, f"{before}{name} ")
    ]


@pytest.mark.parametrize("words", ["", *words_of(typer.main.get_command(cli.app))])
def test_every_command_explains_itself(call: Call, words: str) -> None:
    answer = call(*words.split(), "--help")
    assert answer.status == 0
    assert "Usage: kgxfer" in answer.out and len(answer.out.splitlines()) > 5


def test_run_prints_models_recommendations_and_the_report(finished: Finished) -> None:
    table = pd.read_parquet(finished.folder / "figures.parquet")
    chosen = table[(table["model"] == "popularity") & (table["metric"] == "ndcg@10") & (table["group"] == "all rows")]
    assert re.search(rf"│ popularity +│ +{100 * chosen['value'].iloc[0]:.2f} ", finished.out)
    assert "online-education, all rows" in finished.out
    assert "of memory" in finished.out
    assert finished.out.count("kgxfer recommends") == 2 and "Course " in finished.out
    assert finished.out.splitlines()[-1] == f"report: {Path('runs/small/report.html')}"
    assert (finished.folder / "report.html").is_file()


def test_run_does_not_touch_what_is_there(finished: Finished, call: Call) -> None:
    before = {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")}
    answer = call("run", str(finished.folder.parents[1] / "small.toml"), "--out", str(finished.folder))
    assert_mistake(answer, "exists already")
    assert {path: path.stat().st_mtime_ns for path in finished.folder.rglob("*")} == before


def test_runs_without_a_folder_are_numbered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert folder_for("demo", resume=False) == Path("runs/demo") == folder_for("demo", resume=True)
    for name in ("demo", "demo-2"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    assert folder_for("demo", resume=False) == Path("runs/demo-3")
    assert folder_for("demo", resume=True) == Path("runs/demo-2")


def test_recommends_by_name(finished: Finished, call: Call) -> None:
    model = finished.folder / "models" / "kgxfer"
    recommender = load_recommender(model)
    user = str(recommender.catalogue.user_ids[3])
    answer = call("recommend", str(model), "--user", user, "-n", "4")
    assert answer.status == 0 and answer.error == ""
    rows = re.findall(r"^│ +(\d+) │ (.+?) +│ (\S+) +│ +(\S+) │$", answer.out, re.MULTILINE)
    expected = recommender.recommend([user], n=4)
    assert [row[2] for row in rows] == list(expected["item_id"])
    assert [int(row[0]) for row in rows] == [1, 2, 3, 4]
    assert all(row[1] == f"Course {row[2].removeprefix('c')}" for row in rows)


def test_recommends_in_the_other_domain(finished: Finished, call: Call) -> None:
    answer = call("recommend", str(finished.folder / "models/kgxfer"), "--user", "u3", "--domain", "e-commerce")
    assert answer.status == 0 and answer.out.count("Product ") == 10


def test_an_unknown_user_is_told_the_nearest(finished: Finished, call: Call) -> None:
    answer = call("recommend", str(finished.folder / "models/kgxfer"), "--user", "u99999")
    assert_mistake(answer, 'unknown user "u99999"; the nearest of 1,000 are: u999, ')


@pytest.mark.parametrize(
    ("domain", "words"),
    [("e-comerce", 'did you mean "e-commerce"?'), ("films", "choices: e-commerce, online-education")],
)
def test_an_unknown_domain_is_told_the_choices(finished: Finished, call: Call, domain: str, words: str) -> None:
    answer = call("recommend", str(finished.folder / "models/kgxfer"), "--user", "u3", "--domain", domain)
    assert_mistake(answer, words)


def test_a_run_is_no_model(finished: Finished, call: Call) -> None:
    words = "holds no saved model (no recommender.json); give one below models/"
    assert_mistake(call("recommend", str(finished.folder), "--user", "u3"), words)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ('name = "small"', 'unknown key in configuration "wrong.toml" "nam"; did you mean "name"?'),
        ("epochs = 2", 'wrong.toml", models.kgxfer.training "epoch"; did you mean "epochs"?'),
        ("stages =", 'wrong.toml", models.kgxfer "stage"; did you mean "stages"?'),
        ('name = "case-study"', 'did you mean "case-study"?'),
        ('"adversarial"', 'unknown stage "adversaria"; did you mean "adversarial"?'),
        ("[baselines.popularity]", 'did you mean "popularity"?'),
        ("dim = 8", "dim"),
    ],
)
def test_a_wrong_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Call, changed: str, words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = {
        'name = "small"': 'nam = "small"', "epochs = 2": "epoch = 2", "stages =": "stage =",
        'name = "case-study"': 'name = "case-stud"',
        '"adversarial"': '"adversaria"', "[baselines.popularity]": "[baselines.popularty]", "dim = 8": "dim = 0",
    }[changed]  # fmt: skip
    (tmp_path / "wrong.toml").write_text(CONFIG.format(epochs=2).replace(changed, wrong, 1))
    assert_mistake(call("run", "wrong.toml"), words)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(("content", "words"), [(None, "does not exist"), ("name = ", "is not valid TOML")])
def test_a_missing_or_broken_configuration(tmp_path: Path, call: Call, content: str | None, words: str) -> None:
    path = tmp_path / "broken.toml"
    if content is not None:
        path.write_text(content)
    assert_mistake(call("run", str(path)), words)


@pytest.mark.parametrize("arguments", [["recommend"], ["rn"], ["data", "fetch"], ["demo", "--seed", "-1"]])
def test_wrong_usage_is_no_traceback(call: Call, arguments: list[str]) -> None:
    answer = call(*arguments)
    assert answer.status == 2 and "Usage: kgxfer" in answer.error and "Traceback" not in answer.error


def test_data_list_says_what_is_here(tmp_path: Path, call: Call) -> None:
    files = loaders.DATA_SETS["cdrib-game-video"].files
    for number, file in enumerate(files[:3]):
        place = tmp_path / file.folder / (file.file + (".gz" if number else ""))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.touch()
    answer = call("data", "list", "--root", str(tmp_path))
    assert answer.status == 0
    assert all(name in answer.out for name in loaders.DATA_SETS)
    assert "3 of 6 here" in answer.out and "0 of 6 here" in answer.out and answer.out.count("none needed") == 2
    assert "42,303 users" in answer.out and "100,004 interactions" in answer.out


def test_fetch_refuses_damaged_files_and_unknown_names(tmp_path: Path, call: Call) -> None:
    file = loaders.DATA_SETS["cdrib-game-video"].files[0]
    (tmp_path / file.folder / file.file).parent.mkdir(parents=True)
    (tmp_path / file.folder / file.file).write_text("1\t2\n")
    assert_mistake(call("data", "fetch", "cdrib-game-video", "--root", str(tmp_path)), "is damaged or another version")
    assert_mistake(call("data", "fetch", "cdrib-game-vide"), 'did you mean "cdrib-game-video"?')


def test_fetch_without_files_checks_that_the_data_are_here(call: Call) -> None:
    assert "case-study has no files to fetch" in call("data", "fetch", "case-study").out


@pytest.mark.real_data
def test_fetch_shows_where_the_files_lie(loaded: Callable[[str], object], call: Call) -> None:
    loaded("cdrib-game-video")
    answer = call("data", "fetch", "cdrib-game-video")
    assert answer.status == 0 and all(Path(line).is_file() for line in answer.out.splitlines())
    assert len(answer.out.splitlines()) == 6


@pytest.mark.slow
def test_an_interrupted_run_ends_with_130_and_resumes_to_the_same(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(CONFIG.format(epochs=60))
    process = subprocess.Popen(
        command("run", "small.toml"), cwd=tmp_path, env=environment(), stderr=subprocess.PIPE,
        # A job in the background of a shell ignores interruptions, and so would what it starts.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 120
    while not list(tmp_path.rglob("history.jsonl")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    assert b"Traceback" not in (process.stderr.read() if process.stderr else b"")
    assert kgxfer("run", "small.toml", "--resume", folder=tmp_path).returncode == 0
    assert kgxfer("run", "small.toml", "--out", "whole", folder=tmp_path).returncode == 0
    resumed, whole = (pd.read_parquet(tmp_path / name / "figures.parquet") for name in ("runs/small", "whole"))
    pd.testing.assert_frame_equal(resumed, whole)
