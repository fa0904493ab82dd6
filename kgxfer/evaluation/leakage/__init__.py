"""Checks that a run has not seen what it is tested on.

>>> [str(finding) for finding in check_leakage(split, graph, links, models)]  # doctest: +SKIP
['warning: choosing on the test users (valid): 199 of 212 test users have validation rows ...']
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from graph_schema.errors import InputError
from kgxfer.evaluation.leakage.coded import Coded
from kgxfer.evaluation.leakage.derived import derived_findings, model_findings
from kgxfer.evaluation.leakage.events import event_findings
from kgxfer.evaluation.leakage.finding import Finding, Kind
from kgxfer.evaluation.leakage.graph import fact_findings, graph_findings, identity_findings
from kgxfer.evaluation.leakage.rows import row_findings, time_findings
from kgxfer.graph import KnowledgeGraph
from kgxfer.recommender import RankingModel
from kgxfer.splits import Split


def check_leakage(
    split: Split,
    graph: KnowledgeGraph | None = None,
    links: pd.DataFrame | None = None,
    models: Mapping[str, RankingModel] | None = None,
) -> list[Finding]:
    """Look for every kind of leak, errors first.

    Args:
        split: what was trained, chosen and tested on. After a refit pass `split.for_refit()`, and what was built and
            fitted from it.
        graph: what the models learn from; without it the facts of the data set are checked.
        links: the link table that the graph was built with.
        models: name -> fitted model.

    A leak is named once, by its most specific kind: a cold-start user's test edge is a test row in the graph, not a
    cold-start user with training rows besides. What each check can and cannot see stands in its module's docstring.
    """
    coded = Coded.of(split)
    found = row_findings(coded) + time_findings(coded) + event_findings(coded, links)
    found += fact_findings(coded) if graph is None else graph_findings(coded, graph)
    found += identity_findings(coded, graph, links)
    found += derived_findings(coded, graph, links)
    found += model_findings(coded, models or {})
    return sorted(found, key=lambda finding: finding.severity)


def assert_clean(
    split: Split,
    graph: KnowledgeGraph | None = None,
    links: pd.DataFrame | None = None,
    models: Mapping[str, RankingModel] | None = None,
) -> list[Finding]:
    """Return the warnings, for whoever prints them; arguments as in `check_leakage`.

    Raises:
        InputError: there is an error; the line names every kind found, and what the first is about.
    """
    found = check_leakage(split, graph, links, models)
    errors = [finding for finding in found if finding.severity == "error"]
    if errors:
        kinds = ", ".join(dict.fromkeys(finding.kind for finding in errors))
        raise InputError(f"{split.protocol}: the run leaks ({kinds}); {errors[0].where}: {errors[0].message}")
    return found


__all__ = ["Finding", "Kind", "assert_clean", "check_leakage"]
