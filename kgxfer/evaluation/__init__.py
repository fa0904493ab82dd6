"""Honest evaluation: exact ties, full and sampled ranking, averages named, twins split out."""

from kgxfer.evaluation.evaluate import ALL_ROWS, WITHOUT_TWINS, EvaluationConfig, Report, evaluate

__all__ = ["ALL_ROWS", "WITHOUT_TWINS", "EvaluationConfig", "Report", "evaluate"]
