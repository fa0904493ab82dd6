"""Protocols that divide a data set into training, validation and test rows."""

from kgxfer.registry import Registry
from kgxfer.splits.cold_start_items import ColdStartItems
from kgxfer.splits.cold_start_users import ColdStartUsers
from kgxfer.splits.cross_fit import cross_fit
from kgxfer.splits.fixed_files import FixedFiles
from kgxfer.splits.leave_one_out import LeaveOneOut
from kgxfer.splits.overlap import keep_overlap
from kgxfer.splits.ratio import Ratio
from kgxfer.splits.split import Split, ValidationKind, hide_pseudo_cold
from kgxfer.splits.store import load_split, save_split
from kgxfer.splits.temporal import Temporal

SPLITS: Registry[ColdStartUsers | ColdStartItems | LeaveOneOut | Temporal | Ratio | FixedFiles] = Registry(
    "split",
    {
        "cold_start_users": ColdStartUsers,
        "cold_start_items": ColdStartItems,
        "leave_one_out": LeaveOneOut,
        "temporal": Temporal,
        "ratio": Ratio,
        "fixed_files": FixedFiles,
    },
)

__all__ = [
    "SPLITS",
    "ColdStartItems",
    "ColdStartUsers",
    "FixedFiles",
    "LeaveOneOut",
    "Ratio",
    "Split",
    "Temporal",
    "ValidationKind",
    "cross_fit",
    "hide_pseudo_cold",
    "keep_overlap",
    "load_split",
    "save_split",
]
