"""Lines of the files that gave no row: counted as dropped, with the reasons that the reader gives."""

from __future__ import annotations

from collections import Counter

from loaders.cleaning.draft import EXAMPLES, given_tables
from loaders.cleaning.findings import Example, RuleFinding
from loaders.raw import RawDomain

RULE = "unreadable line"


def unreadable_lines(raw: RawDomain) -> list[RuleFinding]:
    """Return one finding per table that has such lines."""
    findings = []
    for name, table in given_tables(raw).items():
        if table.bad_lines:
            reasons = Counter(line.reason for line in table.bad_lines)
            detail = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
            examples = tuple(Example(line.line, -1, line.text) for line in table.bad_lines[:EXAMPLES])
            findings.append(RuleFinding(RULE, name, len(table.bad_lines), "dropped", examples, detail))
    return findings
