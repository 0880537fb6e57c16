"""The console's figures: rates from counts that grow, and the slowest of the latest searches."""

from api.demo.console import Rates
from api.http.slow_searches import KEPT, SlowSearches
from docstore import Candidate, Plan, SearchResult


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
