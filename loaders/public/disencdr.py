"""DisenCDR's splits of four pairs of Amazon categories: every user is in both domains; fixed files, ids only, no facts.

Cao et al., "DisenCDR: Learning Disentangled Representations for Cross-Domain Recommendation", SIGIR 2022.

The users are warm: each has training rows in both domains and one held-out row in each. `test` leaves out the held-out
rows whose item never occurs in training; `test_original` has them all. Nothing is given to choose on: the split
`fixed_files` carves validation rows out of training with ``choose_on="training_rows"``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from graph_schema.errors import unknown_name
from loaders.dataset import CrossDomainDataset
from loaders.public._indexed_files import Collection, IndexedPair, counts_of_files

OPTIONS = ("test",)
TEST_FILES = ("test", "test_original")

_SHA256: Mapping[str, str] = {
    "sport_cloth/train.txt": "45c517a6fc7721f168411b69eb3f6e6ef896bbe06f599f6f7b4a5844ff925629",
    "sport_cloth/test.txt": "7b43d370047f23cbc6862188aba53b3a3241948255584a1f3f5c189118f16490",
    "sport_cloth/test_original.txt": "79c4f4ca9e6a694652df32c8eabc73f6b6e62719f9579e89a44210ccb0c2d460",
    "cloth_sport/train.txt": "3e039ec9baff975cb47722c4704f7d2103c2bbf2a3c30ed2d264e17b69d4fd0a",
    "cloth_sport/test.txt": "0d034810261027b080d506399426d3eb4f26b4b90a121fe79ebaef246a82b1bd",
    "cloth_sport/test_original.txt": "1e35975cd187d2d69a52cd6ae14f1ce8845ad0cba897ca65481e74c3ca487ff2",
    "sport_phone/train.txt": "c55f3f576465795163f45cdb6df9484626dfbb12799393a7d06e4401cfcb6f3a",
    "sport_phone/test.txt": "5ff3bc25da94612e7a35672edba277c4acc497cc8d87d268bca891e64dc98640",
    "sport_phone/test_original.txt": "78cd3e7fa755fc0c7ffe10ab61a20f3626ed81b099dfc633b08e59cf83dcc535",
    "phone_sport/train.txt": "d38cd0da5379bbec03a19cc3eb95a8b52caeeb179dfb515ba2d894b1e193572d",
    "phone_sport/test.txt": "1665b2846c5011ca870ff79bcfb3cc632aa3eeaa6ea9853ee45549ac0858b444",
    "phone_sport/test_original.txt": "17894bfdd8daecda579ca2f454b4a1282187efc52705b731dd16893c44a0abdb",
    "electronic_phone/train.txt": "cb09610ab143478097937c235c4932fe39b5c664d434dd5abba3c5eb5d75f028",
    "electronic_phone/test.txt": "322a8e4c7b5d10e2a3d91dbb2d7833eaf2ba684f4c5109dc1ea4e6ee08119c46",
    "electronic_phone/test_original.txt": "b513255035eb30808e9cc396b180f48df7e6bbd6726ed7415c00f0aab78ba565",
    "phone_electronic/train.txt": "a439eb3fdf4d08e58da1d86e1f711cf0acf59f28944d347ad4b3fb9454df54f9",
    "phone_electronic/test.txt": "a3d0d2fb03c25994c3509af3acc6eeca5009b00751f9b12e28fdf52843a027c6",
    "phone_electronic/test_original.txt": "9e7f12e47f649c721bbe4e45e49d59e3b4cf4aecea0f2f45ac007fa188077b65",
    "electronic_cloth/train.txt": "fbccec759f2acfec35927c07a1a4bd911f75106de34d6b21e7d7a8a7ffc68e81",
    "electronic_cloth/test.txt": "1a1a5ce75f986052afc05337ea5d1e5ac44c7017f06f1ecc5ccadb523aadf08d",
    "electronic_cloth/test_original.txt": "1db273571bb0e59f7d595c682d4074e9f976bcaf2fe21e15c4623bc16bc14686",
    "cloth_electronic/train.txt": "678124e0dbf8d162041f8b656bd5e89ee2a678df2c85812f94fd7c0bd2062f6f",
    "cloth_electronic/test.txt": "0b604b69d3eb531bf99a11e2322f247694f7a593905e0c0c04c54e2a58fb0f78",
    "cloth_electronic/test_original.txt": "ab4c404114d7d641edfa1f5759ec1aae9b0cc5eb55c4d5ea61437c43c96b1800",
}

_COLLECTION = Collection(
    name="disencdr",
    title="warm users, leave-one-out (DisenCDR's files)",
    folder="disencdr-amazon",
    origin="https://raw.githubusercontent.com/cjx96/DisenCDR/4e6d60bad4d5185c99ab60423b48f87f88aa03a3/dataset",
    citation="Jiangxia Cao, Xixun Lin, Xin Cong, Jing Ya, Tingwen Liu, Bin Wang: DisenCDR: Learning Disentangled "
    "Representations for Cross-Domain Recommendation. SIGIR 2022, doi 10.1145/3477495.3531967. Source: Amazon product "
    "reviews, 2014.",
    files=("train", *TEST_FILES),
    sha256=_SHA256,
)


@dataclass(frozen=True)
class DisencdrPair(IndexedPair):
    """One of DisenCDR's pairs; `original_counts` are those with `test_original` as the test rows."""

    collection: ClassVar[Collection] = _COLLECTION

    original_counts: Mapping[str, int] = field(default_factory=dict)
    test_file: str = "test"

    @property
    def parts(self) -> dict[str, str]:
        """Training and test rows; there are no others."""
        return {"train": "train", "test": self.test_file}

    def load(self, root: Path, test: str = "test") -> CrossDomainDataset:
        """Load both domains: interactions are training and test rows, items those that occur in them.

        Args:
            root: the folder of the data files.
            test: "test", the held-out rows whose item occurs in training, or "test_original", all of them.

        Raises:
            InputError: another `test`, or files that are absent and cannot be fetched, damaged, or of other counts.
        """
        if test not in TEST_FILES:
            raise unknown_name(f'value of option test of data set "{self.name}"', test, TEST_FILES)
        chosen = self if test == self.test_file else replace(self, test_file=test, counts=self.original_counts)
        return super(DisencdrPair, chosen).load(root)


def _pair(source: str, target: str, users: int, size_bytes: int, **files: tuple[int, int, int, int]) -> DisencdrPair:
    """Make a pair; `files` gives per domain items in train, rows of train and of test, items with test_original."""
    usual, original = {"overlapping_users": users}, {"overlapping_users": users}
    for domain, (items, train, test, all_items) in files.items():
        usual |= counts_of_files(domain, users=users, items=items, train=train, test=test)
        original |= counts_of_files(domain, users=users, items=all_items, train=train, test=users)
    return DisencdrPair(source, target, users, size_bytes, usual, original)


SPORT_CLOTH = _pair(
    "sport", "cloth", users=9_928, size_bytes=2_693_832,
    sport=(30_796, 92_612, 8_326, 32_310), cloth=(39_008, 87_829, 7_540, 41_303),
)
SPORT_PHONE = _pair(
    "sport", "phone", users=4_998, size_bytes=1_337_984,
    sport=(20_845, 50_558, 3_698, 22_101), phone=(13_655, 42_446, 3_999, 14_618),
)
ELECTRONIC_PHONE = _pair(
    "electronic", "phone", users=3_325, size_bytes=2_178_910,
    electronic=(38_706, 115_554, 2_560, 39_463), phone=(17_709, 50_407, 2_559, 18_462),
)
ELECTRONIC_CLOTH = _pair(
    "electronic", "cloth", users=15_761, size_bytes=5_035_362,
    electronic=(51_447, 210_865, 13_824, 53_309), cloth=(48_781, 121_083, 12_526, 51_865),
)

PAIRS = (SPORT_CLOTH, SPORT_PHONE, ELECTRONIC_PHONE, ELECTRONIC_CLOTH)
