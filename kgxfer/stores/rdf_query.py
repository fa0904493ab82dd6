"""SPARQL with parameters, and its answers as tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from graph_schema.errors import InputError
from graph_schema.ontology import BASE
from kgxfer.graph.rdf_terms import RDF, STORE, XSD
from kgxfer.stores.rdf_place import oxigraph

PREFIXES = {
    "kg": BASE, "store": f"{BASE}{STORE}", "rdf": RDF, "xsd": XSD, "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
}
"""Prefixes that a query may use without declaring them."""

_INTEGERS = {
    "integer", "int", "long", "short", "byte", "nonNegativeInteger", "positiveInteger", "unsignedInt", "unsignedLong",
    "unsignedShort", "unsignedByte", "negativeInteger", "nonPositiveInteger",
}
_FLOATS = {"double", "float", "decimal"}


def ask(store: Any, text: str, parameters: Mapping[str, Any] | None = None) -> pd.DataFrame:
    """Ask a store and return a table.

    A parameter is the value of the variable of its name, which the query has to SELECT; it is no column of the answer.
    Of SELECT one column per variable, of CONSTRUCT and DESCRIBE subject, predicate, object, of ASK one cell "answer".
    IRIs are texts; numbers, truth values, moments and years are such.

    Raises:
        InputError: a mistake in the text, with its place; a value that is no RDF term.
    """
    pyoxigraph = oxigraph()
    given = {name: term(value, f'parameter "{name}"') for name, value in (parameters or {}).items()}
    bound = {_variable(name): value for name, value in given.items()}
    try:
        answer = store.query(text, prefixes=PREFIXES, **({"substitutions": bound} if bound else {}))
        if isinstance(answer, pyoxigraph.QueryBoolean):
            return pd.DataFrame({"answer": [bool(answer)]})
        if isinstance(answer, pyoxigraph.QueryTriples):
            rows = [[value_of(part) for part in triple] for triple in answer]
            return pd.DataFrame(rows, columns=["subject", "predicate", "object"])
        names = [one.value for one in answer.variables]
        rows = [[value_of(part) for part in solution] for solution in answer]
    except SyntaxError as error:
        raise _mistake(str(error.msg)) from error
    except RuntimeError as error:
        if (lost := re.search(r"does not contains variable \?(\w+)", str(error))) is None:
            raise InputError(f"SPARQL: {error}") from error
        raise InputError(f'parameter "{lost[1]}": the query does not SELECT ?{lost[1]}; name it there') from error
    table = pd.DataFrame(rows, columns=names, dtype=object).drop(columns=[*given])
    return table.apply(_inferred) if len(table) else table


def term(value: Any, where: str) -> Any:
    """A value as an RDF term; those of rdflib and pyoxigraph are what they are.

    Raises:
        InputError: a value of another type.
    """
    import rdflib

    pyoxigraph = oxigraph()
    if isinstance(value, pyoxigraph.NamedNode | pyoxigraph.Literal):
        return value
    if isinstance(value, rdflib.URIRef):
        return pyoxigraph.NamedNode(str(value))
    if isinstance(value, rdflib.Literal):
        datatype = None if value.datatype is None or value.language else pyoxigraph.NamedNode(str(value.datatype))
        return pyoxigraph.Literal(str(value), datatype=datatype, language=value.language)
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, datetime):
        moment = value if value.tzinfo is not None else value.replace(tzinfo=UTC)
        return pyoxigraph.Literal(moment.isoformat(), datatype=pyoxigraph.NamedNode(XSD + "dateTime"))
    if isinstance(value, str | bool | int | float):
        try:
            return pyoxigraph.Literal(value)
        except (UnicodeEncodeError, OverflowError) as error:
            raise InputError(f"{where}: {error}; RDF does not hold this value") from error
    raise InputError(f"{where}: {type(value).__name__} is no single text, number, truth value or moment")


def value_of(part: Any) -> Any:
    """An RDF term as a value; None where there is none."""
    if part is None or not hasattr(part, "datatype"):
        return part.value if hasattr(part, "value") and not str(part).startswith("_:") else part and str(part)
    kind = part.datatype.value.removeprefix(XSD)
    try:
        if kind in _INTEGERS or kind == "gYear":
            return int(part.value)
        if kind in _FLOATS:
            return float(part.value)
        if kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[part.value]
        if kind == "dateTime":
            return pd.Timestamp(part.value)
    except (ValueError, KeyError):
        pass
    return part.value


def _inferred(column: pd.Series) -> pd.Series:
    """Whole numbers stay whole beside what is missing."""
    kind = pd.api.types.infer_dtype(column, skipna=True)
    return column.astype("Int64") if kind == "integer" and column.isna().any() else column.infer_objects()


def _variable(name: str) -> Any:
    try:
        return oxigraph().Variable(name)
    except ValueError as error:
        raise InputError(f'parameter "{name}": a variable of SPARQL has letters, digits and underscores') from error


def _mistake(said: str) -> InputError:
    """Where and what, of "error at 2:14: expected one of ...", whose list may be long."""
    found = re.match(r"error at (\d+):(\d+): (.*)", said, re.DOTALL)
    place = f", line {found[1]}, column {found[2]}" if found else ""
    problem = " ".join((found[3] if found else said).split())
    return InputError(f"SPARQL{place}: {problem if len(problem) <= 200 else problem[:200] + ' ...'}")
