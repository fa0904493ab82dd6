"""Protocols that divide a data set into training, validation and test rows."""

from kgxfer.registry import Registry
from kgxfer.splits.cold_start_users import ColdStartUsers
from kgxfer.splits.fixed_files import FixedFiles
from kgxfer.splits.split import Split, hide_pseudo_cold

SPLITS: Registry[ColdStartUsers | FixedFiles] = Registry(
    "split", {"cold_start_users": ColdStartUsers, "fixed_files": FixedFiles}
)

__all__ = ["SPLITS", "ColdStartUsers", "FixedFiles", "Split", "hide_pseudo_cold"]
