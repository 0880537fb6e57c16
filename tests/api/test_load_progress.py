"""What a load notes about how far it has come."""

from pathlib import Path

import pytest

from api.load_progress import PROGRESS_FILE, LoadProgress, Mark
from docstore import Unavailable


def test_marks_are_found_again(tmp_path: Path) -> None:
    LoadProgress(tmp_path).note({"a": Mark(10, 1), "b": Mark(5, 0)})
    LoadProgress(tmp_path).note({"a": Mark(20, 2)})
    progress = LoadProgress(tmp_path)
    assert progress.mark_of("a") == Mark(20, 2)
    assert progress.mark_of("b") == Mark(5, 0)
    assert progress.mark_of("c") == progress.mark_of(None) == Mark(0, 0)


def test_the_file_goes_with_the_last_mark_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    progress = LoadProgress(tmp_path)
    progress.note({"a": Mark(10, 0), "b": Mark(10, 0)})
    progress.forget(["a"])
    assert LoadProgress(tmp_path).mark_of("b") == Mark(10, 0)
    progress.forget(["b", "never noted"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"format": 2, "files": {"a": {"lines": 1, "refused": 0}}}',
        b'{"format": 1, "files": {"a": 7}}',
        b'{"format": 1, "files": []}',
    ],
)
def test_a_file_that_says_nothing_means_the_first_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PROGRESS_FILE).write_bytes(content)
    assert LoadProgress(tmp_path).mark_of("a") == Mark(0, 0)


def test_a_directory_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=PROGRESS_FILE):
        LoadProgress(tmp_path / "none").note({"a": Mark(1, 0)})
