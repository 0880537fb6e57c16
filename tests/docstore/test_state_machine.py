"""Every operation on documents, in any order, with reopening and crashes, against a dict.

Invariants 1 to 4 and 6: whatever was acknowledged is there after any crash, and the index agrees
with the documents. A crash is a copy of the store's files taken while it is open, as a killed
process leaves them.
"""

import shutil
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from docstore import NotFound, Position, Store, VersionConflict
from tests.docstore.steps import copied
from tests.docstore.store_machine import StoreMachine

KEYS = st.sampled_from(["a", "b", "c", "ab", "é", "😀", "a b", "\x01", "key-7", "key-8"])
COLORS = st.sampled_from(["red", "blue", "dark green"])
BODIES = st.fixed_dictionaries(
    {"color": COLORS, "price": st.integers(0, 5)},
    optional={"tags": st.lists(st.sampled_from(["x", "y", "z"]), max_size=3)},
)


class Documents(StoreMachine):
    """A collection beside a dict of key -> (version, document)."""

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, tuple[int, dict[str, Any]]] = {}
        self.answered: dict[str, tuple[int, Position]] = {}

    @initialize(partitions=st.sampled_from([1, 2, 5]))
    def create(self, partitions: int) -> None:
        self.store = Store.open(self.data)
        self.store.create_collection("cars", partitions=partitions)

    @property
    def cars(self) -> Any:
        return self.store.collection("cars")

    def document(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        return {"id": key, **body}

    @rule(key=KEYS, body=BODIES)
    def put(self, key: str, body: dict[str, Any]) -> None:
        version, _ = self.model.get(key, (0, {}))
        result = self.cars.put(self.document(key, body))
        assert (result.version, result.created) == (version + 1, version == 0)
        self.model[key] = (version + 1, self.document(key, body))

    @rule(key=KEYS, body=BODIES, expected=st.integers(0, 3))
    def put_if_version(self, key: str, body: dict[str, Any], expected: int) -> None:
        version, _ = self.model.get(key, (0, {}))
        if version == expected:
            self.cars.put(self.document(key, body), if_version=expected)
            self.model[key] = (version + 1, self.document(key, body))
            return
        with pytest.raises(VersionConflict) as refused:
            self.cars.put(self.document(key, body), if_version=expected)
        assert refused.value.data["current"] == version

    @rule(key=KEYS, body=BODIES, op=st.sampled_from(["op-1", "op-2"]))
    def put_with_op_id(self, key: str, body: dict[str, Any], op: str) -> None:
        version, _ = self.model.get(key, (0, {}))
        # A retry goes to the shard of its key, where its first answer is.
        op_id = f"{op}:{key}"
        result = self.cars.put(self.document(key, body), op_id=op_id)
        if op_id in self.answered:
            assert (result.version, result.position) == self.answered[op_id]
        else:
            self.answered[op_id] = (result.version, result.position)
            self.model[key] = (version + 1, self.document(key, body))

    @rule(bodies=st.lists(st.tuples(KEYS, BODIES), max_size=8), bad=st.booleans())
    def put_many(self, bodies: list[tuple[str, dict[str, Any]]], bad: bool) -> None:
        documents: list[Any] = [self.document(key, body) for key, body in bodies]
        result = self.cars.put_many([*documents, "no document"] if bad else documents)
        assert [error.index for error in result.errors] == ([len(documents)] if bad else [])
        for document in documents:
            version, _ = self.model.get(document["id"], (0, {}))
            self.model[document["id"]] = (version + 1, document)

    @rule(key=KEYS, price=st.none() | st.integers(0, 5))
    def patch(self, key: str, price: int | None) -> None:
        if key not in self.model:
            with pytest.raises(NotFound):
                self.cars.patch(key, {"price": price})
            return
        version, document = self.model[key]
        patched = {**document, "price": price}
        if price is None:
            del patched["price"]
        assert self.cars.patch(key, {"price": price}).version == version + 1
        self.model[key] = (version + 1, patched)

    @rule(key=KEYS)
    def delete(self, key: str) -> None:
        assert self.cars.delete(key).deleted == (key in self.model)
        self.model.pop(key, None)

    @rule(keys=st.lists(KEYS, max_size=4))
    def delete_many(self, keys: list[str]) -> None:
        result = self.cars.delete_many(keys)
        assert result.errors == []
        for key in keys:
            self.model.pop(key, None)

    @rule()
    def crash(self) -> None:
        """Go on from the files as they are now; the abandoned process writes elsewhere."""
        copy = self.next_copy()
        copied(self.data, copy)
        self.go_on_from(copy)

    @rule()
    def lose_an_index(self) -> None:
        self.store.close()
        for index in self.data.glob("cars/shards/0/index"):
            shutil.rmtree(index)
        self.store = Store.open(self.data)

    @rule()
    def rebuild(self) -> None:
        self.cars.rebuild()

    @rule(color=COLORS, price=st.integers(0, 5))
    def search(self, color: str, price: int) -> None:
        found = self.cars.search(
            filter={"color": color, "price": {"gte": price}}, sort="-price", limit=100
        )
        expected = sorted(
            (-document["price"], key.encode())
            for key, (_, document) in self.model.items()
            if document["color"] == color and document.get("price", -1) >= price
        )
        assert found.total == len(expected)
        assert [(-hit.sort, hit.key.encode()) for hit in found.hits] == expected
        assert all(hit.document == self.model[hit.key][1] for hit in found.hits)

    @rule(word=st.sampled_from(["red", "green", "dark", "x"]))
    def search_text(self, word: str) -> None:
        found = {hit.key for hit in self.cars.search(word, limit=100).hits}
        expected = {
            key
            for key, (_, document) in self.model.items()
            if word in document["color"].split() or word in document.get("tags", [])
        }
        assert found == expected

    @invariant()
    def documents_are_those_of_the_model(self) -> None:
        if not hasattr(self, "store"):
            return
        scanned = {found.key: (found.version, found.document) for found in self.cars.scan()}
        assert scanned == self.model
        assert self.cars.count() == len(self.model)


Documents.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestDocuments = Documents.TestCase
