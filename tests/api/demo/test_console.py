"""The console's figures: rates from counts that grow, and the slowest of the latest searches."""

from pathlib import Path

from starlette.testclient import TestClient

from api.demo import wording
from api.demo.console import Rates
from api.demo.site import routes
from api.http.app import create_app
from api.http.settings import Settings
from api.http.slow_searches import KEPT, SlowSearches
from docstore import Candidate, GlobalIndex, Plan, SearchResult, Store


def test_rates_are_what_happened_since_the_last_look() -> None:
    rates = Rates()
    assert rates.of({"a": 10}, 100.0) == {"a": None}
    assert rates.of({"a": 30, "b": 1}, 104.0) == {"a": 5.0, "b": None}
    assert rates.of({"a": 30, "b": 2}, 105.0) == {"a": 0.0, "b": 1.0}


def test_the_slowest_searches_come_first_and_only_the_latest_are_kept() -> None:
    slow = SlowSearches()
    plan = Plan(Candidate("scatter", (0,), 1.0, ""), (), "current", "q" * 1000, "_score")
    for number in range(KEPT + 10):
        slow.note("cars", SearchResult(0, [], plan, 1, float(KEPT + 10 - number)))
    assert slow.count == KEPT + 10
    slowest = slow.slowest(3)
    assert [ran.took_ms for ran in slowest] == [KEPT, KEPT - 1, KEPT - 2]
    assert len(slowest[0].query) < 1000


def test_an_index_that_is_made_anew_beside_itself_is_shown(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "data")
    price = GlobalIndex("price", partitions=4, by="range")
    cars = store.create_collection("cars", partitions=2, indexes=[price])
    cars.indexes.catch_up()
    cars.indexes._updater.stop()
    # All of it is in the partition of the last bounds, of which there were none without documents.
    cars.put_many({"id": str(number), "price": number} for number in range(4000))
    cars.indexes.catch_up()
    app = create_app(store, Settings(access_log=False), routes)
    with TestClient(app, "http://localhost") as site:
        assert "Being made anew" not in site.get("/console").text
        cars.indexes._updater.step(is_writing=False)
        assert "Being made anew beside it: 0 documents, 2 shards to read." in (
            site.get("/console").text
        )


def test_what_is_made_anew_is_worded_as_far_as_it_is() -> None:
    filling = {"state": "filling", "filling": 1, "documents": 12_000}
    assert wording.made_anew(filling).endswith("12,000 documents, 1 shard to read.")
    comparing = {"state": "comparing", "filling": 0, "documents": 1}
    assert wording.made_anew(comparing).endswith("1 document, compared now.")
