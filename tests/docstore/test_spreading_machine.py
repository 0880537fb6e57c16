"""Operations on documents between and during salting, splits and crashes, against a dict.

Invariants 5 and 6: every document is in exactly one shard, the one that a read by its key asks,
whatever is salted while it is written, in every state that a crash can leave.
"""

from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from docstore import Collection, InvalidRequest, Key, NotFound, Store, VersionConflict
from tests.docstore.steps import each_write_step
from tests.docstore.store_machine import ChangesReader, StoreMachine

_SELLERS = st.sampled_from(["big", "b", "small"])
_NUMBERS = st.integers(0, 12)
_FANS = st.sampled_from([1, 2, 4, 8, 64])
_WRITES = st.lists(st.tuples(st.integers(0, 60), _SELLERS, _NUMBERS, st.booleans()), max_size=6)


class Spread(StoreMachine):
    """A collection under a compound key, some of whose sellers are salted."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[tuple[str, int], tuple[int, int]] = {}
        self.fans: dict[str, int] = {}
        self.reader = ChangesReader()
        self.counter = 0

    @initialize(partitions=st.integers(1, 5))
    def create(self, partitions: int) -> None:
        self.store = Store.open(self.data)
        self.store.create_collection("sales", key=Key("seller", "n"), partitions=partitions)

    @property
    def sales(self) -> Collection[dict[str, Any]]:
        return self.store.collection("sales")

    def put(self, seller: str, number: int) -> None:
        self.counter += 1
        version = self.model.get((seller, number), (0, 0))[0]
        written = self.sales.put({"seller": seller, "n": number, "x": self.counter})
        assert written.version == version + 1
        self.model[seller, number] = (version + 1, self.counter)

    def delete(self, seller: str, number: int) -> None:
        assert self.sales.delete((seller, number)).deleted == ((seller, number) in self.model)
        self.model.pop((seller, number), None)

    @rule(seller=_SELLERS, number=_NUMBERS)
    def put_one(self, seller: str, number: int) -> None:
        self.put(seller, number)

    @rule(seller=_SELLERS, number=_NUMBERS)
    def delete_one(self, seller: str, number: int) -> None:
        self.delete(seller, number)

    @rule(seller=_SELLERS, first=_NUMBERS)
    def put_many(self, seller: str, first: int) -> None:
        documents = []
        for number in range(first, first + 6):
            self.counter += 1
            version = self.model.get((seller, number), (0, 0))[0]
            self.model[seller, number] = (version + 1, self.counter)
            documents.append({"seller": seller, "n": number, "x": self.counter})
        assert self.sales.put_many(documents).errors == []

    @rule(seller=_SELLERS, number=_NUMBERS, version=st.integers(0, 3))
    def put_if_version(self, seller: str, number: int, version: int) -> None:
        held = self.model.get((seller, number), (0, 0))[0]
        self.counter += 1
        try:
            document = {"seller": seller, "n": number, "x": self.counter}
            self.sales.put(document, if_version=version)
        except VersionConflict:
            assert held != version
        else:
            assert held == version
            self.model[seller, number] = (version + 1, self.counter)

    @rule(seller=_SELLERS, number=_NUMBERS)
    def get(self, seller: str, number: int) -> None:
        found = self.sales.fetch((seller, number))
        held = self.model.get((seller, number))
        assert (None if found is None else (found.version, found.document["x"])) == held

    @rule(seller=_SELLERS, reverse=st.booleans(), limit=st.none() | st.integers(0, 5))
    def scan(self, seller: str, reverse: bool, limit: int | None) -> None:
        expected = sorted((key for key in self.model if key[0] == seller), reverse=reverse)
        found = self.sales.scan(prefix=(seller,), reverse=reverse, limit=limit)
        assert [each.key for each in found] == expected[:limit]

    @rule(seller=_SELLERS)
    def search(self, seller: str) -> None:
        result = self.sales.search(filter={"seller": seller}, limit=100)
        assert {hit.key for hit in result.hits} == {key for key in self.model if key[0] == seller}
        assert result.total == len(result.hits)

    def change(self, seller: str, fan: int) -> None:
        try:
            self.sales.salt(seller, fan)
        except NotFound:
            assert fan > 1
        else:
            self.fans[seller] = fan

    @rule(seller=_SELLERS, fan=_FANS)
    def salt(self, seller: str, fan: int) -> None:
        self.change(seller, fan)

    @rule(place=st.integers(0, 9), is_merge=st.booleans())
    def reshape(self, place: int, is_merge: bool) -> None:
        numbers = self.sales.partitions.numbers
        place %= len(numbers)
        if is_merge and len(numbers) > 1:
            self.sales.merge(numbers[place], numbers[place - 1 if place else 1])
        elif len(numbers) < 8:
            with suppress(InvalidRequest):
                self.sales.split(numbers[place])

    @rule(seller=_SELLERS, fan=_FANS, writes=_WRITES)
    def salt_while_writing(
        self, seller: str, fan: int, writes: list[tuple[int, str, int, bool]]
    ) -> None:
        def write(step: int) -> None:
            for at, other, number, is_put in writes:
                if at == step:
                    self.put(other, number) if is_put else self.delete(other, number)

        with each_write_step(self.sales, write):
            self.change(seller, fan)

    @rule(seller=_SELLERS, fan=_FANS, at=st.integers(1, 80))
    def crash_while_salting(self, seller: str, fan: int, at: int) -> None:
        before = self.fans.get(seller, 1)
        if self.crash_while(lambda: self.change(seller, fan), at):
            of = self.sales.partitions.definition.partition_map
            found = of.fan_of(b"\x20" + seller.encode() + b"\x00")
            assert found in (before, self.fans.get(seller, 1))
            self.fans[seller] = found

    @rule()
    def read_changes(self) -> None:
        self.reader.read(self.sales)
        assert self.reader.versions == {key: version for key, (version, _) in self.model.items()}

    @invariant()
    def every_document_is_where_its_key_says(self) -> None:
        if hasattr(self, "store"):
            partitions = self.sales.partitions
            held = 0
            for number in partitions.numbers:
                for key, _ in partitions.shard(number).scan():
                    held += 1
                    assert partitions.number_of(key) == number
            assert held == len(self.model)
            for seller, fan in self.fans.items():
                first = b"\x20" + seller.encode() + b"\x00"
                assert partitions.definition.partition_map.fan_of(first) == fan


Spread.TestCase.settings = settings(
    max_examples=12,
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestSpread = Spread.TestCase
