"""IRIs and literals as RDF files write them, a column at a time.

Two forms: N-Triples, whose IRIs are written in full, and Turtle, where they are relative to the base of the vocabulary.
A node's IRI is ``graph/TYPE/DOMAIN/ID`` below that base, percent-encoded, so that any id fits and can be had back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import quote

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from graph_schema.errors import InputError
from graph_schema.ontology import BASE, XSD_TYPES
from graph_schema.schema import Datatype, EdgeType

STORE = "store#"
"""Local name of what nodes carry beside the vocabulary: key, domain, and a store's own."""

XSD = "http://www.w3.org/2001/XMLSchema#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PLAIN = "^[A-Za-z0-9_~-][A-Za-z0-9_.~-]*$"
_INTEGERS, _FLOATS = pa.types.is_integer, pa.types.is_floating


class Form(NamedTuple):
    """How a file begins, what an IRI below the base begins with, and whether triples of one subject are joined."""

    head: str
    prefix: str
    joined: bool

    def iri(self, local: str) -> str:
        """An IRI below the base."""
        return f"<{self.prefix}{local}>"

    def literal(self, text: str, datatype: Datatype) -> tuple[str, str]:
        """What stands before and after the text of a literal that needs no escapes."""
        return f'"{text}', f'"^^<{XSD}{XSD_TYPES[datatype]}>' if not self.joined else f'"^^xsd:{XSD_TYPES[datatype]}'


N_TRIPLES = Form("", BASE, False)
TURTLE = Form(f"@base <{BASE}> .\n@prefix xsd: <{XSD}> .\n@prefix rdf: <{RDF}> .\n", "", True)


def node_iri(kind: str, domain: str, node_id: str) -> str:
    """The IRI of a node, in full.

    >>> node_iri("Movie", "films", "a b/c")
    'https://w3id.org/kgxfer/graph/Movie/films/a%20b%2Fc'
    """
    return f"{BASE}graph/{kind}/{_quoted(domain)}/{_quoted(node_id)}"


def edge_local(kind: EdgeType) -> str:
    """What the IRIs of statements about edges of one type begin with, below the base."""
    return f"edge/{kind.head}/{kind.relation}/{kind.tail}/"


def node_tokens(form: Form, kind: str, domains: Sequence[str], keys: pd.DataFrame) -> pa.Array:
    """The IRIs of nodes of one type, of a table domain (code), id, as the form writes them."""
    fronts = pa.array([form.iri(f"graph/{kind}/{_quoted(domain)}/")[:-1] for domain in domains])
    front = fronts.take(pa.array(keys["domain"].to_numpy("int64")))
    return pc.binary_join_element_wise(front, encoded(text_of(keys["id"], f"id of {kind}")), ">", "")


def encoded(texts: pa.Array) -> pa.Array:
    """Percent-encode what is more than letters, digits, "-", "_", "." and "~"; a text that begins with a dot too."""
    plain = pc.match_substring_regex(texts, _PLAIN)
    if pc.all(plain).as_py() is not False:
        return texts
    odd = pc.invert(plain)
    quoted = pa.array([_quoted(one) for one in texts.filter(odd).to_pylist()], pa.string())
    return pc.replace_with_mask(texts, odd, quoted)


def _quoted(text: str) -> str:
    # A segment of dots alone would mean another place.
    found = quote(text, safe="")
    return found.replace(".", "%2E") if found.startswith(".") else found


def text_of(column: pd.Series, where: str) -> pa.Array:
    """A column of texts; InputError where a text is none that files can hold."""
    try:
        made = pa.array(column, pa.string(), from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
        raise InputError(f"{where}: holds half a character or no text, which RDF does not take; mend it") from error
    return made.combine_chunks() if isinstance(made, pa.ChunkedArray) else made


def strings(texts: pa.Array) -> pa.Array:
    """Texts as string literals; missing where missing."""
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        if pc.any(pc.match_substring(texts, plain)).as_py():
            texts = pc.replace_substring(texts, plain, escaped)
    return pc.binary_join_element_wise('"', texts, '"', "")


def literals(form: Form, column: pd.Series, datatype: Datatype, where: str) -> pa.Array:
    """Values as literals of a datatype; missing where missing.

    Numbers that are not whole stay what they are where whole ones are expected, so that validation can find them.

    Raises:
        InputError: values that no literal of the datatype can hold.
    """
    if datatype == "string":
        return strings(text_of(column, where))
    values = pa.array(column, from_pandas=True)
    values = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    if pa.types.is_null(values.type):
        return pa.nulls(len(values), pa.string())
    if _FLOATS(values.type) and datatype in ("integer", "year"):
        datatype = "float"
    texts = _texts(values, datatype, where)
    before, after = form.literal("", datatype)
    return pc.binary_join_element_wise(before, texts, after, "")


def _texts(values: pa.Array, datatype: Datatype, where: str) -> pa.Array:
    number = _INTEGERS(values.type) or _FLOATS(values.type)
    if datatype == "datetime" and pa.types.is_timestamp(values.type):
        if values.type.tz is not None:
            values = values.cast(pa.timestamp(values.type.unit, "UTC")).cast(pa.timestamp(values.type.unit))
        said = pc.replace_substring_regex(values.cast(pa.string()), r"\.0+$", "")
        if pc.any(pc.invert(pc.match_substring_regex(said, r"^\d{4}-"))).as_py():
            raise InputError(f"{where}: a moment outside of the years 0 to 9999; mend it")
        return pc.binary_join_element_wise(pc.replace_substring(said, " ", "T"), "Z", "")
    if datatype == "boolean" and pa.types.is_boolean(values.type):
        return pc.if_else(values, "true", "false")
    if datatype == "year" and _INTEGERS(values.type):
        size = pc.utf8_lpad(pc.abs(values.cast(pa.int64())).cast(pa.string()), 4, "0")
        return pc.if_else(pc.less(values, 0), pc.binary_join_element_wise("-", size, ""), size)
    if datatype == "integer" and _INTEGERS(values.type):
        return values.cast(pa.string())
    if datatype == "float" and number:
        said = values.cast(pa.float64()).cast(pa.string())
        for found, written in (("inf", "INF"), ("nan", "NaN")):
            said = pc.replace_substring(said, found, written)
        return said
    raise InputError(f"{where}: values of type {values.type} are no {datatype}; convert the column")


def described(form: Form, subject: pa.Array, pairs: Sequence[tuple[str, str | pa.Array]]) -> memoryview:
    """Triples of subjects as text: of each the (predicate, object) pairs whose object is not missing.

    The object of the first pair is never missing.
    """
    made = []
    for place, (predicate, value) in enumerate(pairs):
        if form.joined:
            front = [subject, " "] if place == 0 else [" ;\n    "]
            part = pc.binary_join_element_wise(*front, predicate, " ", value, "")
        else:
            part = pc.binary_join_element_wise(subject, " ", predicate, " ", value, " .\n", "")
        made.append(part if place == 0 else pc.fill_null(_wide(part, len(subject)), ""))
    end = [" .\n"] if form.joined else []
    return _bytes(pc.binary_join_element_wise(*made, *end, "") if len(made) + len(end) > 1 else made[0])


def _wide(part: pa.Array | pa.Scalar, size: int) -> pa.Array:
    """A part that is the same for all rows, once per row."""
    return pa.repeat(part, size) if isinstance(part, pa.Scalar) else part


def _bytes(texts: pa.Array) -> memoryview:
    """The texts of an array, one behind the other, without copying."""
    if not len(texts):
        return memoryview(b"")
    ends = memoryview(texts.buffers()[1]).cast("i")
    return memoryview(texts.buffers()[2])[ends[texts.offset] : ends[texts.offset + len(texts)]]
