"""The command line for tests: called in this process, or as a user's own process."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass
class Answer:
    """How a call ended."""

    status: object
    out: str
    error: str


Call = Callable[..., Answer]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """Call the command line in this process and an empty folder; lines are long enough for tables."""
    from kgxfer import cli

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")

    def call(*arguments: object) -> Answer:
        monkeypatch.setattr(sys, "argv", ["kgxfer", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        captured = capsys.readouterr()
        return Answer(stopped.value.code, captured.out, captured.err)

    return call


def assert_mistake(answer: Answer, words: str, out: str | None = "") -> None:
    """One line on the error stream that says so, status 2, and nothing else printed; `out` None: whatever was."""
    assert answer.status == 2, answer
    assert re.fullmatch(r"kgxfer: error: [^\n]+\n", answer.error), answer.error
    assert words in answer.error, answer.error
    assert out is None or answer.out == out


def command(*arguments: str) -> list[str]:
    """The words that start the command line in a process of its own."""
    return [sys.executable, "-m", "kgxfer", *arguments]


def environment() -> dict[str, str]:
    """The tests' environment; the project is found in it, and small models do not wait for a second thread."""
    return os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "OMP_NUM_THREADS": "1"}


def finish(arguments: list[str], folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a process to its end."""
    return subprocess.run(arguments, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def kgxfer(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, in `folder`."""
    return finish(command(*arguments), folder)
