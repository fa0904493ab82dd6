"""Whether a graph keeps to its schema: the SHACL shapes, asked of a whole graph or of RDF that others bring."""

from kgxfer.shacl.report import ShaclReport
from kgxfer.shacl.validation import validate

__all__ = ["ShaclReport", "validate"]
