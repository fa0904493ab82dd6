"""The quality of a data set on one page: what cleaning found, what the domains are like, and what to be wary of."""

from kgxfer.data_check.folder import PAGE, RECORD, save

__all__ = ["PAGE", "RECORD", "save"]
