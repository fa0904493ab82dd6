"""Honest evaluation: exact ties, full and sampled ranking, averages named, twins and other groups split out."""

from kgxfer.evaluation.evaluate import ALL_ROWS, TWIN_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate

__all__ = ["ALL_ROWS", "TWIN_ROWS", "WITHOUT_TWINS", "EvaluationConfig", "Report", "evaluate"]
