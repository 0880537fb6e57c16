"""Files that may not grow any more, at every place of a split, a merge and a change of fan.

A process of its own: what a file may hold at most is a limit of the whole process.
"""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from docstore import GlobalIndex, Key, Store, Unavailable
from docstore.files import reserve

PROGRAM = """
import resource, sys
from docstore import Key, Store, Unavailable
from docstore.map_changes import moving_apart

moving_apart.DOCUMENTS_MIN = int(sys.argv[3])
store = Store.open(sys.argv[1], auto_split=False)
things = store.create_collection("things", key=Key("shop", "n"), partitions=2)
text = "many different words of a text "
things.put_many(
    {"shop": f"s{n % 40}", "n": n, "text": f"{text} {n} {n * n}" * 20} for n in range(1500)
)
things.refresh()
CHANGES = {
    "split": lambda: things.split(things.partitions.numbers[0]),
    "merge": lambda: things.merge(*things.partitions.numbers[:2]),
    "salt": lambda: things.salt(("s1",), 4 if refused or not made else 1),
}
change = CHANGES[sys.argv[2]]
whole = resource.getrlimit(resource.RLIMIT_FSIZE)
refused = made = 0
limit = 16_384
while not made:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, whole[1]))
    try:
        change()
        made += 1
    except Unavailable as error:
        assert error.hint and error.retryable, error
        refused += 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, whole)
    if not made:  # what a change replaced is removed a moment later
        owned = sorted(map(str, things.partitions.numbers))
        held = sorted(path.name for path in things.partitions.shards.directory.iterdir())
        assert held == owned, (held, owned, limit)
        assert not (store.path / "things" / "moving.json").exists()
    written = refused + made
    things.put({"shop": "s1", "n": 10_000 + written, "text": "text"})
    found = things.count(), things.search("text", limit=0).total
    assert found == (1_500 + written,) * 2, (found, written, limit)
    limit *= 2
things.split(things.partitions.numbers[0])
assert not list(store.check())
store.close()
print(refused)
"""


@pytest.mark.parametrize("change", ["split", "merge", "salt"])
@pytest.mark.parametrize("apart", [1, 1_000_000])
def test_a_change_that_finds_no_room_leaves_everything_as_it_was(
    tmp_path: Path, change: str, apart: int
) -> None:
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "data"), change, str(apart)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stdout) >= 3
    with Store.open(tmp_path / "data") as store:
        assert list(store.check()) == []
        partitions = store.collection("things").partitions
        held = sorted(path.name for path in partitions.shards.directory.iterdir())
        assert held == sorted(map(str, partitions.numbers))


def test_what_is_written_through_memory_has_its_place_on_the_disk(tmp_path: Path) -> None:
    # Else the first write there, on a disk that has become full, would end the process.
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=2, indexes=[GlobalIndex("color")])
        assert not things.put_many({"id": str(n), "color": "red"} for n in range(40)).errors
        things.indexes.catch_up()
        things.split(things.partitions.numbers[0])
    locks = [each.stat() for each in tmp_path.rglob("*-lock")]
    assert len(locks) > 3
    assert all(each.st_blocks * 512 >= each.st_size for each in locks)


def test_a_sparse_file_gets_its_place_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with path.open("wb") as file:
        file.write(b"held")
        file.truncate(100_000)
    assert path.stat().st_blocks * 512 < 100_000
    reserve(path, 100_000)
    assert path.stat().st_blocks * 512 >= 100_000
    assert path.read_bytes() == b"held" + bytes(99_996)


@pytest.mark.parametrize("change", ["split", "merge", "salt"])
def test_a_change_that_was_made_says_so_when_its_list_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    is_full = False
    replace, unlink = Path.replace, Path.unlink

    def refused(path: Path) -> None:
        if is_full and path.name == "moving.json":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def replaced(path: Path, target: Path) -> Path:
        nonlocal is_full
        refused(target)
        is_full |= is_changing and target.name == "collection.json"
        return replace(path, target)

    def unlinked(path: Path, **given: Any) -> None:
        refused(path)
        unlink(path, **given)

    is_changing = False
    with Store.open(tmp_path / change, auto_split=False) as store:
        things = store.create_collection("things", key=Key("shop", "n"), partitions=2)
        things.put_many({"shop": f"s{n % 40}", "n": n} for n in range(50))
        monkeypatch.setattr(Path, "replace", replaced)
        monkeypatch.setattr(Path, "unlink", unlinked)
        is_changing = True
        made = {
            "split": lambda: things.split(0),
            "merge": lambda: things.merge(0, 1),
            "salt": lambda: things.salt(("s1",), 4),
        }[change]()
        assert (made.kind, made.epoch) == (change, 2)
        assert set(made.targets) <= set(things.partitions.numbers)
        assert things.stats()["history"][-1]["documents"] == made.documents
        assert things.count() == 50
    is_full = False
    with Store.open(tmp_path / change) as store:
        assert store.collection("things").count() == 50
        assert list(store.check()) == []
        held = sorted(path.name for path in (tmp_path / change / "things" / "shards").iterdir())
        assert held == sorted(map(str, store.collection("things").partitions.numbers))


def test_what_a_crash_left_and_cannot_be_removed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(tmp_path).close()
    (tmp_path / ".leftover-1").write_bytes(b"")

    def unlinked(path: Path, **_: Any) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", unlinked)
        with pytest.raises(Unavailable, match=r"\.leftover-1: Input/output error"):
            Store.open(tmp_path)
    Store.open(tmp_path).close()
    assert not (tmp_path / ".leftover-1").exists()


@pytest.mark.parametrize("how", ["no such call", errno.EOPNOTSUPP, errno.EINVAL])
def test_a_store_opens_where_no_place_can_be_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str | int
) -> None:
    def refused(*_: int) -> None:
        assert isinstance(how, int)
        raise OSError(how, os.strerror(how))

    if isinstance(how, int):
        monkeypatch.setattr(os, "posix_fallocate", refused)
    else:
        monkeypatch.delattr(os, "posix_fallocate")
    with Store.open(tmp_path) as store:
        things = store.create_collection("things", partitions=1)
        things.put({"id": "1"})
        assert things.count() == 1


def test_a_store_is_not_opened_where_there_is_no_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with Store.open(tmp_path) as store, pytest.raises(Unavailable) as refused:
        store.create_collection("things", partitions=1)
    assert refused.value.retryable
