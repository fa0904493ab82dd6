"""Where RDF lies: one file, or a folder that pyoxigraph keeps as a database. Opening, reading, saving, and what fails.

A file is read into memory when something is asked of it and written whole, so that it is never half there. Triples that
are not of the graph stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any, BinaryIO

from graph_schema.errors import InputError, unknown_name
from graph_schema.ontology import BASE
from kgxfer.graph.rdf_terms import N_TRIPLES, RDF, TURTLE, XSD, Form
from kgxfer.stores.rdf_seal import Sealing, sealed_lines
from loaders.files import disk_errors, new_file

FORMATS = {".nt": "N_TRIPLES", ".ttl": "TURTLE", ".nq": "N_QUADS", ".trig": "TRIG"}
"""Ending of a file -> what it holds, as pyoxigraph names it."""

NAMES = {".nt": "N-Triples", ".ttl": "Turtle", ".nq": "N-Quads", ".trig": "TriG"}
OTHERS = {".rdf": "RDF_XML", ".owl": "RDF_XML", ".xml": "RDF_XML", ".jsonld": "JSON_LD"}
"""What is read besides."""

FOLDER = ".oxigraph"
_TRIPLE = attrgetter("triple")
PREFIXES = {"xsd": XSD, "rdf": RDF}


def oxigraph() -> Any:
    """The module pyoxigraph; InputError where it is not installed."""
    try:
        import pyoxigraph
    except ImportError as error:
        raise InputError('RDF stores need pyoxigraph; install it with: pip install "kgxfer[rdf]"') from error
    return pyoxigraph


def rdf_format(path: Path) -> Any:
    """The format that a file's ending names.

    Raises:
        InputError: another ending.
    """
    ending = path.suffix.casefold()
    if ending not in FORMATS:
        raise InputError(f'"{path}": {unknown_name("ending of RDF", ending, [*FORMATS, FOLDER])}')
    return getattr(oxigraph().RdfFormat, FORMATS[ending])


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what is wrong with a file into one line that names its place."""
    try:
        yield
    except SyntaxError as error:
        place = f", line {error.lineno}" if error.lineno else ""
        form, problem = NAMES.get(path.suffix.casefold(), "RDF"), " ".join(str(error.msg).split(": ", 1)[-1].split())
        raise InputError(f'"{path}"{place}: this is no {form}: {problem}') from error
    except (OSError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f'may not read "{path}": {getattr(error, "strerror", None) or error}') from error


def triples_of(path: Path) -> bytes | memoryview:
    """The triples of a file's default graph as N-Triples, one per line, escaped as little as can be.

    Raises:
        InputError: no such file, or one that is something else, with the line.
    """
    pyoxigraph, default = oxigraph(), oxigraph().DefaultGraph()
    form = rdf_format(path)
    with reading(path):
        if not path.is_file():
            raise InputError(f'"{path}" is no file; give one that holds RDF')
        if (written := sealed_lines(path)) is not None:
            return written
        quads = pyoxigraph.parse(path=path, format=form)
        if form.supports_datasets:
            quads = (quad for quad in quads if quad.graph_name == default)
        text: bytes = pyoxigraph.serialize(map(_TRIPLE, quads), format=pyoxigraph.RdfFormat.N_TRIPLES)
        return text


def database_of(path: Path) -> Any:
    """The triples of a file from anywhere, RDF/XML and JSON-LD too, in memory.

    Raises:
        InputError: no such file, another ending, or one that is something else, with the line.
    """
    pyoxigraph = oxigraph()
    known = {**FORMATS, **OTHERS}
    if path.suffix.casefold() not in known:
        raise InputError(f'"{path}": {unknown_name("ending of RDF", path.suffix.casefold(), known)}')
    store = pyoxigraph.Store()
    with reading(path):
        if not path.is_file():
            raise InputError(f'"{path}" is no file; give one that holds RDF')
        format_of_file = getattr(pyoxigraph.RdfFormat, known[path.suffix.casefold()])
        store.bulk_load(path=path, format=format_of_file, base_iri=path.resolve().as_uri())
    return store


class Place:
    """A file or folder of RDF."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_folder = path.suffix.casefold() == FOLDER
        self._format: Any = None if self.is_folder else rdf_format(path)
        self._store: Any = None

    @property
    def form(self) -> Form:
        """How new triples are written."""
        return TURTLE if self.path.suffix.casefold() in (".ttl", ".trig") else N_TRIPLES

    @property
    def exists(self) -> bool:
        """Whether something lies there."""
        return self._store is not None or self.path.exists()

    def store(self) -> Any:
        """The triples as a store to ask; opened once."""
        if self._store is None:
            self._store = self._folder() if self.is_folder else self._file()
        return self._store

    def triples(self) -> bytes | memoryview:
        """The triples of the default graph as N-Triples."""
        if self._store is None and not self.is_folder:
            return triples_of(self.path)
        pyoxigraph = oxigraph()
        text: bytes = self.store().dump(
            format=pyoxigraph.RdfFormat.N_TRIPLES, from_graph=pyoxigraph.DefaultGraph()
        )
        return text

    def write_new(self, parts: Iterable[memoryview | bytes]) -> None:
        """Make the file of the text of its triples; it appears complete or not at all."""
        with self._new_file() as file:
            file.write(self.form.head.encode())
            for part in parts:
                file.write(part)

    def load(self, parts: Iterable[memoryview | bytes]) -> None:
        """Add triples, given as N-Triples, to the store; a triple that is there already is there once."""
        with _database_errors(self.path), disk_errors(self.path):
            self.store().bulk_load(_Flow(parts), format=oxigraph().RdfFormat.N_TRIPLES)

    def update(self, text: str) -> None:
        """Change the store by SPARQL, whole or not at all."""
        with _database_errors(self.path), disk_errors(self.path):
            self.store().update(text)

    def save(self) -> None:
        """Let the disk hold what the store holds."""
        with _database_errors(self.path), disk_errors(self.path):
            if self.is_folder:
                self.store().flush()
            elif not len(self.store()):
                self.path.unlink(missing_ok=True)
            else:
                with self._new_file() as file:
                    self._dump(file)

    def close(self) -> None:
        """Forget what was read; a database in a folder is free for others."""
        self._store = None

    @contextmanager
    def _new_file(self) -> Iterator[BinaryIO | Sealing]:
        with new_file(self.path) as draft, draft.open("wb") as file:
            if self.path.suffix.casefold() != ".nt":
                yield file
                return
            sealing = Sealing(file)
            yield sealing
            sealing.seal()

    def _dump(self, file: BinaryIO | Sealing) -> None:
        pyoxigraph = oxigraph()
        if self._format != pyoxigraph.RdfFormat.TURTLE:
            alone = None if self._format.supports_datasets else pyoxigraph.DefaultGraph()
            self.store().dump(file, format=self._format, from_graph=alone, prefixes=PREFIXES, base_iri=BASE)
            return
        # Sorted, so that what is said of one subject stands together.
        lines = sorted(bytes(self.triples()).splitlines(keepends=True))
        quads = pyoxigraph.parse(b"".join(lines), format=pyoxigraph.RdfFormat.N_TRIPLES)
        pyoxigraph.serialize(map(_TRIPLE, quads), file, format=self._format, prefixes=PREFIXES, base_iri=BASE)

    def _file(self) -> Any:
        store = oxigraph().Store()
        if self.path.exists():
            with reading(self.path):
                store.bulk_load(path=self.path, format=self._format)
        return store

    def _folder(self) -> Any:
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f'"{self.path}" is a file; a name that ends in {FOLDER} is that of a folder')
        if self.path.is_dir() and any(self.path.iterdir()) and not (self.path / "CURRENT").is_file():
            raise InputError(f'"{self.path}" holds something else than an oxigraph database; give another folder')
        with _database_errors(self.path), disk_errors(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return oxigraph().Store(self.path)


class _Flow:
    """Parts of a text as a file that is read once."""

    def __init__(self, parts: Iterable[memoryview | bytes]) -> None:
        self._parts = iter(parts)
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        """The next bytes, at most `size`; none at the end."""
        while not len(self._rest):
            part = next(self._parts, None)
            if part is None:
                return b""
            self._rest = memoryview(part)
        found = self._rest[:size] if size >= 0 else self._rest
        self._rest = self._rest[len(found) :]
        return bytes(found)


@contextmanager
def _database_errors(path: Path) -> Iterator[None]:
    """What the database in a folder says of its files, as one line."""
    try:
        yield
    except OSError as error:
        said = str(error).splitlines()[0]
        if "No space left" in said:
            raise InputError(f'no space left while writing "{path}"; free some or choose another folder') from error
        if "lock" in said.casefold():
            raise InputError(f'"{path}" is open in another program; close it there') from error
        raise InputError(f'"{path}" cannot be used as an oxigraph database: {said}') from error
