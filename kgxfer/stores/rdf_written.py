"""What a trained model wrote back to RDF: vectors, recommendations, the run that both belong to, and undoing it.

A vector is the base64 text of its float32 numbers, little-endian: the same numbers come back. A recommendation is a
triple USER RECOMMENDED ITEM and a statement about it. The text of every update is fixed: which run is meant is said by
a triple at the graph, for as long as the update takes.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.ddl import EMBEDDING, EMBEDDING_RUN, KEY, ROW
from graph_schema.errors import InputError
from graph_schema.ontology import BASE
from graph_schema.schema import Datatype
from graph_schema.tables import RECOMMENDED
from kgxfer.graph.rdf_terms import N_TRIPLES, RDF, STORE, XSD, described, literals, text_of
from kgxfer.stores.base import NodeVectors, Progress, Run
from kgxfer.stores.contents import recommendations_from
from kgxfer.stores.rdf_place import Place, oxigraph
from kgxfer.stores.rdf_query import ask, term

ROWS = 200_000
"""Recommendations or vectors whose text is made at once."""

_NEW = f"<{BASE}{STORE}new>"
_MEANT = f"<{BASE}graph> store:meant ?run"
_PREFIXES = f"PREFIX store: <{BASE}{STORE}> PREFIX kg: <{BASE}> PREFIX rdf: <{RDF}>\n"
_STATED = f"a <{BASE}{RECOMMENDED}-statement> ; kg:run ?run"
_RECOMMENDATIONS = f"""SELECT ?head ?tail ?score ?rank ?run ?model ?at WHERE {{
  ?it {_STATED} ; rdf:subject ?user ; rdf:object ?item ; kg:score ?score ; kg:rank ?rank ; kg:model ?model ; kg:at ?at .
  ?user store:{KEY} ?head . ?item store:{KEY} ?tail
}}"""
_UNDO_RECOMMENDATIONS = f"""DELETE {{ ?user kg:{RECOMMENDED} ?item }} WHERE {{
  {_MEANT} . ?it {_STATED} ; rdf:subject ?user ; rdf:object ?item .
  FILTER NOT EXISTS {{
    ?other a <{BASE}{RECOMMENDED}-statement> ; rdf:subject ?user ; rdf:object ?item ; kg:run ?another .
    FILTER (?another != ?run)
  }}
}} ;
DELETE {{ ?it ?said ?of }} WHERE {{ {_MEANT} . ?it {_STATED} ; ?said ?of }}"""
_UNDO_VECTORS = f"""DELETE {{ ?node store:{EMBEDDING} ?vector ; store:{EMBEDDING_RUN} ?run }}
WHERE {{ {_MEANT} . ?node store:{EMBEDDING_RUN} ?run ; store:{EMBEDDING} ?vector }}"""
_UNDO_RUN = f"""DELETE {{ ?it ?said ?of }} WHERE {{ {_MEANT} . ?it a store:Run ; store:run ?run ; ?said ?of }} ;
DELETE {{ {_MEANT} }} WHERE {{ {_MEANT} }}"""
_FORGET_NEW = "DELETE { ?node store:new ?vector } WHERE { ?node store:new ?vector }"
_REPLACE_VECTORS = f"""DELETE {{ ?node store:{EMBEDDING} ?old ; store:{EMBEDDING_RUN} ?its }}
WHERE {{ ?node store:new ?vector ; store:{EMBEDDING} ?old ; store:{EMBEDDING_RUN} ?its }} ;
DELETE {{ ?node store:new ?vector }} INSERT {{ ?node store:{EMBEDDING} ?vector ; store:{EMBEDDING_RUN} ?run }}
WHERE {{ {_MEANT} . ?node store:new ?vector }}"""
_BY_RUN = "GROUP BY ?run ORDER BY ?run"
_OWN = " || ".join(f'STRSTARTS(STR(?it), "{BASE}{part}")' for part in ("graph/", "edge/", "recommended/", "run/"))
_CLEAR = f"""DELETE {{ ?it ?said ?of }} WHERE {{
  ?it ?said ?of .
  FILTER ({_OWN} || ?it = <{BASE}graph>)
  FILTER (STRSTARTS(STR(?said), "{BASE}") || ?said IN (rdf:subject, rdf:predicate, rdf:object)
          || (?said = rdf:type && STRSTARTS(STR(?of), "{BASE}")))
}}"""


class Written:
    """What was written back to the graph of one place."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._known: pd.DataFrame | None = None
        self._kept: dict[str, NodeVectors] | None = None

    def forget(self) -> None:
        """Read nodes and vectors again when they are asked for."""
        self._known = self._kept = None

    def add_vectors(self, vectors: Mapping[str, NodeVectors], run: Run, progress: Progress) -> None:
        """Write vectors; a node has the last, and keeps the one before until all are there."""
        tokens = {kind: self._tokens(given.keys, kind) for kind, given in vectors.items()}
        size = sum(map(len, tokens.values()))
        self._change(run.name, _FORGET_NEW)
        self._place.load([self._run_text(run)])
        done = 0
        for kind, given in vectors.items():
            for start in range(0, len(given.keys), ROWS):
                part = np.ascontiguousarray(given.vectors[start : start + ROWS], dtype="<f4")
                said = [f'"{base64.b64encode(row).decode()}"^^<{XSD}base64Binary>' for row in part]
                subject = tokens[kind].slice(start, ROWS)
                self._place.load([described(N_TRIPLES, subject, [(_NEW, pa.array(said, pa.string()))])])
                done += len(part)
                progress("embeddings", done, size)
        self._change(run.name, _REPLACE_VECTORS)
        self._place.save()
        self._kept = None

    def vectors(self) -> dict[str, NodeVectors]:
        """All vectors by node type, in the order of the rows."""
        if self._kept is None:
            table = self._nodes().merge(self._values(EMBEDDING, "said"), on="iri")
            table = table.merge(self._values(EMBEDDING_RUN, "run"), on="iri")
            self._kept = {}
            for kind, part in table.sort_values(["kind", ROW]).groupby("kind", sort=False):
                rows = [np.frombuffer(base64.b64decode(said), dtype="<f4") for said in part["said"]]
                if len({len(row) for row in rows}) > 1:
                    raise InputError(f"{kind}: vectors of several lengths; undo a run, or write all of them again")
                keys, runs = (pd.Index(part[name].to_numpy()) for name in (KEY, "run"))
                self._kept[str(kind)] = NodeVectors(keys, np.stack(rows).astype(np.float32), runs)
        return self._kept

    def add_recommendations(self, edges: pd.DataFrame, run: Run, progress: Progress) -> None:
        """Write recommendations instead of those of the same run."""
        head, tail = (self._tokens(pd.Index(edges[end]), f"{end} of a recommendation") for end in ("head", "tail"))
        forms: dict[str, Datatype] = {"score": "float", "rank": "integer"}
        columns = edges.reset_index(drop=True)
        said = {name: literals(N_TRIPLES, columns[name], form, name) for name, form in forms.items()}
        fixed = {"model": _literal(run.model), "run": _literal(run.name), "at": _moment(run)}
        self._change(run.name, _UNDO_RECOMMENDATIONS)
        self._place.load([self._run_text(run)])
        about = f"<{BASE}recommended/{quote(run.name, safe='')}/"
        for start in range(0, len(edges), ROWS):
            users, items = head.slice(start, ROWS), tail.slice(start, ROWS)
            numbers = pa.array(np.arange(start, start + len(users))).cast(pa.string())
            pairs = [
                (f"<{RDF}type>", f"<{BASE}{RECOMMENDED}-statement>"), (f"<{RDF}subject>", users),
                (f"<{RDF}predicate>", f"<{BASE}{RECOMMENDED}>"), (f"<{RDF}object>", items),
                *((f"<{BASE}{name}>", column.slice(start, ROWS)) for name, column in said.items()),
                *((f"<{BASE}{name}>", value) for name, value in fixed.items()),
            ]  # fmt: skip
            statements = described(N_TRIPLES, pc.binary_join_element_wise(about, numbers, ">", ""), pairs)
            self._place.load([described(N_TRIPLES, users, [(f"<{BASE}{RECOMMENDED}>", items)]), statements])
            progress("recommendations", start + len(users), len(edges))
        self._place.save()

    def recommendations(self) -> pd.DataFrame:
        """All recommendations, of all runs."""
        return recommendations_from(ask(self._place.store(), _RECOMMENDATIONS))

    def undo(self, run: str) -> pd.DataFrame:
        """Remove a run and count what went."""
        found = self._counts()
        known = ask(self._place.store(), "SELECT ?name WHERE { ?run a store:Run ; store:run ?name } ORDER BY ?name")
        if run not in set(known["name"]):
            there = ", ".join(f'"{name}"' for name in known["name"]) or "none"
            raise InputError(f'no run "{run}" wrote to "{self._place.path}"; runs there: {there}')
        self._change(run, _UNDO_RECOMMENDATIONS, _UNDO_VECTORS, _UNDO_RUN)
        self._place.save()
        self._kept = None
        of_run = found[found["run"] == run].groupby("what", sort=False)["count"].sum()
        counts = of_run.reindex(["embeddings", "recommendations"], fill_value=0)
        return pd.DataFrame({"what": counts.index.astype("str"), "count": counts.to_numpy(np.int64)})

    def names(self, keys: pd.Series) -> pd.Series:
        """What the nodes of these keys are called; missing for one without a name."""
        iris = self._nodes().set_index(KEY)["iri"].reindex(keys)
        return pd.Series([self._name(iri) for iri in iris], dtype="str")

    def stats(self, told: dict[str, Any]) -> pd.DataFrame:
        """Counts as a table kind, name, count, of the graph that is described so."""
        rows = [("nodes", kind, size) for kind, size in told["nodes"].items()]
        rows += [("edges", " ".join(kind), size) for kind, size in zip(told["edges"], told["edge_sizes"], strict=True)]
        rows += [(one.what, one.run, one.count) for one in self._counts().itertuples(name="Row")]
        return pd.DataFrame(rows, columns=["kind", "name", "count"])

    def remove_all(self, progress: Progress) -> None:
        """Remove the graph and what was written back."""
        before = len(self._place.store())
        self._place.update(_PREFIXES + _CLEAR)
        progress("triples", before - len(self._place.store()), before - len(self._place.store()))
        self.forget()

    def _counts(self) -> pd.DataFrame:
        """What the runs wrote: a table what, run, count."""
        asked = {
            "recommendations": f"SELECT ?run (COUNT(?it) AS ?count) WHERE {{ ?it {_STATED} }} {_BY_RUN}",
            "embeddings": f"SELECT ?run (COUNT(?it) AS ?count) WHERE {{ ?it store:{EMBEDDING_RUN} ?run }} {_BY_RUN}",
        }
        tables = [ask(self._place.store(), text).assign(what=what) for what, text in asked.items()]
        return pd.concat(tables, ignore_index=True)

    def _change(self, run: str, *updates: str) -> None:
        """Do what updates say of the run that is meant, all or nothing."""
        pyoxigraph = oxigraph()
        mark = pyoxigraph.Quad(self._node("graph"), self._node(STORE + "meant"), pyoxigraph.Literal(run))
        for old in list(self._place.store().quads_for_pattern(self._node("graph"), mark.predicate, None)):
            self._place.store().remove(old)
        self._place.store().add(mark)
        self._place.update(_PREFIXES + " ;\n".join(updates))
        self._place.store().remove(mark)

    def _nodes(self) -> pd.DataFrame:
        """Every node: iri, key, kind, row."""
        if self._known is None:
            known = self._values(KEY, KEY).merge(self._values(ROW, ROW), on="iri")
            self._known = known.assign(kind=known[KEY].str.split(":", n=1).str[0], row=known[ROW].astype(np.int64))
        return self._known

    def _values(self, local: str, column: str) -> pd.DataFrame:
        """What is said of nodes under a name of the store's own: iri and the value's text."""
        quads = self._place.store().quads_for_pattern(None, self._node(STORE + local), None)
        return pd.DataFrame([(quad.subject.value, quad.object.value) for quad in quads], columns=["iri", column])

    def _tokens(self, keys: pd.Index, what: str) -> pa.Array:
        """The IRIs of nodes as N-Triples writes them."""
        known = self._nodes()
        places = pd.Index(known[KEY]).get_indexer(keys)
        if (places < 0).any():
            raise InputError(f'{what}: the graph holds no node "{keys[int((places < 0).argmax())]}"')
        return pc.binary_join_element_wise("<", text_of(known["iri"].take(places), what), ">", "")

    def _name(self, iri: str) -> str | None:
        quads = self._place.store().quads_for_pattern(oxigraph().NamedNode(iri), self._node("name"), None)
        found = next(quads, None)
        return None if found is None else found.object.value

    @staticmethod
    def _node(local: str) -> Any:
        return oxigraph().NamedNode(BASE + local)

    def _run_text(self, run: Run) -> bytes:
        said = {"run": _literal(run.name), "model": _literal(run.model), "at": _moment(run)}
        subject = f"<{BASE}run/{quote(run.name, safe='')}>"
        lines = [f"{subject} <{BASE}{STORE}{name}> {value} .\n" for name, value in said.items()]
        return "".join([f"{subject} <{RDF}type> <{BASE}{STORE}Run> .\n", *lines]).encode()


def _literal(text: str) -> str:
    """A text as N-Triples writes it."""
    return str(term(text, "run"))


def _moment(run: Run) -> str:
    return str(term(run.at, "run"))
