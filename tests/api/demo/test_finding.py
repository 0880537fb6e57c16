"""Pages of the site that are further than the API's window, and searches that take too long."""

from pathlib import Path

import pytest

from api.demo.asked import PAGE_HITS, WINDOW_MAX, Asked
from api.demo.finding import find
from docstore import DeadlineExceeded, Store

MANY = WINDOW_MAX + 3 * PAGE_HITS + 5


def test_every_page_by_relevance_is_reached_once(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        cars = store.create_collection("cars", partitions=3)
        cars.put_many({"id": f"c{number:05}", "title": "ford"} for number in range(MANY))
        keys: list[str] = []
        asked: Asked | None = Asked.read([("q", "ford"), ("page", str(WINDOW_MAX // PAGE_HITS))])
        while asked is not None:
            found = find(cars, asked, {}, 60)
            keys += [hit.key for hit in found.result.hits]
            asked = found.following
        first = (WINDOW_MAX // PAGE_HITS - 1) * PAGE_HITS
        whole = cars.search("ford", operator="and", limit=MANY)
        assert keys == [hit.key for hit in whole.hits][first:]
        assert len(set(keys)) == MANY - first
        with pytest.raises(DeadlineExceeded):
            find(cars, Asked.read([("q", "ford")]), {}, 0)


def test_sorted_pages_go_on_after_the_window_by_what_they_ended_with() -> None:
    by_price = Asked.read([("q", "ford"), ("sort", "price"), ("page", "99999")])
    assert by_price.offset < WINDOW_MAX
    assert Asked.read([("q", "ford"), ("page", "1000")]).page == 1000
