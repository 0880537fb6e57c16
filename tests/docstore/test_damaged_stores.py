"""Whatever page of a store's files is damaged, the process that uses it lives and is right.

`DAMAGES=200 pytest tests/docstore/test_damaged_stores.py` damages more.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docstore.damaged_store import KINDS, make

DAMAGES = int(os.environ.get("DAMAGES", "6"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("damaged") / "data"
    make(found)
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("files", ["indexes/*/*/postings.mdb", "shards/*/documents.mdb"])
def test_a_process_lives_on_whatever_page_is_damaged(data: Path, kind: str, files: str) -> None:
    program = [sys.executable, "-m", "tests.docstore.damaged_store"]
    seeds = map(str, range(DAMAGES))
    done = subprocess.run(
        [*program, str(data), kind, f"cars/{files}", *seeds],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"seed {done.stdout.split()[-1:]}: {done.stderr}"
