"""What every collection of official files must keep, and the reader of lines that they have in common.

A new collection is tested here without a line being added.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loaders
from graph_schema import InputError
from loaders.public._records import JsonLines, Separated, read
from loaders.public._streams import Block, Place, blocks

every_domain = pytest.mark.parametrize("name", loaders.DOMAINS)
every_collection = pytest.mark.parametrize("name", loaders.COLLECTIONS)


@every_domain
def test_every_card_says_where_from_on_what_terms_and_that_no_file_was_seen(name: str) -> None:
    card = loaders.DOMAINS[name].card
    assert card.name == name
    assert card.url.startswith("http")
    assert "format tested, not downloaded here" in card.title
    assert len(card.licence) > 10
    assert len(card.citation) > 40
    assert not card.redistributable
    assert set(card.counts) <= {"users", "items", "interactions"}


@every_domain
def test_absent_files_are_one_line_with_the_page_and_the_place(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaders.load_domain(name, tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert loaders.DOMAINS[name].card.url in message
    assert f'into "{tmp_path}' in message
    assert "it has no published checksum, so it is not downloaded for you" in message


@every_domain
def test_an_unknown_option_names_the_nearest(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f'options of domain "{name}" "domian"; did you mean "domain"'):
        loaders.load_domain(name, tmp_path, domian="x")
    with pytest.raises(InputError, match=f'options of domain "{name}" "wholes"; did you mean "whole"'):
        loaders.read_domain(name, tmp_path, wholes=False)


@every_collection
def test_collections_of_two_domains_load_by_name_like_any_data_set(name: str, tmp_path: Path) -> None:
    assert loaders.card(name) == loaders.COLLECTIONS[name].card
    assert name not in loaders.DATA_SETS
    with pytest.raises(InputError, match=f'data set "{name}" needs the file'):
        loaders.load(name, tmp_path)
    with pytest.raises(InputError, match=f'unknown option of data set "{name}" "relaese"; did you mean "release"'):
        loaders.load(name, tmp_path, relaese="1")


@given(st.lists(st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")), max_size=60), st.integers(1, 200))
def test_blocks_are_the_file_cut_between_lines(lines: list[bytes], size: int) -> None:
    content = b"\n".join([b"first", *lines])
    place = _Made(content)
    found = list(blocks(place, size))
    assert b"".join(block.content for block in found) == content
    for block in found:
        assert block.content.startswith(content.split(b"\n")[block.first_line - 1])
    assert sum(block.lines for block in found) == content.count(b"\n") + (not content.endswith(b"\n"))


@given(st.lists(st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"")), min_size=2, max_size=40))
def test_halves_are_the_block_cut_between_lines(lines: list[bytes]) -> None:
    block = Block(7, b"\n".join(lines) + b"\n")
    first, second = block.halves()
    assert first.content + second.content == block.content
    assert first.content.endswith(b"\n")
    assert second.first_line == 7 + first.lines
    assert first.lines + second.lines == block.lines == len(lines)
    assert first.content
    assert second.content


class _Made(Place):
    """Bytes in memory that are read as a file is."""

    def __init__(self, content: bytes) -> None:
        super().__init__(Path("made"))
        object.__setattr__(self, "content", content)

    def open(self):  # type: ignore[no-untyped-def]
        from contextlib import nullcontext
        from io import BufferedReader, BytesIO

        return nullcontext(BufferedReader(BytesIO(self.__dict__["content"])))


PLAIN = Separated(("user", "item", "rating"), {"user": "id", "item": "id", "rating": "number"}, ",")
FIELD = st.text(
    st.characters(codec="utf-8", exclude_characters=",\r\n\x00", exclude_categories=("Cs", "Cc")), max_size=6
)
GOOD = st.builds(lambda user, item, rating: f"{user}x,{item}y,{rating}", FIELD, FIELD, st.integers(-9, 9))
FAULTY = st.one_of(
    st.just("a,b"), st.just("a,b,c,d"), st.just("a,b,"), st.just(",b,1"), st.just("a,b,nan"), st.just("a,b,one")
)


@given(st.lists(st.one_of(GOOD, GOOD, GOOD, FAULTY, st.just("")), min_size=1, max_size=200))
def test_every_line_is_a_row_or_a_counted_fault_or_blank(lines: list[str]) -> None:
    rows = {}
    for number, line in enumerate(lines, 1):
        parts = line.split(",")
        if len(parts) == 3 and parts[0] and parts[1] and parts[2].lstrip("-").isdigit():
            rows[number] = (parts[0], parts[1], float(parts[2]))
    faults = [number for number, line in enumerate(lines, 1) if line.strip() and number not in rows]
    place = _Made("\n".join(lines).encode())
    if not rows:
        with pytest.raises(InputError):
            read(place, PLAIN)
        return
    found = read(place, PLAIN)
    assert found.lines.tolist() == list(rows)
    assert [bad.line for bad in found.bad_lines] == faults
    columns = [found.column(name).tolist() for name in ("user", "item", "rating")]
    assert list(zip(*columns, strict=True)) == list(rows.values())


@given(
    st.lists(st.dictionaries(st.sampled_from("uit"), st.one_of(st.text(max_size=4), st.integers(0, 9))), max_size=80)
)
def test_json_lines_read_at_once_and_one_by_one_alike(records: list[dict[str, object]]) -> None:
    lines = [json.dumps({"u": "a", "i": 3, **record}) for record in records] + ['{"u": "z", "i": 1}']
    form = JsonLines({"u": "id", "i": "number", "t": "text"})
    plainly = JsonLines({"u": "id", "i": "number", "t": "text"}, reach={"none": lambda value: value})
    at_once, one_by_one = (read(_Made("\n".join(lines).encode()), one) for one in (form, plainly))
    assert at_once.lines.tolist() == one_by_one.lines.tolist()
    assert at_once.bad_lines == one_by_one.bad_lines
    for name in ("u", "i", "t"):
        assert at_once.column(name).fillna("").tolist() == one_by_one.column(name).fillna("").tolist()


def test_a_file_may_be_plain_zipped_or_a_member_and_begin_with_a_mark(tmp_path: Path) -> None:
    content = "\ufeffann,b1,3\nb\u00f6b,b2,4".encode()
    (tmp_path / "plain.gz").write_bytes(content)
    (tmp_path / "zipped").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("folder/file.csv", content)
    places = [
        Place(tmp_path / "plain.gz"),
        Place(tmp_path / "zipped"),
        Place(tmp_path / "archive.zip", "folder/file.csv"),
    ]
    for place in places:
        assert read(place, PLAIN).column("user").tolist() == ["ann", "b\u00f6b"]


def test_a_damaged_member_of_an_archive_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("file.csv", "ann,b1,3\n" * 2000)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"ann,b1,3\nann", b"ann,b1,4\nann", 1))
    with pytest.raises(InputError, match='archive.zip", member "file.csv" is cut off or damaged after line'):
        read(Place(path, "file.csv"), PLAIN)


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"\n\n")
    with pytest.raises(InputError, match="has no rows; get the file again"):
        read(Place(tmp_path / "empty"), PLAIN)


def test_values_beyond_all_bounds_are_faults_of_their_lines() -> None:
    deep = "[" * 900 + "]" * 900
    lines = [
        '{"u": "a", "n": 3, "t": ["x"]}',
        f'{{"u": "a", "n": 1{"0" * 400}, "t": []}}',
        '{"u": "a", "n": 1e300, "t": []}',
        f'{{"u": "a", "n": 4, "t": {deep}}}',
        f'{{"u": "a", "n": 4, "t": {"[" * 100_000}',
        f'{{"u": {"9" * 5000}, "n": 4, "t": []}}',
        '{"u": true, "n": 4}',
        '{"u": "b", "n": 5.0, "t": [["y", ["z"]], null, 7]}',
    ]
    found = read(_Made("\n".join(lines).encode()), JsonLines({"u": "id", "n": "whole", "t": "texts"}))
    assert [bad.line for bad in found.bad_lines] in ([2, 3, 5, 6, 7], [2, 3, 4, 5, 6, 7])
    assert found.column("n").tolist()[0] == 3
    assert found.pairs("u", "t").to_numpy().tolist() == [["a", "x"], ["b", "y"], ["b", "z"]]
