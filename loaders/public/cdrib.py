"""CDRIB's cold-start splits of Amazon Game-Video and Cloth-Sport: fixed files, ids only, no facts.

Cao et al., "Cross-Domain Recommendation to Cold-Start Users via Variational Information Bottleneck", ICDE 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from loaders.public._indexed_files import Collection, IndexedPair, counts_of_files

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

_COLLECTION = Collection(
    name="cdrib",
    title="cold-start users (CDRIB's files)",
    folder="cdrib-amazon-coldstart",
    origin="https://raw.githubusercontent.com/cjx96/CDRIB/bd9894565ce06e9ab187f8a52ba03919aaee5e13/dataset",
    citation="Jiangxia Cao, Jiawei Sheng, Xin Cong, Tingwen Liu, Bin Wang: Cross-Domain Recommendation to Cold-Start "
    "Users via Variational Information Bottleneck. ICDE 2022, arXiv 2203.16863. Source: Amazon product reviews, 2014.",
    files=("train", "valid", "test"),
    sha256=_SHA256,
)


@dataclass(frozen=True)
class CdribPair(IndexedPair):
    """One of CDRIB's pairs: the users of its validation and test rows have no training row in that domain."""

    collection: ClassVar[Collection] = _COLLECTION


GAME_VIDEO = CdribPair(
    "game",
    "video",
    common_users=2_179,
    size_bytes=3_239_221,
    counts={
        "overlapping_users": 2_179,
        **counts_of_files("game", users=25_025, items=12_319, train=155_036, valid=1_381, test=1_304),
        **counts_of_files("video", users=19_457, items=8_751, train=156_091, valid=1_435, test=1_458),
    },
)

CLOTH_SPORT = CdribPair(
    "cloth",
    "sport",
    common_users=9_828,
    size_bytes=3_883_197,
    counts={
        "overlapping_users": 9_828,
        **counts_of_files("cloth", users=41_829, items=17_943, train=187_880, valid=3_156, test=3_085),
        **counts_of_files("sport", users=27_328, items=12_655, train=163_291, valid=3_589, test=3_546),
    },
)
