"""Audits: what stands behind the figures of a data set, of a run, or of recommendations from anywhere."""

from kgxfer.audit.audit import PAGE, Audit, audit
from kgxfer.audit.external import Listed, listed_model, read_recommendations
from kgxfer.audit.finding import Finding
from kgxfer.audit.findings import FINDINGS
from kgxfer.audit.sources import Source, source_of
from kgxfer.audit.subject import AuditConfig

__all__ = [
    "FINDINGS", "PAGE", "Audit", "AuditConfig", "Finding", "Listed", "Source", "audit", "listed_model",
    "read_recommendations", "source_of",
]
