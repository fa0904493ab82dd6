"""The vocabulary of the knowledge graph, declared once, and the typed tables that carry it."""

from __future__ import annotations

from graph_schema.errors import InputError, unknown_name
from graph_schema.schema import ANY, EdgeType, NodeType, Property, Relation, Schema
from graph_schema.tables import (
    FACTS,
    INTERACTIONS,
    ITEMS,
    LINKS,
    USERS,
    Column,
    TableDefinition,
    validate,
    validate_facts,
)
from graph_schema.vocabulary import SCHEMA

__all__ = [
    "ANY",
    "FACTS",
    "INTERACTIONS",
    "ITEMS",
    "LINKS",
    "SCHEMA",
    "USERS",
    "Column",
    "EdgeType",
    "InputError",
    "NodeType",
    "Property",
    "Relation",
    "Schema",
    "TableDefinition",
    "unknown_name",
    "validate",
    "validate_facts",
]
