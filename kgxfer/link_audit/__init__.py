"""Audits of links: whether what bridges join belongs together, and which links a person should look at."""

from kgxfer.link_audit.findings import FINDINGS
from kgxfer.link_audit.link_audit import PAGE, LinkAudit, audit_links
from kgxfer.link_audit.sources import default_split, is_run, read_links, run_split
from kgxfer.link_audit.subject import LinkAuditConfig, proposed

__all__ = [
    "FINDINGS", "PAGE", "LinkAudit", "LinkAuditConfig", "audit_links", "default_split", "is_run",
    "proposed", "read_links", "run_split",
]
