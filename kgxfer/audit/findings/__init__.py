"""The questions of an audit. A new one is a function and its name in this tuple."""

from collections.abc import Callable

from kgxfer.audit.finding import Finding
from kgxfer.audit.findings.popularity import popular_lists, popular_test
from kgxfer.audit.findings.ranking import sampled_against_full, ties
from kgxfer.audit.findings.rows import duplicates, leakage, validation_users
from kgxfer.audit.findings.transfer import negative_transfer, power
from kgxfer.audit.findings.twins import twin_gain, twins
from kgxfer.audit.subject import Subject

FINDINGS: tuple[Callable[[Subject], Finding], ...] = (
    twins, twin_gain, duplicates, leakage, validation_users, ties, sampled_against_full, popular_test, popular_lists,
    negative_transfer, power,
)
"""In the order in which they are shown."""

__all__ = ["FINDINGS"]
