"""What the rows of a split say by themselves: copies, leaks, and whose rows serve for choosing."""

from __future__ import annotations

import pandas as pd

from kgxfer.audit.finding import Finding, counted, listed
from kgxfer.audit.subject import Subject
from kgxfer.evaluation.leakage import Kind

COPIES = (Kind.SAME_EVENT, Kind.ROWS_IN_TWO_PARTS, Kind.VALIDATION_IN_TRAINING, Kind.REPEATED_ROWS)


def duplicates(subject: Subject) -> Finding:
    """Rows that are there twice: in one part, in two parts, or as one event in both domains."""
    found = [leak for leak in subject.leaks if leak.kind in COPIES]
    counts = {kind: sum(leak.count for leak in found if leak.kind == kind) for kind in COPIES}
    table = pd.DataFrame([{"kind": str(kind), "found": count} for kind, count in counts.items()])
    present = [f"{counted(count, 'case')} of {kind}" for kind, count in counts.items() if count]
    verdict = f"{listed(present)}: {found[0].message}." if found else "No row is there twice, in any way looked for."
    return Finding(
        "duplicates", "Rows that are there twice", verdict, bool(found),
        {str(kind): count for kind, count in counts.items()}, table,
        "Rows (user, item) that repeat within a part; that are in two of training, validation and test; and pairs of "
        "rows of one user, one in each domain, that agree in thing, time and rating more often than chance explains.",
    )


def leakage(subject: Subject) -> Finding:
    """Leaks by name, but for those that are copies of rows."""
    found = [leak for leak in subject.leaks if leak.kind not in COPIES]
    errors = [leak for leak in found if leak.severity == "error"]
    table = pd.DataFrame(
        [{"severity": leak.severity, "kind": str(leak.kind), "where": leak.where, "count": leak.count,
          "what": leak.message} for leak in found],
        columns=["severity", "kind", "where", "count", "what"],
    )  # fmt: skip
    names = listed(list(dict.fromkeys(str(leak.kind) for leak in errors or found)))
    verdict = f"{counted(len(errors), 'leak')} and {counted(len(found) - len(errors), 'warning')}: {names}."
    return Finding(
        "leakage", "What was seen that should not have been",
        verdict if found else "No leak found in split, graph, links and models.", bool(found),
        {"errors": len(errors), "warnings": len(found) - len(errors)}, table,
        "Test and validation rows in the graph in either direction or through other relations, cold-start users with "
        "training rows, facts, links and figures computed from test rows, training after the test, and models that "
        "take test rows for seen.",
    )


def validation_users(subject: Subject) -> Finding:
    """How many test users have validation rows in the tested domain, on which settings were chosen."""
    choosing = subject.choosing.split
    lines, counts, shares = [], [], {}
    for domain in subject.domains:
        tested = pd.Index(subject.split.rows("test", domain)["user_id"].unique())
        common = int(tested.isin(choosing.rows("valid", domain)["user_id"]).sum())
        shares[f"share of test users, {domain}"] = common / len(tested)
        counts.append(f"{common:,} of {counted(len(tested), 'test user')} of {domain}")
        lines.append((domain, len(tested), common, common / len(tested)))
    table = pd.DataFrame(lines, columns=["domain", "test users", "with validation rows", "share"])
    concern = choosing.validation == "rows of the test users"
    verdict = f"{listed(counts)} have validation rows there"
    if concern:
        verdict += ": choosing on them flatters what is claimed about new users."
    elif any(shares.values()):
        verdict += ", warm users all of them, so nothing can be claimed about new users."
    else:
        verdict = f"No test user has validation rows; chosen on: {choosing.validation}."
    return Finding(
        "validation users", "Choosing on the test users", verdict, concern,
        shares, table,
        f"Test users with relevant validation rows in the tested domain over all its test users. Validation rows here: "
        f"{choosing.validation}. {_remedy(concern)}".strip(),
        ("share",),
    )


def _remedy(concern: bool) -> str:
    return "Choose on pseudo-cold users, or cross-fit by user (kgxfer.splits.cross_fit)." if concern else ""
