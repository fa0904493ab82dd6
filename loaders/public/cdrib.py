"""CDRIB's cold-start splits of Amazon Game-Video and Cloth-Sport: fixed files, ids only, no facts.

Cao et al., "Cross-Domain Recommendation to Cold-Start Users via Variational Information Bottleneck", ICDE 2022.

The id rule: with n common users, ids 0..n-1 are the same person in both domains; ids from n on are numbered in each
domain separately and are different people although the numbers coincide. Shared ids become "u<id>", the others
"<domain>:<id>". Item ids are numbered per domain too: item "0" of one domain has nothing to do with "0" of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd

from graph_schema.tables import FACTS
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.download import RemoteFile, locate, read_content
from loaders.pairing import FIXED_COLUMNS, FIXED_PARTS, assert_counts, pair

_FOLDER = "cdrib-amazon-coldstart"
_PARTS = ("train", "valid", "test")
_ORIGIN = "https://raw.githubusercontent.com/cjx96/CDRIB/bd9894565ce06e9ab187f8a52ba03919aaee5e13/dataset"
_CITATION = (
    "Jiangxia Cao, Jiawei Sheng, Xin Cong, Tingwen Liu, Bin Wang: Cross-Domain Recommendation to Cold-Start Users via "
    "Variational Information Bottleneck. ICDE 2022, arXiv 2203.16863. Source: Amazon product reviews, 2014."
)

_SHA256: Mapping[str, str] = {
    "game_video/train.txt": "758f443fde7211f7253d22999d4c94eb6a07ba10661d38ef3a72a5c78c70105f",
    "game_video/valid.txt": "e6dace5c64d53c0df3b09ed606a530b22d5147da068c0ae4e5bf8f805381a973",
    "game_video/test.txt": "b61703adcb7c9b0a8e4b61c865b650aee05b84fba7e15d690f0b50df3aa85bdc",
    "video_game/train.txt": "fcba16c5d28a052ae4251d5db055397fac34cb9a6bba36506d195982aacae887",
    "video_game/valid.txt": "2da785b3a1e7e1dbb4c0fcc35e47ea8654b7c4dbd4313f808da2a4e346cde812",
    "video_game/test.txt": "ba2cb882b8369635a2d72703f4ccbd961475064479c8727ef7cc3d973e800abd",
    "cloth_sport/train.txt": "12885bf488ae0e3ef11c4dbc518f4bcc82dcccca799ae0506a21a4ce1ccff0c2",
    "cloth_sport/valid.txt": "f53c435ca8ec036048adcdf495e109dd7fc5f0917d1efdc29f4817f86a3f8fee",
    "cloth_sport/test.txt": "4980e2e43f9523f9f4633e36e7c84b84caa0d09324f7c768d4985425a2832077",
    "sport_cloth/train.txt": "9c85ed3ce03c67d97cbf5f7789c70d74e47187d7ec0c5d220943f7ed4a92a4fc",
    "sport_cloth/valid.txt": "a7a61b75096decef81dc5e59efee15bf5af748ba123ddb22d373fc71ae4537df",
    "sport_cloth/test.txt": "6f15fea0aa3ec02e4609aa4245ac7a4c6ea3c5e30d662ed1155698ab606e2582",
}


@dataclass(frozen=True)
class CdribPair:
    """One pair of domains: the number of common users, the counts of its files, and how to load them."""

    source: str
    target: str
    common_users: int
    size_bytes: int
    counts: Mapping[str, int]

    @property
    def name(self) -> str:
        """The name in the registry."""
        return f"cdrib-{self.source}-{self.target}"

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The six files, those of the source domain first, each as train, valid, test."""
        return (*self._files_of(self.source, self.target), *self._files_of(self.target, self.source))

    @property
    def card(self) -> DataCard:
        """Origin, terms and exact counts."""
        return DataCard(
            name=self.name,
            title=f"Amazon {self.source.title()}-{self.target.title()}, cold-start users (CDRIB's files)",
            url=f"{_ORIGIN}/{self.source}_{self.target}",
            sha256={file.file: file.sha256 for file in self.files},
            size_bytes=self.size_bytes,
            licence="MIT (the repository's; the reviews behind it are Amazon's)",
            redistributable=False,
            citation=_CITATION,
            counts=self.counts,
        )

    def load(self, root: Path) -> CrossDomainDataset:
        """Load both domains: interactions are train + valid + test; `fixed` says which rows are valid and test.

        Raises:
            InputError: files that are absent and cannot be fetched, damaged, or of other counts than the card's.
        """
        contents = {}
        for file in self.files:
            contents[file.file] = read_content(locate(root, file), file.sha256)
        return self.parse(contents)

    def parse(self, contents: Mapping[str, bytes]) -> CrossDomainDataset:
        """Make the data set from the contents of the files, keyed as in the card; InputError on other counts."""
        rows = {
            domain: {part: self._rows(domain, contents[f"{domain}_{other}/{part}.txt"]) for part in _PARTS}
            for domain, other in ((self.source, self.target), (self.target, self.source))
        }
        fixed = {
            part: pd.concat([parts[part].assign(domain=domain) for domain, parts in rows.items()])[FIXED_COLUMNS]
            for part in FIXED_PARTS
        }
        source, target = (self._tables(domain, pd.concat(parts.values())) for domain, parts in rows.items())
        return assert_counts(pair(self.name, source, target, fixed=fixed), self.card)

    def _files_of(self, domain: str, other: str) -> tuple[RemoteFile, ...]:
        names = [f"{domain}_{other}/{part}.txt" for part in _PARTS]
        return tuple(RemoteFile(_FOLDER, name, f"{_ORIGIN}/{name}", _SHA256[name]) for name in names)

    def _rows(self, domain: str, content: bytes) -> pd.DataFrame:
        raw = pd.read_csv(BytesIO(content), sep="\t", header=None, names=["user", "item"], dtype=np.int64)
        user_ids = raw["user"].astype("str")
        shared = raw["user"] < self.common_users
        return pd.DataFrame(
            {
                "user_id": ("u" + user_ids).where(shared, f"{domain}:" + user_ids),
                "item_id": raw["item"].astype("str"),
                "user_number": raw["user"],
                "item_number": raw["item"],
            }
        )

    def _tables(self, domain: str, rows: pd.DataFrame) -> DomainTables:
        """Make the tables of a domain; users and items come in the order of the origin's numbers."""
        users = rows[["user_number", "user_id"]].drop_duplicates().sort_values("user_number")
        items = rows[["item_number", "item_id"]].drop_duplicates().sort_values("item_number")
        return DomainTables(
            domain=domain,
            item_type="Product",
            users=users[["user_id"]],
            items=items[["item_id"]].assign(item_type="Product"),
            interactions=rows[["user_id", "item_id"]],
            facts=FACTS.empty(),
            card=self.card,
        )


def _counts(domain: str, *, users: int, items: int, train: int, valid: int, test: int) -> dict[str, int]:
    values = {"users": users, "items": items, "interactions": train + valid + test, "valid": valid, "test": test}
    return {f"{domain}.{key}": value for key, value in values.items()}


GAME_VIDEO = CdribPair(
    "game",
    "video",
    common_users=2_179,
    size_bytes=3_239_221,
    counts={
        "overlapping_users": 2_179,
        **_counts("game", users=25_025, items=12_319, train=155_036, valid=1_381, test=1_304),
        **_counts("video", users=19_457, items=8_751, train=156_091, valid=1_435, test=1_458),
    },
)

CLOTH_SPORT = CdribPair(
    "cloth",
    "sport",
    common_users=9_828,
    size_bytes=3_883_197,
    counts={
        "overlapping_users": 9_828,
        **_counts("cloth", users=41_829, items=17_943, train=187_880, valid=3_156, test=3_085),
        **_counts("sport", users=27_328, items=12_655, train=163_291, valid=3_589, test=3_546),
    },
)
