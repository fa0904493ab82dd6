"""Processes that tests start and kill, forked from one without threads: a lock that a thread held would stay held."""

from __future__ import annotations

import multiprocessing
from multiprocessing.context import ForkServerContext

PRELOADED = ["kgxfer.bridges", "kgxfer.splits", "kgxfer.stores", "kgxfer.stores.neo4j", "kgxfer.stores.rdf"]


def clean_processes() -> ForkServerContext:
    """Where processes are made that have imported what stores need, which takes longest, and nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context
