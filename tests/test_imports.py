"""The direction of imports and the sizes that keep the code readable, read from the source."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("graph_schema", "loaders", "kgxfer")
ORDER = (  # noqa: SIM905
    "registry rng splits features bridges graph losses encoders scorer stages model topk recommender "
    "recommender_store evaluation baselines training stores explain queries experiment audit link_audit data_check "
    "shacl tuning serving cli __main__"
).split()
"""Inside kgxfer a module imports only from its left. `kgxfer/__init__.py` stands to the right of all."""

FORBIDDEN = {
    "graph_schema": {"torch", "torch_geometric", "requests", "pooch", "neo4j", "lightning"},
    "loaders": {"torch", "torch_geometric", "neo4j", "lightning"},
    "kgxfer": set(),
}
FILES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
TREES = {path: ast.parse(path.read_text()) for path in FILES}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported(path: Path) -> list[str]:
    """Every module that a file imports, wherever in the file."""
    found: list[str] = []
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{named(path)}, line {node.lineno}: write imports with the package's full name"
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def rank(module: str) -> int:
    """Place in the order of kgxfer's parts."""
    part = module.split(".")[1] if "." in module else ""
    assert not part or part in ORDER, f"kgxfer.{part} has no place in the order of imports; give it one in ORDER"
    return ORDER.index(part) if part else len(ORDER)


@pytest.mark.parametrize("path", FILES, ids=named)
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for module in imported(path):
        top = module.split(".")[0]
        assert top not in FORBIDDEN[package], f"{package} never imports {top}"
        assert top not in PACKAGES or PACKAGES.index(top) <= PACKAGES.index(package), f"{package} imports {module}"
        if package == top == "kgxfer" and path != ROOT / "kgxfer/__init__.py":
            own = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            assert module.split(".")[1] == own.split(".")[1] or rank(module) < rank(own), f"{own} imports {module}"


@pytest.mark.parametrize("path", FILES, ids=named)
def test_modules_and_functions_stay_short(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 400, f"{len(lines)} lines"
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            start = node.body[1 if ast.get_docstring(node) else 0 :]
            body = lines[start[0].lineno - 1 : node.end_lineno] if start else []
            size = sum(bool(line.strip()) and not line.strip().startswith("#") for line in body)
            assert size <= 40, f"{node.name} has {size} lines of code"
