"""The pack as a page for people, docs/queries.md: ``python -m kgxfer.queries.page > docs/queries.md``."""

from __future__ import annotations

from textwrap import dedent

from kgxfer.queries.arguments import described
from kgxfer.queries.pack import QUERIES, THEMES
from kgxfer.queries.values import Query

_START = f"""# Questions to the graph

{len(QUERIES)} queries that run on Neo4j and on Ladybug and answer the same on both.

```sh
kgxfer graph query                                                    # lists them
kgxfer graph query hubs --store graph.lbug                            # a table
kgxfer graph query history --store graph.lbug --param user=u42 --csv history.csv
kgxfer graph query shortest-paths --store graph.lbug --param user=u42 --param item="Heat (1995)" --draw why.html
kgxfer graph query hubs --store graph.lbug --text                     # the Cypher for this store, to be changed and run
kgxfer graph query --store neo4j://localhost:7687 --graph films \\
    --cypher 'MATCH (m:Movie {{graph: $graph}}) WHERE m.year < $before RETURN m.name' --param before=1960
```

```python
from kgxfer.queries import run_query
from kgxfer.stores import open_store

with open_store("graph.lbug") as store:
    run_query(store, "history", {{"user": "u42"}})                      # a DataFrame
```

Users, items, entities and nodes are given by key (`Movie:films/f4`), id or name; the same thing under several keys
(SAME_AS) is one. An id or name that several different things have is refused, with their keys. Domains default to the
target, runs to the latest. `--draw` writes one HTML page that opens without a network (`pip install "kgxfer[draw]"`;
the page holds the JavaScript of neo4j-viz, which is under the GPL).

Texts below are the pack's: Cypher in which `(n:Item)` is an item of any type, `Node` any node, `FACT`, `LINK` and
`KNOWN` the relations of facts, of links, and all but RECOMMENDED. `--text` shows what becomes of one on a store.
On Neo4j every node is held to the graph's name; on Ladybug a type is a table.
"""


def page() -> str:
    """The whole page."""
    parts = [_START]
    for theme, queries in THEMES.items():
        parts += [f"\n## {theme}\n", *map(_section, queries)]
    return "".join(parts)


def _section(query: Query) -> str:
    columns = ", ".join(f"`{column.name}`" for column in query.columns)
    lines = [f"\n### {query.name}", "", f"{query.title}. {query.answers}", ""]
    if query.parameters:
        lines.append(f"Parameters: {described(query)}.")
    lines += [f"Columns: {columns}.", "", "```cypher", dedent(query.text).strip(), "```", ""]
    return "\n".join(lines)


if __name__ == "__main__":
    print(page(), end="")
