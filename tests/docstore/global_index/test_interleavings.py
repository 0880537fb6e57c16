"""Writes, steps of the updater, crashes, filling and reads in any order.

`current` equals a scan of the documents; `any` equals the documents after some prefix of the log of
each shard. A crash is a copy of the files of an open store, as a killed process leaves them.
"""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from docstore import Collection, GlobalIndex, NotFound, Store, Unavailable
from docstore.global_index import postings, shadows
from docstore.global_index.live_index import LiveIndex
from docstore.global_index.tails import read_tail
from docstore.global_index.term_moving import salt
from docstore.global_index.wanted import Beginning, Between, Condition, Values

KEYS = [f"k{number}" for number in range(7)]
COLORS = ["red", "blue", "rust", ["red", "blue"], None]
KEY = st.sampled_from(KEYS)
FAN = st.sampled_from([1, 2, 2])
BODY = st.fixed_dictionaries(
    {},
    optional={
        "color": st.sampled_from(COLORS),
        "price": st.integers(0, 4) | st.just(2.5),
        "make": st.sampled_from(["vw", "bmw"]),
    },
)
INDEXES = {
    "color": GlobalIndex("color", include=["price", "make"], partitions=3),
    "price": GlobalIndex("price", include=["color"], partitions=2, by="range"),
    "make+price": GlobalIndex(["make", "price"], include="all", partitions=2),
}
Documents = dict[str, dict[str, Any]]


def holds(value: Any, wanted: Any) -> bool:
    """Whether a field of a document is what a lookup asks for."""
    values = value if isinstance(value, list) else [value]
    return any(each is not None and wanted(each) for each in values)


class Interleavings(RuleBasedStateMachine):
    """A collection whose indexes move only when a rule says so, beside every shard's history."""

    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp(prefix="docstore-test-"))
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(shadows, "POSTINGS_MIN", 4)
        self.data = self.root / "0"
        self.copies = 0

    @initialize(partitions=st.sampled_from([1, 3]), shared_min=st.sampled_from([0, 1000]))
    def create(self, partitions: int, shared_min: int) -> None:
        self.patch.setattr(postings, "SHARED_BYTES_MIN", shared_min)
        self.store = Store.open(self.data)
        cars = self.store.create_collection(
            "cars", partitions=partitions, indexes=[INDEXES["color"], INDEXES["price"]]
        )
        cars.indexes.catch_up()
        self.history: list[list[Documents]] = [[{}] for _ in range(partitions)]
        self.hold_still()

    @property
    def cars(self) -> Collection[dict[str, Any]]:
        return self.store.collection("cars")

    @property
    def live(self) -> dict[str, LiveIndex]:
        return self.cars.indexes._live

    def hold_still(self) -> None:
        """No thread moves the indexes: the rules do."""
        self.cars.indexes._updater.stop()

    @property
    def documents(self) -> Documents:
        found: Documents = {}
        for states in self.history:
            found |= states[-1]
        return found

    def wrote(self, position: Any, key: str, document: dict[str, Any] | None) -> None:
        states = self.history[position.partition]
        assert len(states) == position.seq
        now = {each: held for each, held in states[-1].items() if each != key}
        if document is not None:
            now[key] = document
        states.append(now)

    @rule(key=KEY, body=BODY)
    def put(self, key: str, body: dict[str, Any]) -> None:
        document = {"id": key, **body}
        self.wrote(self.cars.put(document).position, key, document)

    @rule(keys=st.lists(KEY, min_size=2, max_size=9), body=BODY)
    def put_often(self, keys: list[str], body: dict[str, Any]) -> None:
        for number, key in enumerate(keys):
            document = {"id": key, **body, "price": number % 5}
            self.wrote(self.cars.put(document).position, key, document)

    @rule(key=KEY)
    def delete(self, key: str) -> None:
        result = self.cars.delete(key)
        if result.deleted:
            self.wrote(result.position, key, None)

    @rule()
    def declare_or_drop(self) -> None:
        if "make+price" in self.live:
            self.cars.indexes.drop("make+price")
        else:
            self.cars.indexes.create(INDEXES["make+price"])

    @rule(name=st.sampled_from(sorted(INDEXES)), most=st.integers(1, 4))
    def fill_a_little(self, name: str, most: int) -> None:
        index = self.live.get(name)
        if index is not None and index.state(self.numbers) == "filling":
            index.fill(self.numbers, most)

    @rule(name=st.sampled_from(sorted(INDEXES)))
    def compare(self, name: str) -> None:
        index = self.live.get(name)
        if index is not None and index.state(self.numbers) == "comparing":
            self.cars.indexes._settle(index)

    @rule(
        keys=st.lists(st.sampled_from(KEYS[:2]), max_size=5),
        body=BODY,
        most=st.integers(1, 3),
        shard=st.integers(0, 2),
    )
    def digest_a_little(self, keys: list[str], body: dict[str, Any], most: int, shard: int) -> None:
        """Take a few entries, also of a document that was written over and over since."""
        self.put_often(keys, body)
        number = shard % len(self.history)
        for name, index in self.live.items():
            after = index.digested.get(number)
            if after is not None and after < self.cars.partitions.shard(number).head:
                tail = read_tail(self.cars.partitions.shard(number), after, most)
                assert tail is not None
                index.take([tail])
                self.read_one(name, "any")

    @rule(is_writing=st.booleans(), times=st.sampled_from([1, 5]))
    def step(self, is_writing: bool, times: int) -> None:
        """What the updater's thread does, filling, comparing and cutting ranges anew among it."""
        for _ in range(times):
            self.cars.indexes._updater.step(is_writing=is_writing)

    @rule(name=st.sampled_from(sorted(INDEXES)), place=st.integers(0, 2))
    def write_a_partition(self, name: str, place: int) -> None:
        index = self.live.get(name)
        if index is not None:
            index.flush([place % index.definition.partitions], is_last=True)

    @rule()
    def catch_up(self) -> None:
        self.cars.indexes.catch_up()

    @rule(name=st.sampled_from(["color", "price"]), place=st.none() | st.integers(0, 1))
    def rebuild(self, name: str, place: int | None) -> None:
        self.cars.indexes.rebuild(name, place)

    @rule(name=st.sampled_from(["color", "price"]), number=st.integers(0, 2), fan=FAN)
    def salt(self, name: str, number: int, fan: int) -> None:
        value: Any = ["red", "blue", "rust"][number] if name == "color" else number
        with suppress(NotFound, Unavailable):  # nobody has it; the index is being filled
            self.cars.indexes.salt(name, value, fan)

    @rule(name=st.sampled_from(["color", "price"]), number=st.integers(0, 2), fan=FAN)
    def crash_while_salting(self, name: str, number: int, fan: int) -> None:
        value: Any = ["red", "blue", "rust"][number] if name == "color" else number

        class Killed(Exception):
            pass

        def copied(definition: GlobalIndex) -> None:
            self.cars.indexes._declared._write(self.live[name], definition)
            self.copies += 1
            if self.copies % 3 == 0:
                raise Killed

        with suppress(Killed, NotFound, Unavailable):
            salt(self.live[name], copied, value, fan)
        self.crash()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(self.data)
        self.hold_still()

    @rule()
    def crash(self) -> None:
        """Go on from the files as they are now."""
        self.copies += 1
        copy = self.root / str(self.copies)
        shutil.copytree(self.data, copy, ignore=shutil.ignore_patterns("*-lock", ".tantivy*"))
        self.store.close()
        shutil.rmtree(self.data)
        self.data = copy
        self.store = Store.open(copy)
        self.hold_still()

    @rule(name=st.sampled_from(["color", "price"]))
    def lose_a_partition(self, name: str) -> None:
        path = self.live[name].files.partitions[0]._environment.path.parent
        self.store.close()
        shutil.rmtree(path)
        self.store = Store.open(self.data)
        self.hold_still()

    @property
    def numbers(self) -> tuple[int, ...]:
        return self.cars.partitions.numbers

    def asked(self, name: str, number: int) -> tuple[list[Any], Any]:
        """What to ask of an index, and whether a document is found by it."""
        if name == "color":
            color = ["red", "blue", "rust"][number % 3]
            if number > 2:
                return [Beginning("r")], lambda held: holds(
                    held.get("color"), lambda value: value[0] == "r"
                )
            return [Values((color, "none"))], lambda held: holds(
                held.get("color"), lambda value: value == color
            )
        low = number % 4
        if name == "price":
            return [Between(gte=low, lt=low + 2)], lambda held: holds(
                held.get("price"), lambda value: low <= value < low + 2
            )
        return (
            [Values(("vw",)), Between(gt=low)],
            lambda held: (
                held.get("make") == "vw" and holds(held.get("price"), lambda value: value > low)
            ),
        )

    @rule(freshness=st.sampled_from(["current", "any", "any"]))
    def read(self, freshness: Any) -> None:
        for name in self.live:
            self.read_one(name, freshness)

    def read_one(self, name: str, freshness: Any) -> None:
        index = self.live[name]
        for number in range(5):
            try:
                self.compare_answer(index, name, number, freshness)
            except Unavailable:
                assert index.state(self.numbers) != "ready"

    def compare_answer(self, index: LiveIndex, name: str, number: int, freshness: Any) -> None:
        asked, finds = self.asked(name, number)
        is_color = name == "color"
        conditions = [Condition("price", Between(lt=3))] if is_color else []
        indexes = self.cars.indexes
        wanted = indexes.wanted(name, asked)
        found = indexes.candidates(name, wanted, conditions, freshness=freshness)
        # What is digested only grows, and this thread alone reads: it is of this moment.
        shown = {shard: index.digested[shard] for shard in self.numbers}
        if freshness == "current":
            assert shown == {shard: len(states) - 1 for shard, states in enumerate(self.history)}
        expected = sorted(
            (key.encode(), document.get("price"))
            for shard, seq in shown.items()
            for key, document in self.history[shard][seq].items()
            if finds(document) and not (is_color and document.get("price", 9) >= 3)
        )
        page = found.page(0, 100)
        assert [each.key for each in page] == [key for key, _ in expected] == found.keys()
        assert found.total == len(expected)
        assert found.values("price") == [price for _, price in expected]

    def teardown(self) -> None:
        self.patch.undo()
        if hasattr(self, "store"):
            assert list(self.store.check()) == []
            self.store.close()
        shutil.rmtree(self.root)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = settings(
    max_examples=30,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
