"""Why an item is recommended to a user: the strongest paths, as text, data, picture, and queries."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path as FilePath

import pandas as pd

from graph_schema.errors import InputError
from graph_schema.schema import Schema
from kgxfer.explain.cypher import Query, path_query
from kgxfer.explain.path import Node, Path
from kgxfer.explain.picture import svg
from kgxfer.explain.text import sentence, shown
from loaders.files import new_file

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#202124;max-width:76rem;margin:2rem auto;padding:0 1rem}"
    "pre{background:#f6f8fa;padding:.6rem;white-space:pre-wrap;overflow-wrap:anywhere;font-size:12px}"
    ".wide{overflow-x:auto}h1{font-size:1.3rem}summary{cursor:pointer;color:#5f6368}"
)


@dataclass(frozen=True)
class Explanation:
    """One user, one item, and the paths between them, the strongest first.

    Attributes:
        user, item: the nodes.
        domain: whose item it is.
        score: what the model gives it.
        paths: none where the search found none that raises the score.
        missing: why there is no path, where there is none.
        schema: the graph's.
    """

    user: Node
    item: Node
    domain: str
    score: float
    paths: tuple[Path, ...]
    missing: str
    schema: Schema

    @property
    def text(self) -> str:
        """A line about the item, then a line per path."""
        head = f"{shown(self.item)} ({self.item.word}) for {shown(self.user)}, score {self.score:.3g}"
        if not self.paths:
            return f"{head}: {self.missing}"
        return "\n".join([f"{head}:", *(f"- {sentence(path)}" for path in self.paths)])

    def table(self) -> pd.DataFrame:
        """A line per step of every path, with the numbers of `Path`; head and tail are keys."""
        return pd.DataFrame(
            [
                {
                    "path": number, "strength": path.strength, "owed": path.owed, "carried": path.carried,
                    "alike": path.alike, "step": place + 1,
                    "head": ends[0].key, "relation": step.edge_type.relation, "tail": ends[1].key, "row": step.row,
                    "head_name": ends[0].name, "tail_name": ends[1].name,
                }
                for number, path in enumerate(self.paths, 1)
                for place, step in enumerate(path.steps)
                for ends in [path.nodes[place : place + 2][:: 1 if step.away else -1]]
            ],
            columns=[
                "path", "strength", "owed", "carried", "alike", "step", "head", "relation", "tail", "row",
                "head_name", "tail_name",
            ],
        )  # fmt: skip

    def graph(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What the paths consist of: nodes (key, type, name) and edges (head, relation, tail), each once."""
        nodes = {node.key: (node.key, node.type, node.name) for path in self.paths for node in path.nodes}
        edges = self.table()[["head", "relation", "tail"]].drop_duplicates(ignore_index=True)
        return pd.DataFrame(list(nodes.values()), columns=["key", "type", "name"]), edges

    def cypher(self, dialect: str, number: int = 1, *, graph: str | None = None) -> Query:
        """The query that finds one of the paths again, see `kgxfer.explain.cypher.path_query`.

        Args:
            dialect: "neo4j" or "ladybug".
            number: of the path, from 1.
            graph: the graph's name in Neo4j, where it is not a store of ours that is asked.

        Raises:
            InputError: no path of this number, another dialect, names that fit into no query.
        """
        if not 1 <= number <= len(self.paths):
            found = f"there are {len(self.paths)}" if self.paths else self.missing
            raise InputError(f"path {number} of this explanation: {found}; ask for one that is there")
        return path_query(self.paths[number - 1], self.schema, dialect, graph)

    def svg(self) -> str:
        """The paths as a picture of its own."""
        return svg(self.paths, self.schema, self.text)

    def html(self) -> str:
        """A page of its own: the text, the picture, and the queries for Neo4j where the schema's names allow it."""
        first, *lines = self.text.split("\n")
        queries = [self.cypher("neo4j", number + 1) for number in range(len(self.paths))] if self._queried else []
        shown_queries = "".join(
            f"<pre>{html.escape(query.text)}\n{html.escape(str(query.parameters))}</pre>" for query in queries
        )
        said = "".join(f"<li>{html.escape(line.removeprefix('- '))}</li>" for line in lines)
        return (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(first)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>'
            f'<h1>{html.escape(first)}</h1><ol>{said}</ol><div class="wide">{self.svg() if self.paths else ""}</div>'
            + (f"<details><summary>Cypher</summary>{shown_queries}</details>" if queries else "")
            + "</body></html>\n"
        )

    @property
    def _queried(self) -> bool:
        try:
            self.schema.require_identifiers()
        except InputError:
            return False
        return True

    def save(self, path: str | FilePath) -> None:
        """Write the page, or the picture where the name ends in .svg; InputError where it cannot be written."""
        path = FilePath(path)
        with new_file(path) as draft:
            draft.write_text(self.svg() if path.suffix == ".svg" else self.html(), encoding="utf-8")

    def _repr_html_(self) -> str:
        """For notebooks."""
        lines = "<br>".join(html.escape(line) for line in self.text.split("\n"))
        return f"<p>{lines}</p>{self.svg() if self.paths else ''}"

    def __str__(self) -> str:
        return self.text
