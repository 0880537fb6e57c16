"""Postings of one document that share what they carry: answers, bounds, changes, other versions."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore import Collection, GlobalIndex, InvalidQuery, Store
from docstore.global_index import postings
from docstore.global_index.document_terms import packed_terms, shared_in, terms_in
from docstore.global_index.postings import Sharing, packed, payloads, renamed, unpacked
from docstore.global_index.wanted import Values

Cars = Collection[dict[str, Any]]
INDEXES = [
    GlobalIndex("tags", include=["price", "words"], partitions=3),
    GlobalIndex("words", include=["tags"], name="words"),
    GlobalIndex("tags", include="all", name="all", partitions=2),
    GlobalIndex(["tags", "words"], include=["price"], name="both"),
    GlobalIndex("price", include=["tags"], by="range"),
]
SCHEMA = {
    "fields": {
        "id": "keyword",
        "tags": {"type": "keyword", "list": True},
        "words": {"type": "keyword", "list": True},
        "price": "int",
    }
}
ASKED: list[dict[str, Any]] = [
    {"filter": {"tags": "t1"}, "sort": "price", "facets": ["price", "tags"]},
    {"filter": {"tags": ["t1", "t2"]}, "facets": ["words"]},
    {"filter": {"tags": {"gte": "t2"}, "words": "w1"}, "sort": "-price"},
    {"filter": {"tags": "t1", "words": {"prefix": "w"}, "price": {"gte": 2}}},
    {"filter": {"words": "w0", "tags": "t3"}, "sort": "price", "select": ["tags"]},
    {"filter": {"price": {"gte": 1, "lt": 4}, "tags": "t0"}, "facets": ["tags"]},
]


def document(n: int, turn: int = 0) -> dict[str, Any]:
    """Some lists, some of one value, some of none."""
    return {
        "id": f"{n:03d}",
        "tags": [f"t{(n + k + turn) % 5}" for k in range((n + turn) % 4)],
        "words": [f"w{(n * k + turn) % 3}" for k in range(1 + n % 3)],
        "price": (n + turn) % 6,
    }


@pytest.fixture
def cars(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cars]:
    """Sixty cars, under indexes whose postings share whatever they can."""
    monkeypatch.setattr(postings, "SHARED_BYTES_MIN", 0)
    made = store.create_collection("cars", SCHEMA, partitions=3, indexes=INDEXES)
    made.put_many(map(document, range(60)))
    made.indexes.catch_up()
    yield made
    assert list(made.check()) == []


def check_answers(cars: Cars) -> None:
    """Every index that can answer answers as the shards do."""
    answered = set()
    for asked in ASKED:
        results = []
        for name in (None, *(index.name for index in cars.indexes)):
            try:
                found = cars.search(**asked, limit=100, index=name)
            except InvalidQuery:
                continue
            hits = [(hit.key, hit.version, hit.document, repr(hit.sort)) for hit in found.hits]
            results.append((found.total, hits, dict(found.facets)))
            answered.add(name)
        assert results[0][0] > 0
        assert results == results[:1] * len(results)
    assert answered == {None, "tags", "words", "all", "both", "price"}


def test_indexes_answer_as_the_shards_do_while_documents_change(cars: Cars) -> None:
    check_answers(cars)
    for turn in range(1, 4):
        cars.put_many(document(n, turn) for n in range(turn, 60, 3))
        cars.delete(f"{turn:03d}")
        check_answers(cars)
    cars.indexes.catch_up()
    check_answers(cars)


def test_terms_whose_postings_share_are_spread_and_gathered(cars: Cars) -> None:
    for name, value in (("tags", "t1"), ("all", "t2")):
        for fan in (2, 1):
            cars.indexes.salt(name, value, fan)
            cars.put_many(document(n, fan) for n in range(0, 60, 7))
            check_answers(cars)
            assert list(cars.check()) == []


def test_what_was_found_stays_as_it_was_while_its_document_changes(cars: Cars) -> None:
    wanted = cars.indexes.wanted("tags", [Values(("t1",))])
    found = cars.indexes.candidates("tags", wanted)
    before = found.values("words")
    cars.put_many({**document(n), "words": ["new", "newer"]} for n in range(60))
    assert cars.indexes.candidates("tags", wanted).values("words") != before
    assert found.values("words") == before


def test_a_long_list_costs_what_it_is_long(store: Store) -> None:
    indexes = [GlobalIndex("tags"), GlobalIndex("tags", include="all", name="all")]
    cars = store.create_collection("cars", SCHEMA, partitions=1, indexes=indexes)
    cars.put({"id": "1", "tags": [f"value{n}" for n in range(3000)], "price": 1})
    cars.indexes.catch_up()
    for index in cars.indexes._live.values():
        # Postings that each carried the list would have 100 MB.
        assert sum(each.bytes_used() for each in index.files.partitions) < 3_000_000
    found = cars.search(filter={"tags": {"gte": "value"}}, facets=["tags"], index="tags")
    assert (found.total, len(found.facets["tags"])) == (1, 10)
    assert list(store.check()) == []


def test_a_file_of_the_first_form_is_taken_up(open_store: Callable[[], Store]) -> None:
    def forms(cars: Cars) -> set[bytes | None]:
        return {
            partition._environment.get("meta", b"form")
            for partition in cars.indexes._live["tags"].files.partitions
        }

    cars = open_store().create_collection("cars", SCHEMA, indexes=INDEXES[:1])
    cars.put_many(map(document, range(60)))
    cars.indexes.catch_up()
    assert forms(cars) == {b"\x02"}
    for partition in cars.indexes._live["tags"].files.partitions:
        environment = partition._environment
        put = partial(
            lambda meta, to: to.put(b"form", b"\x01", db=meta), environment.tables["meta"]
        )
        environment.write(put)
    cars = open_store().collection("cars")
    (stats,) = cars.indexes.stats()
    assert (stats["state"], stats["error"]) == ("ready", None)
    assert forms(cars) == {b"\x02"}
    assert list(cars.check()) == []


TERM = st.binary(min_size=1, max_size=400)


@given(st.lists(TERM, unique=True, max_size=5), st.none() | st.lists(st.integers(0, 9), min_size=1))
def test_terms_and_what_is_shared_are_read_back(terms: list[bytes], shared: Any) -> None:
    rest = None if shared is None else b"," + repr(shared).encode() + b"]"
    rows = {term: packed(term, b"k", 1, 2, 3, b"[7]", several=True, shared=rest) for term in terms}
    stored = packed_terms(rows)
    assert list(terms_in(stored)) == terms
    assert shared_in(stored) == (rest or b"" if terms else b"")
    expected = [7] if shared is None else [7, shared]
    assert payloads(list(rows.values())) == [expected] * len(terms)
    for term, row in rows.items():
        assert unpacked(term, b"k", row) == (term, b"k", True, False, 1, 2, 3, expected)
        other = renamed(row, b"another")
        assert isinstance(other, Sharing) == (shared is not None)
        assert unpacked(b"another", b"k", other).payload == expected
