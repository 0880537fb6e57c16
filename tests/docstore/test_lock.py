"""The lock of a store: who may not have it is told why."""

import errno
import fcntl
import os
from pathlib import Path

import pytest

from docstore import Store, Unavailable


def test_the_holder_is_named(tmp_path: Path) -> None:
    with Store.open(tmp_path):
        with pytest.raises(Unavailable, match=f"by process {os.getpid()} ") as caught:
            Store.open(tmp_path)
        assert caught.value.data["holder"]["pid"] == os.getpid()


def test_a_file_system_without_locks_is_no_other_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: int, __: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    with pytest.raises(Unavailable, match="No locks available") as caught:
        Store.open(tmp_path)
    assert "another process" not in str(caught.value)
    assert not caught.value.retryable
