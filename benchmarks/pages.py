"""The benchmarks' results as Markdown and HTML, made from the JSON files alone: no figure is typed by hand."""

from __future__ import annotations

import html
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from kgxfer.experiment.plots import Bar, Picture, metric_bars

HERE = Path(__file__).parent
METRICS = (("sampled_hr@10", "sampled_ndcg@10"), ("hr@10", "ndcg@10"))
"""HR and NDCG under sampled ranking and in full; a table has one or the other."""
GROUPS = ("all rows", "rows without twins")
TITLES = {
    "cdrib": "CDRIB's cold-start files, chosen on the files' validation rows (the test users' own)",
    "cdrib-strict": "The strict comparison: cross-fitted by user, rows without twins",
    "disencdr": "DisenCDR's leave-one-out files, controls",
    "transfer": "Models of this library, chosen on pseudo-cold users and fitted again",
}
INTRODUCTION = """# Benchmarks

This page is made by `python -m benchmarks.accuracy render` from the files in `benchmarks/results`. HR@10 and NDCG@10 in
percent; where a table does not say otherwise, of one positive against 999 uniform negatives with the draw integrated
out, averaged over test rows. Ties are broken uniformly and integrated out. Learned models: mean and standard deviation
over seeds. On rows without twins a user's known twins are no candidates. Figures marked as quoted are others' and were
not run again here.
"""


@dataclass(frozen=True)
class Section:
    """One table: a line per model; a column per domain, group and metric."""

    title: str
    table: pd.DataFrame
    picture: Picture | None = None
    note: str = ""


def render(results: Path) -> None:
    """Write `benchmarks/README.md` and `accuracy.html` beside the results."""
    sections = [_section(path) for path in sorted(results.glob("accuracy-*.json"))]
    for path in sorted(results.glob("*.json")):
        if not path.name.startswith("accuracy-"):
            sections += _other(path)
    text = [INTRODUCTION, *(_markdown(section) for section in sections)]
    (HERE / "README.md").write_text("\n".join(text).rstrip() + "\n")
    (results / "accuracy.html").write_text(_page(sections))


def _section(path: Path) -> Section:
    found = json.loads(path.read_text())
    lines, bars = {}, {}
    for model, record in found["models"].items():
        if not record["seeds"]:
            lines[model] = {"refused": record["refused"]}
            continue
        rows = pd.DataFrame([row for seed in record["seeds"] for row in seed])
        stated = 100 * rows.groupby(["domain", "group", "metric"], sort=False)["value"].agg(["mean", "std"])
        taken = {"seconds": f"{record['seconds']:.0f}"} if "seconds" in record else {}
        lines[model] = _cells(stated) | taken
        bars[model] = stated
    quoted, source = _quoted(found["data_set"]) if found["table"] in ("cdrib", "transfer") else ({}, "")
    columns = list(dict.fromkeys(column for cells in lines.values() for column in cells))
    table = pd.DataFrame.from_dict(lines | quoted, orient="index").reindex(columns=columns).fillna("")
    table = table.rename_axis("model")
    counts = pd.DataFrame([row for record in found["models"].values() for seed in record["seeds"] for row in seed])
    sizes = counts.drop_duplicates(["domain", "group"])
    rows_counted = ", ".join(f"{row.domain} {row.group}: {row.count_:,}" for row in _renamed(sizes).itertuples())
    versions = ", ".join(f"{name} {version}" for name, version in found["environment"].items())
    full = "" if counts["metric"].str.startswith("sampled").any() else "Full ranking, averaged over users. "
    origin = f"Split {str(found['split'])[:12]}, data {found['fingerprint'][:12]}; {versions}."
    note = f"{full}Test rows: {rows_counted}. {origin} {source}".rstrip()
    return Section(f"{TITLES[found['table']]}: {found['data_set']}", table, _picture(bars), note)


def _renamed(sizes: pd.DataFrame) -> pd.DataFrame:
    return sizes.rename(columns={"count": "count_"})


def _cells(stated: pd.DataFrame) -> dict[str, str]:
    domains = list(dict.fromkeys(stated.index.get_level_values("domain")))
    cells = {}
    for domain in domains:
        for group in GROUPS:
            for metrics in METRICS:
                if (domain, group, metrics[0]) in stated.index:
                    values = [_stated(stated.loc[(domain, group, metric)]) for metric in metrics]
                    cells[f"{domain}, {group}"] = " / ".join(values)
    return cells


def _stated(row: pd.Series) -> str:
    return f"{row['mean']:.2f}" + ("" if pd.isna(row["std"]) else f" ± {row['std']:.2f}")


def _quoted(data_set: str) -> tuple[dict[str, dict[str, str]], str]:
    given: dict[str, Any] = tomllib.loads((HERE / "quoted.toml").read_text())
    lines, sources = {}, []
    for figure in given["figure"]:
        if figure["data_set"] == data_set:
            values = {domain: pair for domain, pair in figure.items() if isinstance(pair, list)}
            cells = {f"{domain}, all rows": f"{pair[0]:.2f} / {pair[1]:.2f}" for domain, pair in values.items()}
            lines[f"{figure['model']}, quoted, not re-run"] = cells
            sources.append(given["source"][figure["source"]])
    told = " ".join(f"Quoted figures: from {source}." for source in dict.fromkeys(sources))
    return lines, told


def _picture(bars: dict[str, pd.DataFrame]) -> Picture | None:
    panels = []
    names = list(dict.fromkeys(key for stated in bars.values() for key in stated.index))
    for domain, group, metric in names:
        if metric.endswith("ndcg@10"):
            values = [(model, stated.loc[(domain, group, metric)]) for model, stated in bars.items()]
            drawn = [Bar(model, row["mean"], row["std"], model != "kgxfer") for model, row in values]
            panels.append((f"NDCG@10, {domain}\n{group}", drawn))
    if not panels:
        return None
    picture = metric_bars(panels, columns=min(4, len(panels)))
    return Picture("Percent. Whiskers: standard deviation over seeds.", picture.address)


def _markdown(section: Section) -> str:
    head = [str(section.table.index.name or ""), *map(str, section.table.columns)]
    lines = [f"\n## {section.title}\n", _line(head), _line(["---"] + ["---:"] * (len(head) - 1))]
    rows = zip(section.table.index, section.table.to_numpy(), strict=True)
    lines += [_line([str(model), *map(str, row)]) for model, row in rows]
    return "\n".join([*lines, *(["", section.note] if section.note else [])])


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _other(path: Path) -> list[Section]:
    """The figures of another benchmark: a section per group of figures, named by the command that measured them."""
    found, command = json.loads(path.read_text()), f"python -m benchmarks.{path.stem}"
    if path.stem == "audit":
        rows = [row for record in found.values() for row in record["rows"]]
        note = "Percent, but for the counts of twins. Gain: of ItemKNN over popularity, NDCG@10, full ranking."
        return [Section(command, pd.DataFrame(rows).set_index("pair"), note=note)]
    groups = {name: value for name, value in found.items() if value and isinstance(value, dict)}
    # Lists of single findings are for programs; what stands alone is said once, below the last table.
    facts = "; ".join(f"{name}: {_short(value)}" for name, value in found.items() if not isinstance(value, dict | list))
    if path.stem == "speed":
        facts = "Times are seconds, medians of interleaved rounds."
    sections = [Section(f"{command}: {name}", _table(figures)) for name, figures in groups.items()]
    return [*sections[:-1], *(replace(section, note=facts) for section in sections[-1:])]


def _table(figures: dict[str, Any]) -> pd.DataFrame:
    """A line per figure; figures that are made of several have a column for each."""
    lines = {}
    for name, value in figures.items():
        several = dict(zip(("difference", "standard error"), value, strict=True)) if isinstance(value, list) else value
        lines[name] = several if isinstance(several, dict) else {"": several}
    return pd.DataFrame.from_dict(lines, orient="index").map(_short)


def _short(value: Any) -> str:
    if isinstance(value, float) and not value.is_integer():
        return "" if pd.isna(value) else f"{value:,.4g}"
    return f"{value:,.0f}" if isinstance(value, int | float) else str(value)


def _page(sections: Sequence[Section]) -> str:
    parts = []
    for section in sections:
        parts.append(f"<h2>{html.escape(section.title)}</h2>{section.table.to_html(border=0, index_names=False)}")
        if section.picture is not None:
            caption = html.escape(section.picture.caption)
            image = f'<img alt="{caption}" src="{section.picture.address}">'
            parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
        if section.note:
            parts.append(f"<p>{html.escape(section.note)}</p>")
    introduction = html.escape(INTRODUCTION.partition("\n\n")[2]).replace("*", "").replace("`", "")
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>kgxfer benchmarks</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><style>'
        "body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:76rem;margin:2rem auto;padding:0 1rem}"
        "table{border-collapse:collapse;font-size:13px;width:100%}th,td{padding:.3rem .6rem;text-align:right;"
        "border-bottom:1px solid #e4e8ed}th:first-child,tbody th{text-align:left;font-weight:500}"
        "img{max-width:100%}figure{margin:1rem 0}figcaption,p{color:#52606d;font-size:13px}"
        f"</style></head><body><h1>Benchmarks</h1><p>{introduction}</p>{''.join(parts)}</body></html>\n"
    )
