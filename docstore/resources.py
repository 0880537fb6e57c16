"""What all collections of a store share: index writers and indexes, threads, a process; bounded."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from docstore.background import BackgroundRefresh
from docstore.global_index.applying_apart import Applier
from docstore.recording import Recorder
from indexing.errors import DocstoreError
from indexing.open_indexes import OpenIndexes
from indexing.writers import WriterBudget

REFRESH_THREADS = 4
"""Shards whose commits wait for the disk at the same time; as many as writers are open."""
SEARCH_THREADS = max(1, (os.cpu_count() or 2) - 1)
"""Heavy searches use one core beside the caller's; more threads than cores only queue."""


@dataclass(frozen=True, slots=True)
class Resources:
    """One store's writers, indexes and pools, from `begin` to `end`."""

    budget: WriterBudget
    open_indexes: OpenIndexes
    background: BackgroundRefresh
    pool: ThreadPoolExecutor
    commit_pool: ThreadPoolExecutor
    """Apart from the pool above: its tasks may wait for a commit, which must not queue behind."""
    search_pool: ThreadPoolExecutor
    applier: Applier
    recorder: Recorder
    errors: dict[str, DocstoreError]
    """What the store's threads raised last, by name, until they succeed."""

    @classmethod
    def begin(cls) -> "Resources":
        """Threads start when first needed."""
        budget = WriterBudget()
        errors: dict[str, DocstoreError] = {}
        return cls(
            budget,
            OpenIndexes(),
            BackgroundRefresh(budget, errors),
            ThreadPoolExecutor(REFRESH_THREADS, "docstore-index"),
            ThreadPoolExecutor(REFRESH_THREADS, "docstore-commit"),
            ThreadPoolExecutor(SEARCH_THREADS, "docstore-search"),
            Applier(),
            Recorder(),
            errors,
        )

    def end(self) -> None:
        """Give back everything, once no collection uses it."""
        with ExitStack() as ending:
            ending.callback(self.applier.close)
            for pool in (self.search_pool, self.commit_pool, self.pool):
                ending.callback(pool.shutdown)
            ending.callback(self.budget.close)
            if self.recorder.into is not None:
                self.recorder.into.close()
