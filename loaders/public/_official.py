"""Files of public collections in their official form: found below the root folder, and made into one domain's tables.

Their origins publish no checksums, so nothing is downloaded here: who has the files puts them into the folder that the
message names. What identifies a whole file is the number of its entries, which is asserted where it is published.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import numpy as np
import pandas as pd

from graph_schema.columns import codes_of, is_among
from graph_schema.config import Config
from graph_schema.errors import InputError
from graph_schema.tables import FACTS
from loaders.dataset import DataCard, DomainTables
from loaders.public._streams import Place
from loaders.raw import RawDomain, RawTable

_EXAMPLES = 3


class ReadingWarning(UserWarning):
    """Something of a file was left out or repaired; the message counts it and says where it first happened."""


def warn(card: DataCard, message: str) -> None:
    """Show a `ReadingWarning` about a data set."""
    warnings.warn(f'data set "{card.name}": {message}', ReadingWarning, stacklevel=2)


class OfficialConfig(Config):
    """What every reader of official files takes; `whole` False: they are a part, whose size is not asserted."""

    whole: bool = True


def official_card(name: str, title: str, url: str, licence: str, citation: str, counts: Mapping[str, int]) -> DataCard:
    """Return the card of files without published checksums; `counts` are the published numbers of entries."""
    return DataCard(
        name=name,
        title=f"{title} (official files; format tested, not downloaded here)",
        url=url,
        sha256={},
        size_bytes=0,
        licence=licence,
        redistributable=False,
        citation=citation,
        counts=counts,
    )


@dataclass(frozen=True)
class Home:
    """Where the files of a collection lie below the root folder, and the page that a user gets them from.

    Attributes:
        archives: zip archives that may lie there unopened, or unpacked in a folder of the same name.
    """

    name: str
    folder: str
    page: str
    archives: tuple[str, ...] = ()

    def find(self, root: Path, file: str, remedy: str = "") -> Place:
        """Return where `file` lies: plain, with `.gz`, or in an archive.

        Raises:
            InputError: it is nowhere; the message says which file to get, where from, and where to put it.
        """
        folder = root / self.folder
        inside = [Path(archive).stem for archive in self.archives]
        for path in (folder / part / name for part in ("", *inside) for name in (file, f"{file}.gz")):
            if path.is_file():
                return Place(path)
        for archive in self.archives:
            if (folder / archive).is_file():
                return _member(folder / archive, file)
        wanted = f'"{self.archives[0]}" (as it is, or unpacked)' if self.archives else f'"{file}.gz" or "{file}"'
        raise InputError(
            f'data set "{self.name}" needs the file "{file}": get {wanted} from {self.page} and put it into '
            f'"{folder}"{remedy}; it has no published checksum, so it is not downloaded for you'
        )


def _member(archive: Path, file: str) -> Place:
    """Find a member by its own name, in whatever folder of the archive; it is read in place, nothing is unpacked."""
    try:
        with zipfile.ZipFile(archive) as opened:
            found = [name for name in opened.namelist() if name.rsplit("/", 1)[-1] == file]
    except zipfile.BadZipFile as error:
        raise InputError(f'"{archive}" is cut off or no zip archive ({error}); get it again') from error
    # Resource forks of another system's packer have the same names.
    found = [name for name in found if not name.startswith("__MACOSX/")]
    if not found:
        raise InputError(f'"{archive}" has no member "{file}"; this is another archive, get the official one')
    return Place(archive, found[0])


def assert_listed(card: DataCard, listed: Mapping[str, int]) -> None:
    """Refuse files whose number of entries is not the published one; unreadable entries count, they are there.

    Raises:
        InputError: names the first count that differs, and the option that reads a part of the files.
    """
    for key, expected in card.counts.items():
        if key in listed and listed[key] != expected:
            raise InputError(
                f'data set "{card.name}": {listed[key]:,} {key}, expected {expected:,}; get the whole files from '
                f"{card.url}, or say that they are a part of them with whole=False"
            )


def tables_of(raw: RawDomain, card: DataCard) -> DomainTables:
    """Make the tables of a domain, and warn of everything that was left out, table by table.

    The last of several interactions of one pair counts; the first entry of an item or user that is listed twice; users
    and items that only interactions name are added; facts of items that are not there are left out.
    """
    _warn_of_lines(raw, card)
    interactions, used_by, used = _last_of_pairs(raw.interactions, card)
    items = _entries(raw.items, "item_id", used, card)
    items = items.assign(item_type=items["item_type"].fillna(raw.item_type) if "item_type" in items else raw.item_type)
    users = _entries(raw.users, "user_id", used_by, card)
    facts = [] if raw.facts is None else [_of_known(raw.facts.frame, items["item_id"], card)]
    if raw.knows is not None:
        facts.append(_acquaintances(raw.knows.frame, users["user_id"], card))
    return DomainTables(
        domain=raw.domain,
        item_type=raw.item_type,
        users=users,
        items=items,
        interactions=interactions,
        facts=pd.concat(facts, ignore_index=True) if facts else FACTS.empty(),
        card=card,
    )


def facts_frame(head_ids: pd.Series, head_type: str, relation: str, tail_type: str, tails: pd.Series) -> pd.DataFrame:
    """Return facts (item, relation, named entity), whose id is the name; without a name there is no fact."""
    rows = pd.DataFrame({"head_id": head_ids, "tail_id": tails}).dropna()
    rows = rows[rows["tail_id"] != ""].drop_duplicates(ignore_index=True)
    return rows.assign(head_type=head_type, relation=relation, tail_type=tail_type, tail_name=rows["tail_id"])


def decades(years: pd.Series) -> pd.Series:
    """Return "1990s" for 1995, and nothing where there is no year; data sets that have decades share them."""
    return ((years // 10 * 10).astype("Int64").astype("str") + "s").where(years.notna())


def plain_text(texts: pd.Series) -> pd.Series:
    """Return texts without HTML entities, tags, and doubled or outer spaces; what is then empty is missing."""
    odd = texts.str.contains("[&<]", na=False)
    spaced = texts.where(~odd, texts[odd].str.replace("<[^>]*>", " ", regex=True).map(unescape, na_action="ignore"))
    spaced = spaced.str.replace(r"\s+", " ", regex=True).str.strip()
    return spaced.where(spaced != "")


def _warn_of_lines(raw: RawDomain, card: DataCard) -> None:
    for table in (raw.interactions, raw.items, raw.users, raw.knows, raw.facts):
        if table is not None and table.bad_lines:
            shown = "; ".join(f"line {bad.line}: {bad.reason}: {bad.text!r}" for bad in table.bad_lines[:_EXAMPLES])
            warn(
                card,
                f"{len(table.bad_lines):,} lines of {table.where} could not be read and were left out, "
                f"{len(table.frame):,} rows were used ({shown})",
            )


def _last_of_pairs(table: RawTable, card: DataCard) -> tuple[pd.DataFrame, pd.Index, pd.Index]:
    """Keep a pair's latest interaction, of equally late ones the later line; return also the users and the items."""
    rows = table.frame
    users, people = codes_of(rows["user_id"])
    pairs, things = codes_of(rows["item_id"])
    pairs += users * len(things)
    in_order = np.sort(pairs)
    if (in_order[1:] != in_order[:-1]).all():
        return rows, people, things
    numbers = pd.Series(pairs)
    several = numbers[numbers.duplicated(keep=False)]
    if "timestamp" in rows:
        several = several[rows["timestamp"][several.index].sort_values(kind="stable").index]
    dropped = several.index[several.duplicated(keep="last")]
    first = int(min(dropped)) if table.lines is None else int(table.lines[dropped].min())
    warn(
        card,
        f"{len(dropped):,} of {len(rows):,} interactions of {table.where} are of a user and an "
        f"item that come again; the latest counts (first left out: line {first})",
    )
    return rows.drop(index=dropped).reset_index(drop=True), people, things


def _entries(table: RawTable | None, key: str, used: pd.Index, card: DataCard) -> pd.DataFrame:
    """Return the listed entries, each once, and after them those that only interactions name."""
    if table is None:
        return pd.DataFrame({key: used})
    repeated = table.frame[key].duplicated()
    if repeated.any():
        warn(card, f"{int(repeated.sum()):,} rows of {table.where} list an id again; the first counts")
    listed = table.frame[~repeated]
    unlisted = used[~is_among(used, listed[key])]
    if not unlisted.empty:
        warn(
            card,
            f"{len(unlisted):,} {key}s of the interactions are not in {table.where} "
            f'(first: "{unlisted[0]}"); they are added without a name',
        )
    return pd.concat([listed, pd.DataFrame({key: unlisted})], ignore_index=True)


def _of_known(facts: pd.DataFrame, items: pd.Series, card: DataCard) -> pd.DataFrame:
    known = is_among(facts["head_id"], items)
    if not known.all():
        warn(
            card,
            f"{int((~known).sum()):,} facts are of items that are not listed "
            f'(first: "{facts["head_id"][~known].iloc[0]}"); they are left out',
        )
    return facts[known].drop_duplicates(ignore_index=True)


def _acquaintances(knows: pd.DataFrame, users: pd.Series, card: DataCard) -> pd.DataFrame:
    """Return one KNOWS fact per pair of people, whichever way and however often it is listed."""
    one, other = knows["user_id"], knows["other_id"]
    forward = one < other
    pairs = pd.DataFrame({"head_id": one.where(forward, other), "tail_id": other.where(forward, one)})
    known = is_among(pairs["head_id"], users) & is_among(pairs["tail_id"], users) & (one != other).to_numpy()
    if not known.all():
        warn(
            card,
            f"{int((~known).sum()):,} acquaintances are of people who are not listed, or of one "
            "person; they are left out",
        )
    pairs = pairs[known].drop_duplicates(ignore_index=True)
    return pairs.assign(head_type="User", relation="KNOWS", tail_type="User")
