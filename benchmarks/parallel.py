"""Tasks one after another in this process, or several at a time in processes of their own."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from types import TracebackType
from typing import Any, TypeVar

Result = TypeVar("Result")


class Pool:
    """`each` gives results in the order of the tasks; with one job nothing leaves this process."""

    def __init__(self, jobs: int) -> None:
        # Fresh processes: a forked one may not touch an accelerator that its parent has touched.
        context = multiprocessing.get_context("spawn")
        self._executor = ProcessPoolExecutor(jobs, mp_context=context) if jobs > 1 else None

    def each(self, function: Callable[..., Result], tasks: Iterable[tuple[Any, ...]]) -> Iterator[Result]:
        """Call `function` with each tuple of arguments; every task is under way before the first result is waited for.

        With one job a task starts when its result is asked for.
        """
        if self._executor is None:
            return (function(*task) for task in tasks)
        futures = [self._executor.submit(function, *task) for task in tasks]
        return (future.result() for future in futures)

    def __enter__(self) -> Pool:
        """Open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for what is under way; after an error drop what has not begun."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=error is not None)
