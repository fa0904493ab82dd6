"""Values for the parameters of a query: read, checked against the graph, and nodes found by key, id or name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graph_schema.errors import InputError, unknown_name
from kgxfer.queries.dialects import EVERY_NODE, Dialect
from kgxfer.queries.stored import ask
from kgxfer.queries.values import BEFORE_LATEST, LATEST, SOURCE_DOMAIN, TARGET_DOMAIN, Parameter, Query
from kgxfer.stores import GraphStore

_ROOTS = {"user": "User", "item": "Item", "entity": "Entity", "node": EVERY_NODE}
_NUMBERS = {"integer": (int, "a whole number"), "number": (float, "a number")}

# The key alone is looked up in an index; ids and names are searched for only where no key is meant.
_BY_KEY = "MATCH (n:{root}) WHERE n.key = $text RETURN n.key AS key"
_BY_NAME = "MATCH (n:{root}) WHERE n.id = $text OR n.name = $text RETURN n.key AS key, n.id = $text AS by_id"
_SAME = "MATCH (n:{root})-[:SAME_AS]-(m:{root}) WHERE n.key IN $keys RETURN DISTINCT m.key AS key"
_NEAR = """
MATCH (n:{root}) WHERE toLower(n.name) CONTAINS toLower($text)
RETURN n.key AS key, n.name AS name ORDER BY size(name), key LIMIT 3
"""
_RUNS = "MATCH (u:User)-[r:RECOMMENDED]->(:Item) RETURN r.run AS run, max(r.at) AS at ORDER BY at DESC, run"


def arguments_of(query: Query, given: Mapping[str, Any], store: GraphStore, dialect: Dialect) -> dict[str, Any]:
    """Return the value of every parameter, as the query takes it.

    Raises:
        InputError: a parameter that the query does not have or that is missing (its parameters are listed), or a
            value that is of another kind or names nothing in the graph.
    """
    known = {parameter.name: parameter for parameter in query.parameters}
    for name in given:
        if name not in known:
            raise unknown_name(f"parameter of {query.name}", name, known)
    source, target = dialect.stored.domains
    values: dict[str, Any] = {"source": source, "target": target}
    for name, parameter in known.items():
        value = given.get(name)
        if value is None and parameter.default is None:
            raise InputError(f'query "{query.name}" needs "{name}"; it takes {described(query)}')
        values[name] = _value(parameter, parameter.default if value is None else value, store, dialect)
    return values


def described(query: Query) -> str:
    """The parameters of a query in one line.

    >>> from kgxfer.queries.pack import QUERIES
    >>> described(QUERIES["find"])
    'text (part of a name, or an id)'
    """
    said = [f"{one.name} ({one.comment}{_default(one)})" for one in query.parameters]
    return "; ".join(said) or "no parameters"


def _default(parameter: Parameter) -> str:
    default = str(parameter.default or "")
    words = {SOURCE_DOMAIN: "the source domain", TARGET_DOMAIN: "the target domain"}
    return f", else {words.get(default, default)}" if default and default not in (LATEST, BEFORE_LATEST) else ""


def _value(parameter: Parameter, value: Any, store: GraphStore, dialect: Dialect) -> Any:
    if parameter.kind in _NUMBERS:
        return _number(parameter, value)
    text = str(value)
    if not text and parameter.default != "":
        raise InputError(f'parameter "{parameter.name}" is empty; give {parameter.comment}')
    if parameter.kind == "domain":
        return _domain(text, parameter, dialect)
    if parameter.kind == "run":
        return _run(text, store, dialect)
    return node_keys(text, parameter.kind, store, dialect) if parameter.kind in _ROOTS else text


def _number(parameter: Parameter, value: Any) -> int | float:
    made, words = _NUMBERS[parameter.kind]
    try:
        number: int | float = made(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or isinstance(value, bool) or (isinstance(value, float) and value != number):
        raise InputError(f'parameter "{parameter.name}": {value!r} is not {words}')
    return number


def _domain(text: str, parameter: Parameter, dialect: Dialect) -> str:
    domains = dialect.stored.domains
    if text in (SOURCE_DOMAIN, TARGET_DOMAIN) and text not in domains:
        return domains[text == TARGET_DOMAIN]
    if text not in domains and text != parameter.default:
        raise unknown_name("domain", text, domains)
    return text


def _run(text: str, store: GraphStore, dialect: Dialect) -> str:
    """A run by its name, or one of the latest by its place."""
    runs = [*ask(store, dialect, _RUNS, {})["run"]]
    if not runs:
        raise InputError("no recommendations are stored; write those of a model back first")
    place = {LATEST: 0, BEFORE_LATEST: 1}.get(text)
    if text in runs or place is None:
        if text not in runs:
            raise unknown_name("run", short(text), runs)
        return text
    if place >= len(runs):
        raise InputError(f'only one run is stored, "{runs[0]}"; there is none to compare it with')
    return str(runs[place])


def node_keys(text: str, kind: str, store: GraphStore, dialect: Dialect) -> list[str]:
    """The keys of a node, given by key, id or name, and of those that SAME_AS joins to it.

    Raises:
        InputError: no such node (names that contain the text are given), or several that are not the same.
    """
    root = _ROOTS[kind]
    keys = [*ask(store, dialect, _BY_KEY.format(root=root), {"text": text})["key"]]
    if not keys:
        found = ask(store, dialect, _BY_NAME.format(root=root), {"text": text})
        # An id is meant before a name: a name may be another's id.
        exact = found[found["by_id"].astype("boolean").fillna(False)] if len(found) else found
        keys = [*(exact if len(exact) else found)["key"]]
    if not keys:
        near = ask(store, dialect, _NEAR.format(root=root), {"text": text})
        said = [f"{name} ({key})" for key, name in near[["key", "name"]].itertuples(index=False)] if len(near) else []
        hint = f"; names that contain it: {', '.join(said)}" if said else ""
        raise InputError(f'no {kind} "{short(text)}" in the graph{hint}; give a key, an id or a name')
    return _with_the_same(sorted(keys), text, kind, store, dialect)


def short(text: str, most: int = 60) -> str:
    """A text in one line that can be read."""
    plain = " ".join(text.split())
    return plain if len(plain) <= most else f"{plain[: most - 1]}…"


def _with_the_same(keys: list[str], text: str, kind: str, store: GraphStore, dialect: Dialect) -> list[str]:
    joined = ask(store, dialect, _SAME.format(root=_ROOTS[kind]), {"keys": keys[:1]})["key"]
    same = sorted({keys[0], *joined})
    strangers = [key for key in keys if key not in same]
    if strangers:
        said = ", ".join([keys[0], *strangers][:3])
        several = f'several {kind}s are called "{short(text)}"'
        raise InputError(f"{several} and nothing says they are the same: {said}; give a key")
    return same
