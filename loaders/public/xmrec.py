"""XMRec (WSDM Cup 2022): five markets of one shop that share their items and no user; ids only, no facts.

Bonab et al., "Cross-Market Product Recommendation", CIKM 2021. Any two of the markets make a data set. An item id is
the same product in both markets; the data set says so by its links, one per shared item, so that a graph joins them.
Default are the 5-core files, implicit, with the cup's validation items, one per user, as held-out *test* rows (the
cup's own test items are not published); the split `fixed_files` with ``choose_on="training_rows"`` carves out rows to
choose on. ``ratings="raw"`` are all ratings, 1 to 5, of the markets that have them (not s1), without held-out rows: the
cup's validation items come without a rating. A pair that a file lists twice is kept once, where it comes first.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pandas as pd

from graph_schema.errors import InputError, unknown_name
from graph_schema.tables import FACTS
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile, locate, read_content
from loaders.pairing import FIXED_COLUMNS, assert_counts, pair

OPTIONS = ("source", "target", "ratings")
MARKETS = ("s1", "s2", "s3", "t1", "t2")
RATINGS = ("5core", "raw")
CANDIDATE_MARKETS = ("t1", "s3")

_ORIGIN = "https://raw.githubusercontent.com/hamedrab/wsdm22_cup_xmrec/f5b1f087a4054537cd8f46bf346f978094b8467e/DATA"
_FOLDER = "xmrec-cross-market"

_SHA256: Mapping[str, str] = {
    "s1_train_5core.tsv": "20e099564c6760299fb4266823f1e78d15a31c3bcf34e59000d5e1b2a5847400",
    "s1_valid_qrel.tsv": "c8e59e0f24e5dff4a4e3d0775bc9beead9af891ff42312cd0094d2c7e88f6e68",
    "s2_train.tsv": "5e0ccc7966c5cfa72013293ada7a1c1ae1bc518c190758e6686a90660eb8b24c",
    "s2_train_5core.tsv": "ca80ec9723d0cb2864f0c7ce104ef78a722ea441dda48042bd792e997f9b3e37",
    "s2_valid_qrel.tsv": "998fabebfc1bef764de80377a493b3829007693c00b946aa4b0c05b8eed7f567",
    "s3_train.tsv": "eb2c0553655fa635c9e853754a9b9f25ebfb10fde390ff4aa23ceec7119db466",
    "s3_train_5core.tsv": "844b4a0c00baed1738da0b7760e272ac05dbb46c7eefb661b2cb8a08175e9ba7",
    "s3_valid_qrel.tsv": "fc035e19278139ebba2185b4b17b37738870857d3fe8494251997c37053d4e69",
    "s3_valid_run.tsv": "507ba8f8298097f4039bcd09858fb9c37ce25849305c59ef1809a8dacbb2087d",
    "t1_train.tsv": "d106a0f44641de9f3e86758773dd455d7a0fd8c423747571583371e3d8475fb5",
    "t1_train_5core.tsv": "3937826a1d22b8d1866bdd3cb7b686a9ef9bf837cdb7acf469c7d42e6d363802",
    "t1_valid_qrel.tsv": "9338c6ee00539b81950a6d866ef6ab0546eb93184ef6734aa26243a53bc37e91",
    "t1_valid_run.tsv": "82a110329da25cf2ad76c8cfba37cde4385c8585bb46304e37e06c94b0cf23ed",
    "t2_train.tsv": "4ed722dbef2a7ae8c86bc48fc399cb8f2b10d9262e448d634dc0d2637691c5f5",
    "t2_train_5core.tsv": "9e1ab3683ee8cae2bb0a950b438891e6b21c34ba4780b6f61f38e40bd5908730",
    "t2_valid_qrel.tsv": "56fc20ae4384dc00c86dedf72ad91493c255731b88020964c744a3d9afbf10b1",
}

_COUNTS: Mapping[str, Mapping[str, tuple[int, int, int, int]]] = {
    "5core": {
        "s1": (6_466, 9_931, 83_431, 6_466),
        "s2": (7_109, 2_218, 55_274, 7_109),
        "s3": (3_328, 1_260, 26_564, 3_328),
        "t1": (2_697, 1_376, 22_180, 2_697),
        "t2": (5_482, 2_945, 46_543, 5_482),
    },
    "raw": {
        "s2": (18_875, 4_960, 114_402, 0),
        "s3": (8_601, 2_797, 53_413, 0),
        "t1": (9_742, 3_429, 58_776, 0),
        "t2": (18_242, 8_834, 118_630, 0),
    },
}
"""Users, items, distinct interactions, and held-out rows among these, of each market."""

_SHARED: Mapping[str, Mapping[str, int]] = {
    "5core": {
        "s1-s2": 1_209,
        "s1-s3": 757,
        "s1-t1": 805,
        "s1-t2": 1_848,
        "s2-s3": 821,
        "s2-t1": 870,
        "s2-t2": 792,
        "s3-t1": 718,
        "s3-t2": 550,
        "t1-t2": 531,
    },
    "raw": {
        "s2-s3": 2_221,
        "s2-t1": 2_634,
        "s2-t2": 2_733,
        "s3-t1": 2_007,
        "s3-t2": 1_808,
        "t1-t2": 2_037,
    },
}
"""Shared items of each pair of markets."""

FILES = tuple(
    RemoteFile(_FOLDER, name, f"{_ORIGIN}/{name[:2]}/{name[3:]}", checksum) for name, checksum in _SHA256.items()
)
"""Each is the origin's file ``DATA/<market>/<rest of the name>``, unchanged."""

_FILE = {file.file: file for file in FILES}


def card_of(source: str = "s1", target: str = "t1", ratings: str = "5core") -> DataCard:
    """Return the card with the counts of one pair of markets.

    Raises:
        InputError: an unknown market, the same one twice, or raw ratings of a market that has none.
    """
    _check(source, target, ratings)
    counts = {"overlapping_users": 0, "links": _SHARED[ratings]["-".join(sorted((source, target)))]}
    for market in (source, target):
        users, items, interactions, held_out = _COUNTS[ratings][market]
        counts |= {f"{market}.users": users, f"{market}.items": items, f"{market}.interactions": interactions}
        counts |= {f"{market}.test": held_out} if ratings == "5core" else {}
    return DataCard(
        name="xmrec",
        title="XMRec, WSDM Cup 2022: one shop in several countries, shared items",
        url=_ORIGIN.replace("raw.githubusercontent.com", "github.com").replace("xmrec/", "xmrec/tree/"),
        sha256=_SHA256,
        origins={file.file: file.origin for file in FILES},
        size_bytes=19_479_001,
        licence="not stated by the repository; the reviews behind it are Amazon's",
        redistributable=False,
        citation="Hamed Bonab, Mohammad Aliannejadi, Ali Vardasbi, Evangelos Kanoulas, James Allan: Cross-Market "
        "Product Recommendation. CIKM 2021. WSDM Cup 2022, repository hamedrab/wsdm22_cup_xmrec.",
        counts=counts,
    )


def load(root: Path, source: str = "s1", target: str = "t1", ratings: str = "5core") -> CrossDomainDataset:
    """Load two markets.

    Args:
        root: the folder of the data files.
        source: one of s1, s2, s3, t1, t2.
        target: another of them.
        ratings: "5core", implicit with held-out test rows, or "raw", all ratings (not of s1).

    Raises:
        InputError: an unknown market or `ratings`, or files that are absent, damaged, or of other counts.
    """
    card = card_of(source, target, ratings)
    names = {market: _names(market, ratings) for market in (source, target)}
    contents = {
        name: read_content(locate(root, _FILE[name]), _FILE[name].sha256)
        for name in (*names[source], *names[target])
    }
    return assert_counts(parse(contents, source, target, ratings, card), card)


def parse(
    contents: Mapping[str, bytes], source: str, target: str, ratings: str, card: DataCard
) -> CrossDomainDataset:
    """Make the data set from the contents of the files of both markets, keyed by name."""
    domains, held_out = [], []
    for market in (source, target):
        parts = [_rows(contents[name]) for name in _names(market, ratings)]
        rows = pd.concat(parts).drop_duplicates(["user_id", "item_id"], ignore_index=True)
        domains.append(
            DomainTables(
                domain=market,
                item_type="Product",
                users=rows[["user_id"]].drop_duplicates(),
                items=rows[["item_id"]].drop_duplicates().assign(item_type="Product"),
                interactions=rows if ratings == "raw" else rows[["user_id", "item_id"]],
                facts=FACTS.empty(),
                card=card,
            )
        )
        held_out += [part.assign(domain=market)[FIXED_COLUMNS] for part in parts[1:]]
    fixed = {"test": pd.concat(held_out)} if held_out else None
    first, second = domains
    return pair(f"xmrec-{source}-{target}", first, second, _shared_items(first, second), fixed=fixed)


def official_candidates(root: Path, market: str = "t1") -> pd.DataFrame:
    """Return the items that the cup ranks for each user of a market, as rows user_id, item_id (markets t1 and s3).

    Among a user's candidates is the held-out item; the official figure is NDCG@10 over these lists.

    Raises:
        InputError: a market without candidates, or a file that is absent or damaged.
    """
    if market not in CANDIDATE_MARKETS:
        raise unknown_name("market with official candidates", market, CANDIDATE_MARKETS)
    file = _FILE[f"{market}_valid_run.tsv"]
    content = read_content(locate(root, file), file.sha256)
    lists = pd.read_csv(BytesIO(content), sep="\t", names=["user_id", "item_id"], dtype="str")
    return lists.assign(item_id=lists["item_id"].str.split(",")).explode("item_id", ignore_index=True).astype("str")


def _check(source: str, target: str, ratings: str) -> None:
    for option, value, choices in (
        ("source", source, MARKETS), ("target", target, MARKETS), ("ratings", ratings, RATINGS),
    ):
        if value not in choices:
            raise unknown_name(f'value of option {option} of data set "xmrec"', value, choices)
    if source == target:
        raise InputError(f'data set "xmrec": source and target are both "{source}"; choose two markets')
    if ratings == "raw" and "s1" in (source, target):
        raise InputError('data set "xmrec": market "s1" has no raw ratings; choose another market or ratings="5core"')


def _names(market: str, ratings: str) -> list[str]:
    parts = ("train",) if ratings == "raw" else ("train_5core", "valid_qrel")
    return [f"{market}_{part}.tsv" for part in parts]


def _rows(content: bytes) -> pd.DataFrame:
    rows = pd.read_csv(BytesIO(content), sep="\t", dtype={"userId": "str", "itemId": "str", "rating": "float64"})
    return rows.set_axis(["user_id", "item_id", "rating"], axis=1)


def _shared_items(source: DomainTables, target: DomainTables) -> pd.DataFrame:
    shared = source.items[["item_id"]].merge(target.items[["item_id"]])["item_id"]
    links = pd.DataFrame({"source_id": shared, "target_id": shared, "node_type": "Product", "confidence": 1.0})
    return links.assign(method="given", evidence="equal item id")
