"""The quality of a data set: what cleaning found in it, what it is like, and what to be wary of."""

from loaders.quality.concerns import Concern
from loaders.quality.domain import DOMAIN_MEASURES
from loaders.quality.figure import Absent, Distribution, Figure, Measure
from loaders.quality.pair import PAIR_MEASURES
from loaders.quality.report import DomainQuality, PairQuality, QualityReport, quality_of

__all__ = [
    "DOMAIN_MEASURES", "PAIR_MEASURES", "Absent", "Concern", "Distribution", "DomainQuality", "Figure", "Measure",
    "PairQuality", "QualityReport", "quality_of",
]  # fmt: skip
