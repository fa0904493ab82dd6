"""The review file: what is written comes back, decisions take effect, and every slip is one line with its place."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph_schema import InputError
from kgxfer.bridges.links import link_table
from kgxfer.bridges.review import FORMULA, KEY, REVIEW_COLUMNS, apply_review, read_review, write_review
from loaders import CrossDomainDataset
from tests.worlds import domain_of, pair_of

HEAD = "source_id,source_name,target_id,node_type,decision\n"


def links_of(*rows: tuple[str, str, float]) -> pd.DataFrame:
    source, target, confidence = zip(*rows, strict=True)
    return link_table(list(source), list(target), "Movie", list(confidence), "fuzzy_name", "evidence")


def world() -> CrossDomainDataset:
    ours, theirs = ({"u1": "a b c", "u2": "a"}, {"u1": "x y z", "u3": "x"})
    genres = {"a": "drama"}
    return pair_of(domain_of("one", "Movie", ours, genres=genres), domain_of("two", "Movie", theirs))


def written(folder: Path, text: str, name: str = "review.csv") -> Path:
    (folder / name).write_bytes(text.encode())
    return folder / name


LINKS = links_of(("a", "x", 0.95), ("b", "y", 0.6), ("c", "z", 0.5), ("a", "y", 0.4))


def kept(folder: Path, rows: str, minimum: float = 0.9, undecided: str = "leave") -> list[tuple[str, str, float, str]]:
    review = read_review(written(folder, HEAD + rows))
    table = apply_review(LINKS, review, minimum, undecided)  # type: ignore[arg-type]
    return list(table[["source_id", "target_id", "confidence", "method"]].itertuples(index=False, name=None))


def test_decisions_take_effect(tmp_path: Path) -> None:
    rows = "b,B,y,Movie,accept\na,A,x,Movie,reject\nc,C,z,Movie,\n"
    assert kept(tmp_path, rows) == [("b", "y", 1.0, "fuzzy_name (reviewed)")]


def test_undecided_links_stay_when_asked_to(tmp_path: Path) -> None:
    rows = "b,B,y,Movie, Accept \na,A,y,Movie,reject\n"
    assert kept(tmp_path, rows, undecided="stay") == [
        ("a", "x", 0.95, "fuzzy_name"), ("b", "y", 1.0, "fuzzy_name (reviewed)"), ("c", "z", 0.5, "fuzzy_name"),
    ]


def test_without_a_review_the_threshold_alone_decides() -> None:
    assert apply_review(LINKS, None, 0.6)["target_id"].tolist() == ["x", "y"]
    pd.testing.assert_frame_equal(apply_review(LINKS), LINKS, check_dtype=False)


def test_a_decision_on_what_nothing_proposes_has_no_effect_and_is_counted(tmp_path: Path) -> None:
    review = read_review(written(tmp_path, HEAD + "b,B,z,Movie,accept\nb,B,y,Movie,accept\na,A,x,Movie,reject\n"))
    assert "z" not in apply_review(LINKS[LINKS["target_id"] != "z"], review)["target_id"].tolist()
    record = review.record(LINKS)
    assert {key: record[key] for key in ("accepted", "rejected", "not proposed")} == {
        "accepted": 1, "rejected": 1, "not proposed": 1,
    }
    assert len(record["sha256"]) == 64 and record["file"] == "review.csv"


def test_the_same_pair_of_another_type_is_another_link(tmp_path: Path) -> None:
    assert len(kept(tmp_path, "a,A,x,Genre,reject\n", minimum=0.9)) == 1


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
starts = st.sampled_from(["=", "+", "-", "@", "'", ""])
hostile = st.builds(lambda first, rest: first + rest, starts, cells)
rows_of_cells = st.tuples(hostile.filter(bool), hostile, hostile)


@settings(max_examples=30)
@given(st.lists(rows_of_cells, min_size=1, max_size=6, unique_by=lambda row: row[0]))
def test_any_text_comes_back_and_none_is_a_formula(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str]]
) -> None:
    path = tmp_path_factory.mktemp("review") / "review.csv"
    table = pd.DataFrame(rows, columns=["source_id", "source_name", "comment"], dtype="str")
    write_review(table.assign(target_id="t", node_type="Movie", confidence=0.5, method="m", evidence=None), path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file))
    assert tuple(lines[0]) == REVIEW_COLUMNS and len(lines) == len(rows) + 1
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    assert read_review(path).decisions["source_id"].tolist() == [row[0] for row in rows]


def test_cells_are_guarded_by_an_apostrophe_and_stay_on_one_line(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    links = links_of(("=1+1", "x", 0.25))
    write_review(links.assign(source_name="two\r\nlines", target_name="'tis", comment="'-"), path)
    row = next(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert row == {
        "source_id": "'=1+1", "source_name": "two lines", "target_id": "x", "target_name": "''tis",
        "node_type": "Movie", "confidence": "0.25", "method": "fuzzy_name", "evidence": "evidence", "reasons": "",
        "decision": "", "comment": "''-",
    }
    assert all(not character.isalnum() for character in FORMULA)


def test_decisions_are_not_overwritten(tmp_path: Path) -> None:
    path = written(tmp_path, "mine")
    with pytest.raises(InputError, match="may hold decisions"):
        write_review(LINKS, path)
    assert path.read_text() == "mine" and [each.name for each in tmp_path.iterdir()] == ["review.csv"]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_save_is_read(tmp_path: Path, separator: str, end: str) -> None:
    text = "\ufeff" + HEAD.replace("\n", end) + f'b,"B, the ""second""",y,Movie,ACCEPT{end},,,,{end}'
    if separator != ",":
        text = text.replace("B, the", "B the").replace(",", separator)
    review = read_review(written(tmp_path, text))
    assert review.decisions.to_dict("records") == [
        {"source_id": "b", "target_id": "y", "node_type": "Movie", "decision": "accept"}
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (HEAD + "a,A,x,Movie,acept\n", 'line 2: "acept"; did you mean "accept"?'),
        (HEAD + 'a,"two\nlines",x,Movie,\n\nb,B,y,Movie,no\n', 'line 5: "no"'),
        (HEAD + "a,A,x,Movie,reject\nb,B,y,Movie,\na,A,x,Movie,accept\n", "lines 2 and 4: two decisions"),
        ("source_id,target_id,node_type\na,x,Movie\n", 'line 1: no column "decision"'),
        ("", "empty"),
        (HEAD + "a,A,x,Movie,accept,1,2\n", "line 2: too many fields"),
        (HEAD + "a,A,x,Movie,accept,1,2\n" + "b,B,y,Movie,\n" * 9, "line 2: too many fields; correct the line"),
        (HEAD + "a,A,x,Movie,\nb,A,q,Movie,accept\n", 'line 3: target_id "q" is no Movie of domain "two"'),
        (HEAD + "a,A,x,Genre,accept\n", 'line 2: source_id "a" is no Genre of domain "one"'),
        (HEAD + "u1,A,u9,User,accept\n", 'target_id "u9" is no User'),
        (HEAD + "a,A,x,Film,accept\n", 'source_id "a" is no Film'),
    ],
)
def test_slips_are_one_line_with_their_place(tmp_path: Path, text: str, words: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_review(path, world())
    assert words in str(caught.value) and str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_other_encodings_absent_and_changed_files(tmp_path: Path) -> None:
    path = tmp_path / "review.csv"
    with pytest.raises(InputError, match="does not exist"):
        read_review(path)
    path.write_bytes((HEAD + "a,Amélie,x,Movie,\n").encode("latin-1"))
    assert len(read_review(path).decisions) == 1
    review = read_review(written(tmp_path, HEAD + "a,A,x,Movie,accept\nu1,,u1,User,accept\n"), world())
    assert read_review(path, sha256=review.sha256).decisions[KEY].equals(review.decisions[KEY])
    path.write_text(HEAD)
    with pytest.raises(InputError, match="not the file that was used before"):
        read_review(path, sha256=review.sha256)
