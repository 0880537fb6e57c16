"""Operations on documents between and during splits, merges and crashes, against a dict.

Invariant 6, with 1 to 4: every document is in exactly one partition, whatever is split or merged
while it is written, in every state that a crash can leave; and who reads the changes misses none.
"""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from docstore import InvalidRequest, Range, Store
from docstore.global_index.definition import GlobalIndex
from tests.docstore.steps import each_write_step
from tests.docstore.store_machine import ChangesReader
from tests.docstore.test_state_machine import BODIES, KEYS, Documents

WRITES = st.lists(st.tuples(st.integers(0, 60), KEYS, st.none() | BODIES), max_size=6)


class Reshaped(Documents):
    """The same collection, split and merged, with a reader of its changes and a global index."""

    @initialize(scheme=st.sampled_from([1, 2, Range(), Range(pre_split=["b"])]))
    def create(self, scheme: int | Range) -> None:
        self.store = Store.open(self.data)
        color = [GlobalIndex("color", partitions=2)]
        if isinstance(scheme, Range):
            self.store.create_collection("cars", partitioning=scheme, indexes=color)
        else:
            self.store.create_collection("cars", partitions=scheme, indexes=color)
        self.reader = ChangesReader()

    def change(self, place: int, is_merge: bool) -> None:
        """Split or merge a partition; there may be nothing to split or to merge."""
        numbers = self.cars.partitions.numbers
        place %= len(numbers)
        if is_merge and len(numbers) > 1:
            self.cars.merge(numbers[place], numbers[place - 1 if place else 1])
        else:
            with suppress(InvalidRequest):
                self.cars.split(numbers[place])

    @rule(place=st.integers(0, 9), is_merge=st.booleans(), writes=WRITES)
    def reshape_while_writing(
        self, place: int, is_merge: bool, writes: list[tuple[int, str, Any]]
    ) -> None:
        def write(step: int) -> None:
            for at, key, body in writes:
                if at == step:
                    self.delete(key) if body is None else self.put(key, body)

        with each_write_step(self.cars, write):
            self.change(place, is_merge)

    @rule(place=st.integers(0, 9), is_merge=st.booleans(), at=st.integers(1, 80))
    def crash_while_reshaping(self, place: int, is_merge: bool, at: int) -> None:
        self.crash_while(lambda: self.change(place, is_merge), at)

    @rule(limit=st.none() | st.integers(0, 5))
    def read_changes(self, limit: int | None) -> None:
        for change in self.reader.read(self.cars, limit):
            if change.document is not None and change.key in self.model:
                version, document = self.model[change.key]
                assert version > change.version or change.document == document
        if limit is None:
            versions = {key: version for key, (version, _) in self.model.items()}
            assert self.reader.versions == versions

    @rule(color=st.sampled_from(["red", "blue", "dark green"]))
    def look_up(self, color: str) -> None:
        self.cars.indexes.catch_up()
        found = self.cars.indexes.lookup("color", color, limit=100)
        expected = {key for key, (_, doc) in self.model.items() if doc["color"] == color}
        assert {row.key for row in found.rows} == expected

    @invariant()
    def every_key_is_in_one_shard(self) -> None:
        if hasattr(self, "store"):
            partitions = self.cars.partitions
            held = [key for n in partitions.numbers for key, _ in partitions.shard(n).scan()]
            assert len(held) == len(set(held)) == len(self.model)

    def lose_an_index(self) -> None:
        """Not here: which shards there are changes."""


Reshaped.TestCase.settings = settings(
    max_examples=10,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestReshaped = Reshaped.TestCase
