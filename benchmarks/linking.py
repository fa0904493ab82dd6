"""How well do the bridges of names and texts link? ``python -m benchmarks.linking [PART...]``.

Films of a shop were linked to DBpedia by others. The given link is hidden and found again from the shop's title alone,
among all DBpedia names of the data set: films, books, people, organisations, series. A link is right when it is the
given one. Because every title here has an answer among the candidates, which no real catalogue can promise, precision
is measured again with half of the answers taken away, when every link of a title without an answer is wrong: among the
films, which is what a bridge between catalogues of films sees, and among all names, where most wrong links go to the
novel of the same name.

Thresholds are chosen on one half of the titles and reported on the other; the halves, and whose answers go, are those
of a checksum of the item's id. Needs the data set `amazon-books-movies` and the extra `text`; writes aggregate figures
only, since the data may not be passed on.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process
from scipy import sparse

import loaders
from benchmarks.memory import peak_bytes
from kgxfer.bridges import BRIDGES, matched_names
from kgxfer.bridges.fuzzy_name import FuzzyNameConfig, candidate_pairs, confidence_of
from kgxfer.bridges.names import plain_names
from kgxfer.bridges.same_name import equal_names
from kgxfer.bridges.text_neighbours import mutual_neighbours
from kgxfer.evaluation.significance import bootstrap_interval
from kgxfer.features import NodeVectors, text_vectors
from kgxfer.rng import numpy_generator
from kgxfer.splits import ColdStartUsers
from loaders.dataset import CrossDomainDataset

DATA_SET = "amazon-books-movies"
THRESHOLDS = {
    "same_name": (1.0,),
    "fuzzy_name": (0.8, 0.84, 0.88, 0.9, 0.92, 0.94, 0.96, 0.98, 1.0),
    "text_neighbours": (0.6, 0.7, 0.8, 0.85, 0.9, 0.95),
}
NAMED_BY_DBPEDIA = ("Person", "Organisation", "Series")
"""Types of entities whose names are DBpedia's; keywords and genres are plain words of other tables."""

WANTED_PRECISION, TOLERATED_LOSS = 0.95, 0.005
LEAST_SCORE = 0.6
NAMES = 100_000

Linker = Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]
"""Titles and candidates, both id and name, to links: source_id, target_id, score."""


def titles_and_candidates(dataset: CrossDomainDataset) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The films' shop titles with the answer (id, name, answer), and every DBpedia name of the data set (id, name)."""
    books, films = dataset.source.items, dataset.target.items
    titles = films.dropna(subset=["shop_title"])
    titles = titles[["item_id", "shop_title", "dbpedia"]].set_axis(["id", "name", "answer"], axis=1)
    named = [items[["dbpedia", "name"]].set_axis(["id", "name"], axis=1) for items in (books, films)]
    for domain in dataset.domains:
        for end in ("head", "tail"):
            entities = domain.facts[domain.facts[f"{end}_type"].isin(NAMED_BY_DBPEDIA)]
            named.append(entities[[f"{end}_id", f"{end}_name"]].set_axis(["id", "name"], axis=1))
    candidates = pd.concat(named, ignore_index=True).dropna().drop_duplicates("id", ignore_index=True)
    return titles.reset_index(drop=True), candidates


def coin(ids: pd.Series, what: str) -> np.ndarray:
    """A fair coin per id, bool [ids], the same on every machine."""
    flips = [hashlib.sha256(f"{what} {identifier}".encode()).digest()[0] % 2 for identifier in ids]
    return np.array(flips, dtype=bool)


def by_same_name(titles: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    """Links of equal names; DBpedia's words in brackets, such as "(novel)", are not part of a name."""
    return equal_names(titles, _without_brackets(candidates)).assign(score=1.0)


def by_fuzzy_name(titles: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    """Links of similar names, from a score on that is lower than any threshold."""
    return matched_names(titles, candidates, FuzzyNameConfig(threshold=LEAST_SCORE))


def by_text(vectors: dict[str, NodeVectors]) -> Linker:
    """Links of mutual nearest neighbours among given vectors."""

    def link(titles: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
        ours, theirs = _chosen(vectors["titles"], titles["id"]), _chosen(vectors["candidates"], candidates["id"])
        pairs = mutual_neighbours(ours, theirs, LEAST_SCORE)
        ends = {"source_id": ours.ids[pairs.source], "target_id": theirs.ids[pairs.target]}
        return pd.DataFrame({**ends, "score": pairs.cosine})

    return link


def found_again(titles: pd.DataFrame, candidates: pd.DataFrame, linkers: dict[str, Linker]) -> dict[str, Any]:
    """Precision and recall by setting, bridge and threshold, on the half of the choice and on the other.

    The default threshold of `fuzzy_name` is the least whose precision on the choosing half is wanted or better in the
    first two settings, and in the third, where not even equal names reach it, less than half a point below theirs.
    """
    reported, gone = coin(titles["id"], "half"), coin(titles["id"], "answer")
    films = candidates["id"].isin(titles["answer"])
    left = ~candidates["id"].isin(titles["answer"][gone])
    all_there = np.zeros(len(titles), dtype=bool)
    groups: dict[str, Any] = {}
    good: list[set[float]] = []
    for setting, among, lost in (
        ("every answer among all names", candidates, all_there),
        ("half of the answers among the films", candidates[films & left], gone),
        ("half of the answers among all names", candidates[left], gone),
    ):
        lines: dict[str, Any] = {}
        for name, linker in linkers.items():
            for part, half in ((~reported, "chosen on"), (reported, "reported")):
                links = _judged(linker, titles[part], among)
                for threshold in THRESHOLDS[name]:
                    figures = _figures(links, threshold, int((~lost[part]).sum()))
                    lines[f"{name}, {threshold:g}, {half}"] = figures
        found = {threshold: _chosen_on(lines, threshold)["precision"] for threshold in THRESHOLDS["fuzzy_name"]}
        enough = min(WANTED_PRECISION, found[1.0] - TOLERATED_LOSS)
        good.append({threshold for threshold, precision in found.items() if precision >= enough})
        groups[f"films by shop title, {setting}"] = {name: lines[name] for name in sorted(lines, key=_half)}
    among = candidates[films & left]
    stated = _calibration(_judged(linkers["fuzzy_name"], titles[reported], among))
    groups["confidence of fuzzy_name by score, half of the answers among the films, reported"] = stated
    chosen = min(set.intersection(*good))
    return {**groups, "threshold of fuzzy_name, chosen": chosen, "threshold, default": FuzzyNameConfig().threshold}


def _chosen_on(lines: dict[str, Any], threshold: float) -> dict[str, float]:
    figures: dict[str, float] = lines[f"fuzzy_name, {threshold:g}, chosen on"]
    return figures


def _half(name: str) -> bool:
    """Reported lines stand before those that thresholds were chosen on."""
    return name.endswith("chosen on")


def blocking(titles: pd.DataFrame, candidates: pd.DataFrame) -> dict[str, float]:
    """What of all pairs above a score the candidates of `fuzzy_name` hold, against comparing every pair."""
    keys = [plain_names(frame["name"])["key"].dropna().drop_duplicates() for frame in (titles, candidates)]
    source, target = (side[side != ""].reset_index(drop=True) for side in keys)
    first, second = candidate_pairs(source, target)
    letters = [side.str.replace(" ", "").tolist() for side in (source, target)]
    found = {"pairs compared": len(first), "share of all pairs": len(first) / (len(source) * len(target))}
    blocked = sparse.csr_matrix((np.ones(len(first)), (first, second)), shape=(len(source), len(target)))
    for score in (90, 94):
        near = process.cdist(*letters, scorer=fuzz.ratio, score_cutoff=score, dtype=np.uint8, workers=-1)
        rows, columns = np.nonzero(near)
        found[f"recall of pairs of score {score / 100:g} and more"] = float(np.mean(blocked[rows, columns]))
    return found


def speed() -> dict[str, float]:
    """Seconds and memory of `fuzzy_name` on made-up names, half of which lack a letter on the other side."""
    generator = numpy_generator(0, "made-up names")
    words = np.array(["".join(row) for row in generator.choice(list("abcdefghijklmnopqrst"), (30_000, 7))])
    share = 1 / np.arange(1, len(words) + 1)
    drawn = words[generator.choice(len(words), (NAMES, 4), p=share / share.sum())]
    names = pd.Series(drawn[:, 0]).str.cat([drawn[:, column] for column in (1, 2, 3)], sep=" ")
    altered = names.where(np.arange(NAMES) % 2 == 0, names.str[1:])
    source, target = (pd.DataFrame({"id": side.index.astype(str), "name": side}) for side in (names, altered))
    clock, processor = time.perf_counter(), time.process_time()
    pairs = matched_names(source, target)
    seconds, processor = time.perf_counter() - clock, time.process_time() - processor
    right = float((pairs["source_id"] == pairs["target_id"]).mean())
    return {
        "names a side": NAMES, "seconds": seconds, "seconds of processors": processor,
        "peak memory of the process, GB": peak_bytes() / 2**30,
        "links": len(pairs), "share right": right,
    }


def searches(vectors: dict[str, NodeVectors]) -> dict[str, Any]:
    """Exact against approximate search on the vectors of titles and candidates."""
    lines: dict[str, Any] = {}
    exact: set[tuple[int, int]] = set()
    names: tuple[Literal["exact", "approximate"], ...] = ("exact", "approximate")
    for search in names:
        clock = time.perf_counter()
        pairs = mutual_neighbours(vectors["titles"], vectors["candidates"], 0.8, search)
        seconds = time.perf_counter() - clock
        found = set(zip(pairs.source.tolist(), pairs.target.tolist(), strict=True))
        exact = exact or found
        lines[search] = {"seconds": seconds, "pairs": len(found), "of the exact pairs": len(found & exact) / len(exact)}
    return lines


def likenesses(dataset: CrossDomainDataset) -> dict[str, Any]:
    """Soft links between books and films: how many people took both ends, and how many would by chance."""
    split = ColdStartUsers(test_share=0.2).split(dataset, rng=0)
    rows = [split.rows("train", domain.domain) for domain in dataset.domains]
    people = pd.Index(np.intersect1d(*(table["user_id"].astype(object).unique() for table in rows)))
    lines = {}
    for name in ("same_name", "fuzzy_name"):
        links = BRIDGES[name]().links(split)
        both = []
        for table, end in zip(rows, ("source_id", "target_id"), strict=True):
            places = people.get_indexer(pd.Index(table["user_id"].astype(object)))
            columns = pd.Index(table["item_id"].unique())
            entries = (places[places >= 0], columns.get_indexer(pd.Index(table["item_id"]))[places >= 0])
            shape = (len(people), len(columns) + 1)
            taken = sparse.csc_matrix((np.ones(len(entries[0])), entries), shape=shape)
            both.append(taken[:, columns.get_indexer(pd.Index(links[end]))])
        degrees = [np.asarray(side.sum(axis=0)).ravel() for side in both]
        lines[name] = {
            "links": len(links), "taken together": float(both[0].multiply(both[1]).sum()),
            "expected by chance": float((degrees[0] * degrees[1]).sum() / len(people)),
        }
    return lines


def _without_brackets(candidates: pd.DataFrame) -> pd.DataFrame:
    return candidates.assign(name=candidates["name"].str.replace(r"\s*\([^()]*\)$", "", regex=True))


def _chosen(vectors: NodeVectors, ids: pd.Series) -> NodeVectors:
    return NodeVectors(pd.Index(ids), vectors.values[vectors.ids.get_indexer(pd.Index(ids))])


def _judged(linker: Linker, titles: pd.DataFrame, candidates: pd.DataFrame) -> pd.DataFrame:
    links = linker(titles[["id", "name"]], candidates)
    answers = titles.set_index("id")["answer"]
    return links.assign(right=links["source_id"].map(answers).eq(links["target_id"]))


def _figures(links: pd.DataFrame, threshold: float, answers: int) -> dict[str, float]:
    right = links.loc[links["score"] >= threshold - 1e-6, "right"].to_numpy(dtype=float)
    interval = bootstrap_interval(right, resamples=1_000) if len(right) else None
    return {
        "links": len(right), "right": int(right.sum()), "precision": float(right.mean()) if len(right) else 0.0,
        "low": interval.low if interval else 0.0, "high": interval.high if interval else 0.0,
        "recall": float(right.sum()) / answers, "answers": answers,
    }


def _calibration(links: pd.DataFrame) -> dict[str, Any]:
    """Stated confidence and the share that was right, by score."""
    parts = pd.cut(links["score"], [0.75, 0.8, 0.85, 0.9, 0.95, 0.9999, 1.0])
    table = links.assign(confidence=confidence_of(links["score"])).groupby(parts, observed=True)
    return {
        str(part): {"links": len(rows), **{name: float(rows[name].mean()) for name in ("confidence", "right")}}
        for part, rows in table
    }


PARTS = ("speed", "found", "blocking", "likenesses", "searches")


def measure(part: str, dataset: CrossDomainDataset) -> dict[str, Any]:
    """The groups of figures of one part."""
    if part == "speed":
        return {"fuzzy_name on made-up names": speed()}
    if part == "likenesses":
        return {"soft links between books and films, training rows of cold-start users": likenesses(dataset)}
    titles, candidates = titles_and_candidates(dataset)
    if part == "blocking":
        return {"blocking of fuzzy_name, the same names": blocking(titles, candidates)}
    texts = {"titles": titles, "candidates": _without_brackets(candidates)}
    vectors = {name: NodeVectors(pd.Index(table["id"]), text_vectors(table["name"])) for name, table in texts.items()}
    if part == "searches":
        return {"search of text_neighbours, the same names": searches(vectors)}
    linkers = {"same_name": by_same_name, "fuzzy_name": by_fuzzy_name, "text_neighbours": by_text(vectors)}
    return {"titles": len(titles), "candidates": len(candidates), **found_again(titles, candidates, linkers)}


def main() -> None:
    """Measure all parts or the named ones, print, and write the results as JSON, those of other parts kept."""
    target = Path(__file__).parent / "results" / "linking.json"
    target.parent.mkdir(exist_ok=True)
    results: dict[str, Any] = json.loads(target.read_text()) if target.exists() and sys.argv[1:] else {}
    dataset = loaders.load(DATA_SET)
    for part in sys.argv[1:] or PARTS:
        found = measure(part, dataset)
        for name, figures in found.items():
            nested = isinstance(figures, dict) and isinstance(next(iter(figures.values())), dict)
            rows = figures if nested else {"": figures if isinstance(figures, dict) else {"value": figures}}
            print(f"\n{name}\n{pd.DataFrame.from_dict(rows, orient='index').round(4).to_string()}", flush=True)
        results |= found
        target.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
