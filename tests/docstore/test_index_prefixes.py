"""`any` answers through the router are those of some prefix of every shard's log.

The indexes move only when the example says so. Forced, an index answers with exactly what it has
digested; chosen, each shard's hits are those of some moment of its own.
"""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from docstore import GlobalIndex, Store
from docstore.global_index.tails import read_tail

INDEXES = [
    GlobalIndex("color", include=["price"], partitions=2),
    GlobalIndex("note", include=["price"], partitions=3),
]
SCHEMA = {"fields": {"id": "keyword", "color": "keyword", "price": "int", "note": "text"}}
Documents = dict[str, dict[str, Any]]
BODY = st.fixed_dictionaries(
    {"price": st.integers(0, 9)},
    optional={
        "color": st.sampled_from(["red", "blue"]),
        "note": st.sampled_from(["old car", "new car", "new"]),
    },
)
STEP = (
    st.tuples(st.just("put"), st.integers(0, 6), BODY)
    | st.tuples(st.just("delete"), st.integers(0, 6), st.none())
    | st.tuples(st.just("digest"), st.integers(0, 1), st.integers(1, 3))
)
ASKED: list[tuple[str, dict[str, Any], Any]] = [
    ("color", {"filter": {"color": "red"}}, lambda held: held.get("color") == "red"),
    (
        "note",
        {"filter": {"note": {"match": "new car"}, "price": {"lt": 6}}},
        lambda held: set(held.get("note", "").split()) & {"new", "car"} and held["price"] < 6,
    ),
    (
        "note",
        {"query": {"match": {"note": {"query": "new car", "operator": "and"}}}, "sort": "price"},
        lambda held: held.get("note") == "new car",
    ),
]


def test_any_is_a_prefix_of_every_log(tmp_path_factory: Any) -> None:
    @settings(max_examples=60, deadline=None)
    @given(steps=st.lists(STEP, min_size=4, max_size=25))
    def run(steps: list[tuple[str, int, Any]]) -> None:
        with Store.open(tmp_path_factory.mktemp("prefixes")) as store:
            check(store, steps)

    run()


def check(store: Store, steps: list[tuple[str, int, Any]]) -> None:
    cars = store.create_collection("cars", SCHEMA, partitions=2, indexes=INDEXES)
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    history: list[list[Documents]] = [[{}], [{}]]
    live = cars.indexes._live
    for kind, number, given_ in steps:
        if kind == "digest":
            for index in live.values():
                shard = cars.partitions.shard(number)
                if index.digested[number] < shard.head:
                    tail = read_tail(shard, index.digested[number], given_)
                    assert tail is not None
                    index.take([tail])
        else:
            key = f"k{number}"
            document = {"id": key, **given_} if kind == "put" else None
            written = cars.put(document) if document is not None else cars.delete(key)
            if document is not None or written.deleted:
                states = history[written.position.partition]
                kept = {each: held for each, held in states[-1].items() if each != key}
                states.append(kept if document is None else {**kept, key: document})
        for name, asked, finds in ASKED:
            page: dict[str, Any] = {"select": ("price",), "limit": 50, "freshness": "any"}
            forced = cars.search(**asked, **page, index=name)
            shown = {each: history[each][seq] for each, seq in live[name].digested.items()}
            assert prices(forced) == found(shown[0] | shown[1], finds)
            chosen = prices(cars.search(**asked, **page))
            for own, states in enumerate(history):
                mine = {
                    key: price
                    for key, price in chosen.items()
                    if cars.partitions.number_of(key.encode()) == own
                }
                assert any(mine == found(state, finds) for state in states)
    for name, asked, finds in ASKED:
        now = cars.search(**asked, select=("price",), limit=50, index=name)
        assert prices(now) == found(history[0][-1] | history[1][-1], finds)


def prices(result: Any) -> dict[str, int]:
    """The price of every hit; its order is told by other tests."""
    assert result.total == len(result.hits)
    return {hit.key: hit.document["price"] for hit in result.hits}


def found(documents: Documents, finds: Any) -> dict[str, int]:
    """The prices of the documents that are asked for."""
    return {key: held["price"] for key, held in documents.items() if finds(held)}
