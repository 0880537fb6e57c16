"""A commit that a killed process began is made again, whatever it left."""

import shutil
from pathlib import Path

from indexing.local_index import Change, LocalIndex
from indexing.query import MatchAll
from indexing.schema import Schema
from indexing.unfinished import remove_unfinished
from indexing.writers import WriterBudget
from tests.indexing.built_index import build, found, key_of

DOCUMENTS = [{"name": name} for name in ("ford", "kia", "bmw", "audi")]


def without(directory: Path, *numbers: int) -> LocalIndex:
    """The index of a directory, opened and committed without some documents."""
    index = LocalIndex.open(directory, Schema())
    for number in numbers:
        index.fill([Change(key_of(number), None, False)], WriterBudget(1)).commit()
    index.reload()
    return index


def test_a_commit_is_made_again_over_what_a_killed_one_left(tmp_path: Path) -> None:
    build(tmp_path / "killed", Schema(), DOCUMENTS)
    shutil.copytree(tmp_path / "killed", tmp_path / "done")
    without(tmp_path / "done", 1)
    (left,) = (tmp_path / "done").glob("*.del")
    shutil.copy(left, tmp_path / "killed" / left.name)

    remove_unfinished(tmp_path / "killed")
    view = without(tmp_path / "killed", 1).view()
    assert found(view, MatchAll()) == [key_of(0), key_of(2), key_of(3)]


def test_what_the_commit_in_effect_deleted_stays_deleted(tmp_path: Path) -> None:
    build(tmp_path / "index", Schema(), DOCUMENTS)
    without(tmp_path / "index", 0)
    remove_unfinished(tmp_path / "index")
    view = without(tmp_path / "index", 3).view()
    assert found(view, MatchAll()) == [key_of(1), key_of(2)]


def test_a_directory_without_an_index_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.1.del").write_bytes(b"")
    remove_unfinished(tmp_path)
    (tmp_path / "meta.json").write_bytes(b"no JSON")
    remove_unfinished(tmp_path)
    assert (tmp_path / "a.1.del").exists()
