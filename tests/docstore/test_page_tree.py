"""What LMDB wrote is never called damaged; a page that another took the place of is."""

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import Corruption, Unavailable
from docstore.shards.environment import Environment
from docstore.shards.page_tree import Bytes, DamagedPage, Pages, states

PAGE_BYTES = 4096
LEAF = 2
TABLES = ("first", "second")
HISTORIES = 12
FOLLOWED = 300


def filled(environment: Environment, rng: random.Random, rounds: int) -> None:
    """Put and delete much and little, values of every size, under keys of every length."""
    for _ in range(rounds):
        span, share = rng.choice([10, 300, 3000]), rng.choice([0.1, 0.5, 0.9])
        length = rng.choice([0, 0, 20, 400])
        turns = [
            (rng.choice(TABLES), b"%08d" % rng.randrange(span) + b"k" * length, rng.random())
            for _ in range(rng.choice([1, 30, 1000]))
        ]

        def body(transaction: Any, turns: Any = turns, share: float = share) -> None:
            for name, key, chance in turns:
                if chance < share:
                    value = rng.randbytes(rng.choice([0, 1, 20, 300, 1500, 3000, 9000]))
                    transaction.put(key, value, db=environment.tables[name])
                else:
                    transaction.delete(key, db=environment.tables[name])

        environment.write(body)


def newest(data: Bytes) -> Pages:
    return Pages(data, max(states(data)))


def bytes_of(path: Path) -> Bytes:
    return np.fromfile(path, np.uint8)


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_whatever_was_written_is_whole_at_every_moment(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    environment = Environment(tmp_path / "file.mdb", tables=TABLES, draft=True)
    for _ in range(15):
        filled(environment, rng, 1)
        environment.follow()
        newest(bytes_of(environment.path)).check(None)
    environment.close()
    Environment(tmp_path / "file.mdb", tables=TABLES, followed_max=None).close()


WRITER = """
import random, sys
from pathlib import Path
from docstore.shards.environment import Environment

environment = Environment(Path(sys.argv[1]), tables=("first", "second"))
first, number = environment.tables["first"], 0
while True:
    key, value = b"%04d" % random.randrange(300), random.randbytes(random.choice([9, 900]))
    environment.write(lambda transaction: transaction.put(key, value, db=first))
    number += 1
    if number == 100:
        print("written", flush=True)
"""


def test_a_file_is_followed_while_another_process_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "file.mdb"
    command = [sys.executable, "-c", WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == "written\n"
            environment = Environment(path, tables=TABLES, read_only=True)
            for _ in range(FOLLOWED):
                environment.follow()
            environment.close()
        finally:
            writer.kill()


def test_free_pages_beyond_the_end_of_a_file_are_no_damage(tmp_path: Path) -> None:
    ended_before_its_last_page = 0
    for seed in range(40):
        path = tmp_path / f"{seed}.mdb"
        environment = Environment(path, tables=TABLES, draft=True)
        rng = random.Random(seed)
        for _ in range(6):
            filled(environment, rng, 1)
            if environment.bytes_used() > path.stat().st_size:
                ended_before_its_last_page += 1
                break
        environment.close()
        Environment(path, tables=TABLES).close()
    assert ended_before_its_last_page > 0


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Bytes:
    """A file with branches, long values and free pages."""
    environment = Environment(tmp_path_factory.mktemp("intact") / "file.mdb", tables=TABLES)
    filled(environment, random.Random(11), 8)
    environment.close()
    return bytes_of(environment.path)


@pytest.fixture(scope="module")
def begun(intact: Bytes) -> list[int]:
    """The pages of it that say which they are, and are in a tree: not the free ones."""
    found = []
    changed = intact.copy()
    for number in range(2, len(intact) // PAGE_BYTES):
        changed[number * PAGE_BYTES] ^= 255
        try:
            newest(changed).check(None)
        except DamagedPage:
            found.append(number)
        changed[number * PAGE_BYTES] ^= 255
    return found


@given(st.data())
def test_a_page_in_the_place_of_another_is_named(
    intact: Bytes, begun: list[int], data: st.DataObject
) -> None:
    page = data.draw(st.sampled_from(begun))
    other = data.draw(st.integers(2, len(intact) // PAGE_BYTES - 1).filter(lambda n: n != page))
    kind = data.draw(st.sampled_from(["zeros", "noise", "copied", "swapped"]))
    changed = intact.copy()
    at, from_ = slice(page * PAGE_BYTES, (page + 1) * PAGE_BYTES), other * PAGE_BYTES
    if kind == "zeros":
        changed[at] = 0
    elif kind == "noise":
        noise = random.Random(data.draw(st.integers(0, 2**32))).randbytes(PAGE_BYTES)
        changed[at] = np.frombuffer(noise, np.uint8)
    else:
        changed[at] = intact[from_ : from_ + PAGE_BYTES]
        if kind == "swapped":
            changed[from_ : from_ + PAGE_BYTES] = intact[at]
    with pytest.raises(DamagedPage) as refused:
        newest(changed).check(None)
    assert refused.value.number in {page, other}


@given(st.integers(0, 2**32), st.integers(1, 64))
def test_whatever_is_overwritten_it_is_damage_or_none(
    intact: Bytes, seed: int, length: int
) -> None:
    changed = intact.copy()
    rng = random.Random(seed)
    at = rng.randrange(len(changed) - length)
    changed[at : at + length] = np.frombuffer(rng.randbytes(length), np.uint8)
    try:
        newest(changed).check(None)
    except DamagedPage as error:
        assert 0 <= error.number < len(changed) // PAGE_BYTES  # noqa: PT017  either is right


@pytest.mark.parametrize("length", [1, 100, 4095, 4096, 8191, 8192, 12_288, 50_000])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, intact: Bytes, length: int) -> None:
    path = tmp_path / "7" / "file.mdb"
    path.parent.mkdir()
    intact[:length].tofile(path)
    with pytest.raises(Corruption, match=r"shard 7 cannot be read: page \d+") as refused:
        Environment(path, tables=TABLES)
    assert refused.value.data["file"] == "file.mdb"
    assert refused.value.data["page"] >= 0


def test_a_large_table_is_followed_when_it_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "7" / "file.mdb"
    path.parent.mkdir()
    environment = Environment(path, tables=TABLES)
    first = environment.tables["first"]
    environment.write(lambda to: [to.put(b"%08d" % n, bytes(100), db=first) for n in range(2000)])
    environment.close()
    changed = bytes_of(path)
    leaf = 9  # one of some sixty that came one after another
    assert changed[leaf * PAGE_BYTES + 10] == LEAF
    changed[leaf * PAGE_BYTES : (leaf + 1) * PAGE_BYTES] = 0
    changed.tofile(path)
    with pytest.raises(Corruption, match=f"page {leaf}"):
        Environment(path, tables=TABLES)
    environment = Environment(path, tables=TABLES, followed_max=20)
    with pytest.raises(Corruption, match=f"the documents of shard 7 cannot be read: page {leaf}"):
        environment.follow()
    environment.close()


def test_a_state_that_is_never_there_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "file.mdb"
    environment = Environment(path, tables=TABLES)
    with path.open("r+b") as file:
        for page in (0, 1):
            file.seek(page * PAGE_BYTES + 144)  # which transaction wrote the state
            file.write((10**6 + page).to_bytes(8, sys.byteorder))
    with pytest.raises(Unavailable, match="gone before it is read") as refused:
        environment.follow()
    assert refused.value.retryable
    environment.close()
