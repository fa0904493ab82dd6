"""Shapes as SPARQL queries, one per constraint, each of which finds what is against it.

`graph_schema.shapes` states few kinds of constraint, and these few are what is compiled: sh:class, sh:datatype, sh:in
(of nothing), sh:or and sh:not of these, sh:hasValue, sh:minCount 1, sh:maxCount 1, sh:minInclusive, sh:maxInclusive;
targets are classes and the subjects or objects of a predicate. What a query costs follows the triples of its path, not
the nodes of its class. Names in the text of a query are IRIs of the schema; nothing from the data becomes part of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from graph_schema.ontology import BASE, ontology
from graph_schema.schema import Schema
from graph_schema.shapes import shapes

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

XSD = "http://www.w3.org/2001/XMLSchema#"
PREFIXES = f"PREFIX xsd: <{XSD}>\n"

_LEXICAL = {
    "integer": r"^[+-]?[0-9]+$",
    "double": r"^([+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?INF|NaN)$",
    "boolean": "^(true|false|1|0)$",
    "gYear": r"^-?([1-9][0-9]{3,}|0[0-9]{3})(Z|[+-][0-9]{2}:[0-9]{2})?$",
}
"""Datatype -> how its literals are written."""

_TARGETS = ("targetClass", "targetSubjectsOf", "targetObjectsOf")
_CONSTRAINTS = (
    "class", "datatype", "in", "or", "not", "hasValue", "minCount", "maxCount", "minInclusive", "maxInclusive",
)  # fmt: skip
_OTHER = ("property", "path", "message")

Below = Mapping[str, Collection[str]]
"""Class -> itself and the classes below it."""


class Rule(NamedTuple):
    """One constraint of one shape.

    Attributes:
        shape: IRI of the shape.
        path: IRI of the property that it is about; None where it is about the node itself.
        message: what is wrong with a value, or a node, that the query finds.
        query: selects ?node and, where there is one, ?value.
        predicates, classes: where the data have none of these, the query finds nothing.
    """

    shape: str
    path: str | None
    message: str
    query: str
    predicates: tuple[str, ...]
    classes: tuple[str, ...]


class _Shape(NamedTuple):
    """A shape as its graph says it: what is targeted, how, its path."""

    graph: Graph
    iri: URIRef
    how: str
    target: str
    path: str | None
    below: Below

    def values(self, name: str) -> list[Any]:
        from rdflib import SH

        return _sorted(self.graph.objects(self.iri, SH[name]))

    @property
    def message(self) -> str | None:
        return next(map(str, self.values("message")), None)


def rules(schema: Schema, base: str = BASE, subclasses: Collection[tuple[str, str]] = ()) -> list[Rule]:
    """Compile the shapes of a schema.

    Args:
        schema: the vocabulary, extended or not.
        base: what its IRIs begin with.
        subclasses: pairs of a class and the class above it that the data state beside the schema.

    Raises:
        InputError: a base that is no IRI, or a name that fits into none.
    """
    from rdflib import RDFS, SH

    graph = shapes(schema, base)
    stated = {(str(child), str(parent)) for child, parent in ontology(schema, base).subject_objects(RDFS.subClassOf)}
    below = _below(stated | set(subclasses))
    made: list[Rule] = []
    for how in _TARGETS:
        for shape, target in _sorted(graph.subject_objects(SH[how])):
            made += _rules(_Shape(graph, shape, how, str(target), None, below))
            for part in _sorted(graph.objects(shape, SH.property)):
                path = str(graph.value(part, SH.path))
                made += _rules(_Shape(graph, part, how, str(target), path, below))
    return made


def _sorted(found: Iterable[Any]) -> list[Any]:
    return sorted(found)


def _rules(shape: _Shape) -> Iterator[Rule]:
    from rdflib import SH

    for predicate in map(str, shape.graph.predicates(shape.iri)):
        name = predicate.removeprefix(str(SH))
        if predicate.startswith(str(SH)) and name not in (*_TARGETS, *_CONSTRAINTS, *_OTHER):
            raise NotImplementedError(f"{shape.iri}: no query for sh:{name}")
    for name in _CONSTRAINTS:
        for value in shape.values(name):
            yield _counted(shape, name) if name in ("minCount", "maxCount") else _tested(shape, name, value)


def _tested(shape: _Shape, name: str, value: Any) -> Rule:
    """A constraint on each value, or on the node."""
    if name == "hasValue":
        has = f"NOT EXISTS {{ ?node <{shape.path}> {value.n3()} }}"
        return _rule(shape, f"is not {value}", f"SELECT ?node WHERE {{ {_nodes(shape)} FILTER {has} }}", every=True)
    test, message = _failing(shape, name, value)
    if shape.path is None:
        found = f"SELECT ?node (?node AS ?value) WHERE {{ {_nodes(shape)} FILTER ({test('?node')}) }}"
    else:
        found = f"""SELECT ?node ?value WHERE {{
  ?node <{shape.path}> ?value . FILTER ({test('?value')}) {_targeted(shape)} }}"""
    return _rule(shape, message, found)


def _counted(shape: _Shape, name: str) -> Rule:
    """A constraint on the number of values, which is 1 in every shape."""
    if name == "minCount":
        none = f"FILTER NOT EXISTS {{ ?node <{shape.path}> ?any }}"
        return _rule(shape, "is missing", f"SELECT ?node WHERE {{ {_nodes(shape)} {none} }}", every=True)
    several = f"{{ SELECT ?node WHERE {{ ?node <{shape.path}> ?each }} GROUP BY ?node HAVING (COUNT(?each) > 1) }}"
    return _rule(shape, "is there more than once", f"SELECT ?node WHERE {{ {several} {_targeted(shape)} }}")


def _rule(shape: _Shape, message: str, query: str, *, every: bool = False) -> Rule:
    """With `every` also a node without the path is looked at."""
    of_path = () if shape.path is None or every else (shape.path,)
    targeted = shape.how == "targetClass"
    predicates = of_path if targeted else (*of_path, shape.target)
    classes = tuple(shape.below.get(shape.target, [shape.target])) if targeted else ()
    return Rule(str(shape.iri), shape.path, shape.message or message, PREFIXES + query, predicates, classes)


def _nodes(shape: _Shape) -> str:
    """The nodes of a target, each once."""
    if shape.how == "targetClass":
        wanted = f"VALUES ?its {{ {_iris(shape.below.get(shape.target, [shape.target]))} }} ?node a ?its"
    elif shape.how == "targetSubjectsOf":
        wanted = f"?node <{shape.target}> ?any"
    else:
        wanted = f"?any <{shape.target}> ?node"
    return f"{{ SELECT DISTINCT ?node WHERE {{ {wanted} }} }}"


def _targeted(shape: _Shape) -> str:
    """That a node, found already, is of the target."""
    return f"FILTER ({_is_a('?node', shape.below.get(shape.target, [shape.target]))})"


Test = Any


def _failing(shape: _Shape, name: str, value: Any) -> tuple[Test, str]:
    """What says of a variable that the constraint fails, as text; and the message."""
    from rdflib import SH

    if name == "in":
        return lambda _: "true", "is not allowed here"
    if name == "not":
        refused = str(shape.graph.value(value, SH["class"]))
        return lambda each: _is_a(each, shape.below.get(refused, [refused])), f"is a {refused}"
    if name == "or":
        choices = list(shape.graph.items(value))
        kinds = {kind: [str(shape.graph.value(one, SH[kind])) for one in choices] for kind in ("class", "datatype")}
        kind = "class" if "None" not in kinds["class"] else "datatype"
        return _fits_none(shape, kind, kinds[kind])
    if name in ("class", "datatype"):
        return _fits_none(shape, name, [str(value)])
    sign, words = (">=", "more") if name == "minInclusive" else ("<=", "less")
    # What cannot be compared is no more allowed than what is out of bounds.
    return lambda each: f"! COALESCE({each} {sign} {value.n3()}, false)", f"is not {value} or {words}"


def _fits_none(shape: _Shape, kind: str, names: Sequence[str]) -> tuple[Test, str]:
    if kind == "class":
        classes = sorted({one for name in names for one in shape.below.get(name, [name])})
        return lambda each: f"! {_is_a(each, classes)}", f"is no {' and no '.join(names)}"
    local = [name.removeprefix(XSD) for name in names]
    return (
        lambda each: "! (" + " || ".join(_is_literal(each, name) for name in local) + ")",
        f"is no xsd:{' and no xsd:'.join(local)}",
    )


def _is_a(each: str, classes: Collection[str]) -> str:
    return f"EXISTS {{ {each} a ?kind FILTER (?kind IN ({_iris(classes, ', ')})) }}"


def _is_literal(each: str, datatype: str) -> str:
    """That a value is a literal of a datatype, written as such literals are."""
    same = f"DATATYPE({each}) = xsd:{datatype}"
    if datatype == "dateTime":
        same += f" && DATATYPE(xsd:dateTime(STR({each}))) = xsd:dateTime"
    elif datatype in _LEXICAL:
        same += f' && REGEX(STR({each}), "{_LEXICAL[datatype]}")'
    return f"COALESCE(ISLITERAL({each}) && {same}, false)"


def _iris(names: Collection[str], between: str = " ") -> str:
    return between.join(f"<{name}>" for name in sorted(names))


def _below(pairs: Collection[tuple[str, str]]) -> dict[str, set[str]]:
    """Class -> itself and every class below it, over any number of steps."""
    children: dict[str, set[str]] = {}
    for child, parent in pairs:
        children.setdefault(parent, set()).add(child)
    found: dict[str, set[str]] = {}
    for name in {one for pair in pairs for one in pair}:
        reached, ahead = {name}, [name]
        while ahead:
            new = children.get(ahead.pop(), set()) - reached
            reached |= new
            ahead += new
        found[name] = reached
    return found
