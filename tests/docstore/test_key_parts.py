"""Keys and filters on them: a value is read the same way wherever it names a document."""

import datetime
from typing import Any

import pytest

from docstore import Key, Store


@pytest.mark.parametrize(
    ("schema", "key", "stored", "asked"),
    [
        (None, Key("s", "n"), 7, 7.0),
        (None, Key("s", "n"), 7.0, 7),
        (None, Key("s", "n"), b"a7", "YTc="),
        (None, Key("s", "n"), datetime.date(2020, 1, 5), "2020-01-05"),
        ({"fields": {"s": "int", "n": "int"}}, Key("s", "n"), 7, "7"),
        ({"fields": {"s": "float", "n": "int"}}, Key("s", "n"), 7.5, "7.5"),
        ({"fields": {"s": "ip", "n": "int"}}, Key("s", "n"), "10.0.0.1", "10.0.0.0/8"),
        ({"fields": {"s": "text", "n": "int"}}, Key("s", "n"), "Ab 7", "ab"),
        ({"fields": {"s": "text", "n": "int"}}, "s", "Ab 7", "ab"),
    ],
)
def test_a_filter_on_the_key_finds_what_the_index_finds(
    store: Store, schema: Any, key: Any, stored: Any, asked: Any
) -> None:
    things = store.create_collection("things", schema, key=key, partitions=16)
    things.put({"s": stored, "n": 1})
    assert things.search(filter={"s": asked}).total == 1
    assert things.count(filter={"s": [asked]}) == 1


def test_keys_are_read_as_documents_have_them(store: Store) -> None:
    numbers = store.create_collection("numbers", {"fields": {"id": "float"}})
    numbers.put({"id": 5})
    assert numbers.get(5) == {"id": 5}
    assert [each.key for each in numbers.scan(start=5)] == [5.0]
    moments = store.create_collection("moments", {"fields": {"id": "datetime"}})
    moments.put({"id": "2020-01-02T00:00:00Z"})
    assert moments.exists("2020-01-02T01:00:00+01:00")
    assert moments.delete("2020-01-02").deleted
