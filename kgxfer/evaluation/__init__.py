"""Honest evaluation: exact ties, averages named, twins and other groups split out, leaks named, differences tested."""

from kgxfer.evaluation.comparison import Comparison, ComparisonConfig, best_control, compare
from kgxfer.evaluation.evaluate import ALL_ROWS, TWIN_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate
from kgxfer.evaluation.leakage import assert_clean, check_leakage

__all__ = [
    "ALL_ROWS", "TWIN_ROWS", "WITHOUT_TWINS", "Comparison", "ComparisonConfig", "EvaluationConfig", "Report",
    "assert_clean", "best_control", "check_leakage", "compare", "evaluate",
]
