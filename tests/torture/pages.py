"""Following the pages of every LMDB file of a store that nobody has open."""

from pathlib import Path

import numpy as np

from docstore.shards.page_tree import Pages, states


def check_pages(data: Path) -> None:
    """Find every file whole, whatever moment its writer was killed at; raises DamagedPage."""
    for path in data.glob("**/*.mdb"):
        stored = np.fromfile(path, np.uint8)
        # A file that was being made is made anew.
        if len(stored):
            Pages(stored, max(states(stored))).check(None)
