"""Amazon's reviews, releases 2014, 2018 and 2023, in their official files: any two categories, users shared.

Three forms of interactions: "ratings" (CSV without text, the smallest), "reviews" (JSON lines) and "5-core" (what is
left when users and items with fewer than five are removed). What is known to be odd, and what is done:

- The descriptions of 2014 are Python literals, not JSON: they are read as literals and never evaluated.
- In the ratings of 2014 the user comes first, in those of 2018 the item: the columns are told by the ten characters of
  an item's number, whatever the release.
- Descriptions of 2018 hold what is left of HTML: tags and entities are taken out of names; a name that is a piece of
  a page's program, and a category that is one or longer than 80 characters, is none.
- The same description may be listed twice (2018), the same user may review an item twice: the first description and
  the latest review count, and a warning says how many.
- The brand of a book is its author, behind "Visit Amazon's ... Page" (2018) or before "(Author)" (2023).
- 2023 counts in milliseconds; its items are those of `parent_asin`, which joins the variants of one product.

The format is tested on files of our own making; no official file was read. No counts are asserted.

McAuley et al., SIGIR 2015 (2014); Ni, Li, McAuley, EMNLP 2019 (2018); Hou et al., arXiv 2403.03952 (2023).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field

from graph_schema.errors import InputError
from loaders.dataset import CrossDomainDataset, DataCard, DomainTables
from loaders.pairing import pair
from loaders.public._official import Home, OfficialConfig, facts_frame, official_card, plain_text, tables_of
from loaders.public._records import Format, JsonLines, Kind, Records, Separated, read
from loaders.raw import RawDomain, RawTable

Release = Literal["2014", "2018", "2023"]
Form = Literal["ratings", "reviews", "5-core"]
Category = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+$")]

ITEM_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("Books", "Kindle_Store"), "Book"),
    **dict.fromkeys(("Movies_and_TV", "Amazon_Instant_Video"), "Movie"),
    **dict.fromkeys(("CDs_and_Vinyl", "Digital_Music"), "Album"),
    "Video_Games": "Game",
}
"""What the items of a category are; those of every other are products."""

_LONGEST_CATEGORY = 80
_PROGRAM = "getTime|aPageStart|function ?\\("
_AUTHOR_PAGE = r"^(?:Visit Amazon's )?(.*?)(?: Page| \(Author\))?$"
_ITEM_CHARACTERS = 10
_BOUGHT_WITH = re.compile(r", 'related': \{[^{}\"]*\}(?=, '|\}$)")
_SAMPLE = 100_000


class CategoryConfig(OfficialConfig):
    """One category of a release; `descriptions` False does without names and facts, and without their file."""

    release: Release = "2018"
    category: Category = "Books"
    form: Form = "ratings"
    descriptions: bool = True
    domain: str = ""


class AmazonConfig(OfficialConfig):
    """Two categories of a release."""

    release: Release = "2018"
    source: Category = "Books"
    target: Category = "Movies_and_TV"
    form: Form = "ratings"
    descriptions: bool = True
    positive_from: float | None = None


@dataclass(frozen=True)
class _Release:
    """Names of a release's files, with {} for the category, and the fields of each."""

    page: str
    citation: str
    files: Mapping[Form, str]
    descriptions: str
    ratings: Format
    reviews: JsonLines
    described: JsonLines
    roles: Mapping[str, str]
    item: str
    brand: str
    categories: str
    in_milliseconds: bool = False


_PLAIN_RATINGS = Separated(
    ("first id", "second id", "rating", "timestamp"),
    {"first id": "id", "second id": "id", "rating": "number", "timestamp": "whole"},
    ",",
)
_OLD_REVIEW: Mapping[str, Kind] = {"reviewerID": "id", "asin": "id", "overall": "number", "unixReviewTime": "whole"}
_OLD_ROLES = {"user_id": "reviewerID", "item_id": "asin", "rating": "overall", "timestamp": "unixReviewTime"}
_NEW_REVIEW: Mapping[str, Kind] = {"user_id": "id", "parent_asin": "id", "rating": "number", "timestamp": "whole"}
_NEW_ROLES = {"user_id": "user_id", "item_id": "parent_asin", "rating": "rating", "timestamp": "timestamp"}

_RELEASES: Mapping[Release, _Release] = {
    "2014": _Release(
        page="https://cseweb.ucsd.edu/~jmcauley/datasets/amazon/links.html",
        citation="Julian McAuley, Christopher Targett, Qinfeng Shi, Anton van den Hengel: Image-Based "
        "Recommendations on Styles and Substitutes. SIGIR 2015.",
        files={"ratings": "ratings_{}.csv", "reviews": "reviews_{}.json", "5-core": "reviews_{}_5.json"},
        descriptions="meta_{}.json",
        ratings=_PLAIN_RATINGS,
        reviews=JsonLines(_OLD_REVIEW, literals=True),
        described=JsonLines(
            {"asin": "id", "title": "text", "brand": "text", "categories": "texts"}, literals=True, cut=_BOUGHT_WITH
        ),
        roles=_OLD_ROLES,
        item="asin",
        brand="brand",
        categories="categories",
    ),
    "2018": _Release(
        page="https://cseweb.ucsd.edu/~jmcauley/datasets/amazon_v2/",
        citation="Jianmo Ni, Jiacheng Li, Julian McAuley: Justifying Recommendations using Distantly-Labeled Reviews "
        "and Fine-Grained Aspects. EMNLP 2019.",
        files={"ratings": "{}.csv", "reviews": "{}.json", "5-core": "{}_5.json"},
        descriptions="meta_{}.json",
        ratings=_PLAIN_RATINGS,
        reviews=JsonLines(_OLD_REVIEW),
        described=JsonLines({"asin": "id", "title": "text", "brand": "text", "category": "texts"}),
        roles=_OLD_ROLES,
        item="asin",
        brand="brand",
        categories="category",
    ),
    "2023": _Release(
        page="https://amazon-reviews-2023.github.io/",
        citation="Yupeng Hou, Jiacheng Li, Zhankui He, An Yan, Xiusi Chen, Julian McAuley: Bridging Language and Items "
        "for Retrieval and Recommendation. arXiv 2403.03952, 2024.",
        files={"ratings": "{}.csv", "reviews": "{}.jsonl", "5-core": "5core/{}.csv"},
        descriptions="meta_{}.jsonl",
        ratings=Separated(tuple(_NEW_REVIEW), _NEW_REVIEW, ",", header=True),
        reviews=JsonLines(_NEW_REVIEW),
        described=JsonLines({"parent_asin": "id", "title": "text", "store": "text", "categories": "texts"}),
        roles=_NEW_ROLES,
        item="parent_asin",
        brand="store",
        categories="categories",
        in_milliseconds=True,
    ),
}


def card_of(release: Release) -> DataCard:
    """Return the card of a release."""
    made = _RELEASES[release]
    return official_card(
        "amazon-reviews",
        f"Amazon reviews {release}",
        made.page,
        "not stated by the origin, for research; the reviews are their authors' and Amazon's",
        made.citation,
        {},
    )


CARD = card_of(CategoryConfig().release)


def read_category(root: Path, config: CategoryConfig) -> RawDomain:
    """Read a category of a release.

    Raises:
        InputError: a file is absent (it says which, from where, and where to put it), damaged, or of another format.
    """
    made = _RELEASES[config.release]
    home = Home("amazon-reviews", f"amazon-reviews/{config.release}", made.page)
    file = made.files[config.form].format(config.category)
    others = "; other forms of interactions are form=" + " and form=".join(
        f'"{form}"' for form in made.files if form != config.form
    )
    interactions = home.find(root, file, others)
    described = None
    if config.descriptions:
        name = made.descriptions.format(config.category)
        described = home.find(root, name, "; descriptions=False does without names and facts")
    is_plain = config.form == "ratings" or (config.form == "5-core" and config.release == "2023")
    rows = read(interactions, made.ratings if is_plain else made.reviews)
    item_type = ITEM_TYPES.get(config.category, "Product")
    items, facts = (None, None) if described is None else _described(read(described, made.described), made, item_type)
    return RawDomain(
        domain=config.domain or config.category,
        item_type=item_type,
        interactions=_interactions(rows, made),
        items=items,
        facts=facts,
    )


def load_domain(root: Path, **options: Any) -> DomainTables:
    """Load one category; `options` are those of `CategoryConfig`. Raises InputError like `read_category`."""
    config = CategoryConfig.parse(options, 'options of domain "amazon-reviews"')
    return tables_of(read_category(root, config), card_of(config.release))


def load(root: Path, **options: Any) -> CrossDomainDataset:
    """Load two categories, whose users are the same people; `options` are those of `AmazonConfig`.

    Raises:
        InputError: like `read_category`; or the two categories are one.
    """
    config = AmazonConfig.parse(options, 'options of data set "amazon-reviews"')
    shared = config.model_dump(exclude={"source", "target", "positive_from"})
    if config.source == config.target:
        raise InputError(f'data set "amazon-reviews": source and target are both "{config.source}"; choose two')
    source, target = (
        tables_of(read_category(root, CategoryConfig(category=category, **shared)), card_of(config.release))
        for category in (config.source, config.target)
    )
    name = f"amazon-reviews-{config.release}-{config.source}-{config.target}".lower()
    return pair(name, source, target, positive_from=config.positive_from)


def _interactions(rows: Records, made: _Release) -> RawTable:
    roles = made.roles
    if "first id" in rows.table.column_names:
        lengths = [
            (rows.column(name).head(_SAMPLE).str.len() == _ITEM_CHARACTERS).mean() for name in ("first id", "second id")
        ]
        user, item = ("second id", "first id") if lengths[0] > lengths[1] else ("first id", "second id")
        roles = {"user_id": user, "item_id": item, "rating": "rating", "timestamp": "timestamp"}
    columns: dict[str, pd.Series] = {role: rows.column(name) for role, name in roles.items()}
    if made.in_milliseconds:
        columns["timestamp"] = columns["timestamp"] // 1000
    return rows.raw(**columns)


def _described(rows: Records, made: _Release, item_type: str) -> tuple[RawTable, RawTable]:
    """Return the items with their names, and the facts of maker and categories."""
    ids = rows.column(made.item)
    names = rows.column("title")
    names = plain_text(names.where(~names.str.contains(_PROGRAM, na=False)))
    of_item = rows.pairs(made.item, made.categories)
    paths, roots = (
        plain_text(values.where(~values.str.contains(_PROGRAM, na=False)))
        for values in (of_item[made.categories], of_item.groupby(made.item)[made.categories].transform("first"))
    )
    # A tree begins with the category of the release, which says nothing about an item of it.
    paths = paths.where((paths.str.len() <= _LONGEST_CATEGORY) & (paths != roots))
    brand = plain_text(rows.column(made.brand)).str.replace(_AUTHOR_PAGE, r"\1", regex=True)
    maker = ("AUTHORED_BY", "Person") if item_type == "Book" else ("PRODUCED_BY", "Organisation")
    facts = [
        facts_frame(of_item[made.item], item_type, "IN_CATEGORY", "Category", paths),
        facts_frame(ids, item_type, *maker, brand),
    ]
    return rows.raw(item_id=ids, name=names), RawTable(pd.concat(facts, ignore_index=True), str(rows.place))
