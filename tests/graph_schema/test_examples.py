"""The examples in the docstrings of `graph_schema` are true, and it imports nothing beyond pandas and pydantic."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import graph_schema

MODULES = ["graph_schema", *(f"graph_schema.{module.name}" for module in pkgutil.iter_modules(graph_schema.__path__))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples() -> None:
    attempted = sum(doctest.testmod(importlib.import_module(name)).attempted for name in MODULES)
    assert attempted >= 5


def test_nothing_heavy_is_imported() -> None:
    unwanted = ("torch", "loaders", "kgxfer", "pooch", "requests", "neo4j", "rdflib")
    code = f"import sys, {', '.join(MODULES)}; print([name for name in {unwanted} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
