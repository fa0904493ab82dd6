"""What is the same about two spellings of one name: the forms in which the bridges compare names."""

from __future__ import annotations

import unicodedata

import pandas as pd

from loaders.dataset import DomainTables

_BRACKETS = r"\s*(?:\([^()]*\)|\[[^\[\]]*\])"
_YEAR_IN_BRACKETS = r"[(\[][^()\[\]]*?\b((?:18|19|20)\d\d)\b[^()\[\]]*[)\]]"
_PART_IN_BRACKETS = r"[(\[]\s*((?:part|volume|vol|episode|chapter|book|season|series|no)\b[^()\[\]]*)[)\]]"
_CARRIER = r"\s*(?:\bvhs|\bdvd|\bblu-?ray)\s*$"
_ROMAN = {
    "ii": "2", "iii": "3", "iv": "4", "v": "5", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "x": "10", "xi": "11",
    "xii": "12", "xiii": "13",
}


def item_names(domain: DomainTables) -> pd.DataFrame:
    """The items of a domain as id, name, year; names and years are missing where the domain has none."""
    named = domain.items.rename(columns={"item_id": "id"}).reindex(columns=["id", "name", "year"])
    return named.astype({"name": "str"})


def entity_names(domain: DomainTables, node_type: str) -> pd.DataFrame:
    """The entities of one type that facts give a name to, as id, name."""
    ends = [pd.DataFrame({"id": pd.Series(dtype="str"), "name": pd.Series(dtype="str")})]
    for end in ("head", "tail"):
        if f"{end}_name" in domain.facts:
            own = domain.facts[domain.facts[f"{end}_type"] == node_type]
            ends.append(own[[f"{end}_id", f"{end}_name"]].set_axis(["id", "name"], axis=1))
    return pd.concat(ends).dropna().drop_duplicates("id", ignore_index=True)


def normalised_names(names: pd.Series) -> pd.Series:
    """Case, accents, punctuation and a leading article removed; missing names stay missing."""
    folded = names.map(lambda text: unicodedata.normalize("NFKD", text), na_action="ignore").astype("str")
    folded = folded.str.replace("[\u0300-\u036f]", "", regex=True).str.lower()
    folded = folded.str.replace(r"[^\w]+", " ", regex=True).str.strip()
    return folded.str.replace(r"^(?:the|an?) ", "", regex=True)


def plain_names(names: pd.Series) -> pd.DataFrame:
    """Names without what catalogues add to them, and the year where it is among that.

    Returns:
        A frame with the columns `key` (str) and `year` (Int64, may be missing): `normalised_names` of what stands
        outside brackets, an article after a comma removed as a leading one is, "&" read as "and", Roman numerals after
        the first word as digits. Brackets that number a part stay; a name that is all brackets stays as it is.

    >>> plain_names(pd.Series(["Rocky II (1979 film)", "True Story, The [VHS]"], dtype="str")).values.tolist()
    [['rocky 2', 1979], ['true story', <NA>]]
    """
    names = names.astype("str")
    year = pd.to_numeric(names.str.extract(_YEAR_IN_BRACKETS, expand=False)).astype("Int64")
    bare = names.str.replace(_PART_IN_BRACKETS, r" \1", regex=True, case=False)
    bare = bare.str.replace(_BRACKETS, "", regex=True)
    bare = bare.str.replace(_CARRIER, "", regex=True, case=False)
    bare = bare.where(bare.str.strip() != "", names)
    bare = bare.str.replace(r",\s*(?:the|an?)\s*$", "", regex=True, case=False).str.replace("&", " and ")
    key = normalised_names(bare)
    numbered = key.str.contains(r"\w [ivx]+\b", regex=True).fillna(False).to_numpy(dtype=bool)
    for roman, digits in _ROMAN.items():
        key[numbered] = key[numbered].str.replace(rf"(\w ){roman}\b", rf"\g<1>{digits}", regex=True)
    return pd.DataFrame({"key": key, "year": year})
