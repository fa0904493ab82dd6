"""A user's own files: read as they are, with the place of every row, and what can be told of them beforehand."""

from loaders.own.bad_lines import REASONS
from loaders.own.frames import read_frame
from loaders.own.read import FORMATS, FileFacts, read_table, sniff
from loaders.own.sql import read_query

__all__ = ["FORMATS", "REASONS", "FileFacts", "read_frame", "read_query", "read_table", "sniff"]
