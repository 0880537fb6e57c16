"""The pages as the server makes them: what they hold, what they refuse, that they are safe."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.demo.conftest import CARS

ATTACK = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'&"
FORM = {"content-type": "application/x-www-form-urlencoded", "origin": "http://localhost"}
LISTING = {"title": "A", "make": "Kia", "model": "Rio", "year": "2010", "price": "4000"}


def keys_in(text: str) -> list[str]:
    return re.findall(r'<h3><a href="/listings/([^"]+)"', text)


def total_in(text: str) -> int:
    (found,) = re.findall(r'id="count"[^>]*>([\d,]+) car', text)
    return int(found.replace(",", ""))


def post(site: TestClient, path: str, data: dict[str, Any]) -> Any:
    return site.post(path, data=data, headers=FORM, follow_redirects=False)


PAGES = ["/", "/?q=ford", "/?q=nothing-like-it", "/listings/car-000001", "/edit/car-000001"]
PAGES += ["/new", "/delete/car-000001", "/console", "/listings/nowhere"]


@pytest.mark.parametrize("path", PAGES)
def test_no_page_needs_script_or_style_inside_it(site: TestClient, path: str) -> None:
    answer = site.get(path)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"\sstyle=|\son\w+=|<style|javascript:", answer.text)
    assert all("src=" in each for each in re.findall(r"<script[^>]*>", answer.text))
    # Nothing comes from elsewhere.
    assert not re.search(r'(?:src|href|action)="(?:https?:)?//', answer.text)
    for file in re.findall(r'"(/static/[^"]+)"', answer.text):
        assert site.get(file).status_code == 200


def test_the_mark_is_there_for_browsers_that_are_not_told(site: TestClient) -> None:
    answer = site.get("/favicon.ico")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert answer.content == site.get("/static/mark.svg").content


def test_filters_counts_and_totals_agree(site: TestClient) -> None:
    text = site.get("/").text
    assert total_in(text) == CARS
    counted = re.findall(r'name="make" value="([^"]+)".*?class="count">([\d,]+)', text, re.DOTALL)
    assert sum(int(documents) for _, documents in counted) == CARS
    for make, documents in counted[:4]:
        narrowed = site.get("/", params={"make": make})
        assert total_in(narrowed.text) == int(documents)
        # Its own filter hides none of the other makes.
        assert re.findall(r'name="make" value="([^"]+)"', narrowed.text) == [m for m, _ in counted]


def followed(site: TestClient, address: str) -> list[str]:
    """The listings of a page and of all that come after it."""
    seen: list[str] = []
    while address:
        text = site.get(address).text
        assert total_in(text) == CARS
        seen += keys_in(text)
        found = re.findall(r'rel="next" class="step" href="([^"]+)"', text)
        address = found[0].replace("&amp;", "&") if found else ""
    return seen


FAR = 10**16
LATE = "2100-01-01T00:00:00Z"
BEFORE_ALL = {"price": -1, "-price": FAR, "mileage": -1, "-posted": LATE, "-year": FAR, "": LATE}


@pytest.mark.parametrize("sort", BEFORE_ALL)
def test_paging_reaches_every_listing_once_in_one_order(site: TestClient, sort: str) -> None:
    numbered = followed(site, f"/?sort={sort}")
    assert len(numbered) == len(set(numbered)) == CARS
    # Beyond what numbers reach, a page begins after a value and a key: here from the first one on.
    assert followed(site, f"/?sort={sort}&after={BEFORE_ALL[sort]}&after_key=a") == numbered


def test_words_are_widened_until_something_matches(site: TestClient) -> None:
    whole, begun = site.get("/?q=toyota").text, site.get("/?q=toyo").text
    assert total_in(begun) == total_in(whole) > 0
    assert total_in(site.get("/?q=toyo&page=2").text) == total_in(whole)
    assert "<mark>Toyota</mark>" in whole
    some = site.get("/?q=toyota+zeppelin").text
    assert "No listing has all of these words" in some
    assert total_in(some) == total_in(whole)


def test_an_answer_tells_how_it_was_found(site: TestClient) -> None:
    text = site.get("/?q=ford").text
    assert "How was this answered?" in text
    assert len(re.findall(r"shard \d", text)) == 4
    for word in ("scatter", "point_read", "single_shard", "not possible", "stage-search", "µs"):
        assert word in text


def test_chosen_colours_and_makes_are_answered_from_a_global_index(site: TestClient) -> None:
    wait_for_indexes(site)
    for address, name in (("/?color=red&price_max=20000", "color"), ("/?make=Ford", "make")):
        text = site.get(address).text
        assert f"global index {name}" in text
        assert "Partitions asked" in text
        assert "global_covered" in text
        assert "scatter" in text  # the way not taken, with its price
        asked = re.search(r"color=red", address)
        filters = {"color": "red", "price": {"lte": 20000}} if asked else {"make": "Ford"}
        counted = site.post(
            "/v1/collections/cars/count", json={"filter": filters, "index": None}
        ).json()
        assert total_in(text) == counted["count"]
    assert "global index" not in site.get("/?color=red&q=ford").text


def wait_for_indexes(site: TestClient) -> None:
    """Ask until the indexes were filled and compared."""
    path = "/v1/collections/cars"
    while any(each["state"] != "ready" for each in site.get(f"{path}/indexes").json()["indexes"]):
        site.post(f"{path}/refresh")


def test_the_console_charts_the_lag_of_every_global_index(site: TestClient) -> None:
    wait_for_indexes(site)
    text = site.get("/console").text
    assert text.count("<polyline") == 2
    assert "The lag of the index color in the last 1 seconds, at most 0 entries" in text


def test_completions_are_values_of_listings(site: TestClient) -> None:
    assert site.get("/complete?q=toy").json()["completions"][0] == "Toyota"
    assert site.get("/complete?q=").json() == {"completions": []}
    narrowed = site.get("/complete?q=f&make=Toyota").json()["completions"]
    assert "Ford" not in narrowed


def test_script_in_a_listing_is_text_on_every_page(site: TestClient) -> None:
    sent = {**LISTING, "title": ATTACK, "description": ATTACK, "make": ATTACK, "city": ATTACK}
    made = post(site, "/new", {**sent, "features": ATTACK})
    assert made.status_code == 303
    address = made.headers["location"].partition("?")[0]
    key = address.rpartition("/")[2]
    for path in (address, f"/edit/{key}", f"/delete/{key}", "/?q=onerror", "/?sort=-posted"):
        text = site.get(path).text
        assert "&lt;img src=x onerror=" in re.sub("</?mark>", "", text), path
        assert "<img" not in text
        assert "<script>" not in text
    assert "<img" not in site.get("/", params={"q": ATTACK}).text


def test_a_listing_is_added_changed_and_taken_off(site: TestClient) -> None:
    made = post(site, "/new", {**LISTING, "seats": "5"})
    address = made.headers["location"].partition("?")[0]
    key = address.rpartition("/")[2]
    assert "$4,000" in site.get(address).text
    changed = {**LISTING, "price": "3900", "certified": "yes", "version": "1"}
    assert post(site, f"/edit/{key}", changed).status_code == 303
    stored = site.get(f"/v1/collections/cars/documents/{key}").json()
    assert (stored["price"], stored["certified"]) == (3900, True)
    assert post(site, f"/delete/{key}", {"version": "1"}).status_code == 409
    assert post(site, f"/delete/{key}", {"version": "2"}).status_code == 303
    assert site.get(address).status_code == 404
    assert post(site, f"/edit/{key}", {**changed, "version": "2"}).status_code == 409


def test_what_was_made_anew_meanwhile_is_a_conflict_too(site: TestClient) -> None:
    path = "/v1/collections/cars/documents/car-000003"
    listing = site.get(path).json()
    opened = site.get("/edit/car-000003").text
    (began,) = re.findall(r'name="version" value="(1-\d+)"', opened)
    site.delete(path)
    anew = site.put(path, json={**listing, "price": 777})
    assert anew.json()["version"] == 1
    assert post(site, "/delete/car-000003", {"version": began}).status_code == 409
    conflict = post(site, "/edit/car-000003", {**LISTING, "version": began})
    assert conflict.status_code == 409
    assert site.get(path).json()["price"] == 777
    (shown,) = re.findall(r'name="version" value="(1-\d+)"', conflict.text)
    assert post(site, "/edit/car-000003", {**LISTING, "version": shown}).status_code == 303
    assert site.get(path).json()["price"] == 4000


def test_fields_that_the_form_does_not_show_stay(site: TestClient) -> None:
    before = site.get("/v1/collections/cars/documents/car-000002").json()
    sent = {**LISTING, "version": "1"}
    assert post(site, "/edit/car-000002", sent).status_code == 303
    after = site.get("/v1/collections/cars/documents/car-000002").json()
    assert after["seller"] == before["seller"]
    assert after["posted"] == before["posted"]
    assert after["price"] == 4000


def test_a_form_that_is_wrong_keeps_what_was_typed(site: TestClient) -> None:
    answer = post(site, "/new", {**LISTING, "price": "a lot", "title": "My car"})
    assert answer.status_code == 422
    assert "whole number" in answer.text
    assert 'value="My car"' in answer.text
    assert 'value="a lot"' in answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**FORM, "origin": "http://evil.example"}, 403),
        ({**FORM, "origin": "null"}, 403),
        ({**FORM, "sec-fetch-site": "cross-site"}, 403),
        ({"content-type": FORM["content-type"], "sec-fetch-site": "same-site"}, 403),
        ({**FORM, "content-type": "text/plain"}, 415),
        ({**FORM, "host": "evil.example", "origin": "http://evil.example"}, 403),
    ],
)
def test_forms_of_other_sites_are_refused(
    site: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = site.post("/delete/car-000001", content="version=1", headers=headers)
    assert answer.status_code == status
    assert site.get("/listings/car-000001").status_code == 200


def test_a_refusal_says_from_where_it_came_and_not_that_a_key_was_wrong(site: TestClient) -> None:
    headers = {**FORM, "origin": "http://evil.example"}
    form = site.post("/delete/car-000001", content="version=1", headers=headers)
    assert "<h1>This came from another site</h1>" in form.text
    host = site.get("/", headers={"host": "evil.example"})
    assert "<h1>The server is not known by this name</h1>" in host.text


def test_a_script_that_is_no_browser_may_send_a_form(site: TestClient) -> None:
    headers = {"content-type": FORM["content-type"]}
    sent = site.post(
        "/delete/car-000001", content="version=1", headers=headers, follow_redirects=False
    )
    assert sent.status_code == 303
    assert site.get("/listings/car-000001").status_code == 404


def test_what_is_not_there_is_told_as_a_page(site: TestClient) -> None:
    for path in ("/listings/none", "/edit/none", "/delete/none", "/static/none", "/static/..%2fx"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "problem+json" in answer.headers["content-type"] or "<h1>" in answer.text
    assert site.put("/").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        *("/?q=%00", "/?q=%ff", "/?make=%00&model=%ff", "/?price_min=99999999999999999"),
        *("/?year_max=-5", "/?after=x&after_key=y", "/?after=99999999999999999&after_key=y"),
        *("/?after=2025-W01-1&after_key=y", "/?after=0001-01-01T00:00:00%2b14:00&after_key=y"),
        *("/?after=-5&after_key=%ff&sort=price", "/?page=999999999999", "/?q=" + "a%20" * 300),
        *("/?q=%22(*+%26%26+-:", "/?q=price:x..y", "/?q=id:*", "/?after_key=a&q=ford"),
        *("/complete?q=%00", "/complete?q=*", "/complete?q=" + "x" * 600, "/complete"),
        *("/listings/%00", "/listings/%ff", "/listings/", "/listings/a/b", "/edit/%ff"),
        *("/delete/" + "k" * 3000, "/static/%00"),
    ],
)
def test_no_address_is_a_mistake_of_the_server(site: TestClient, path: str) -> None:
    assert site.get(path).status_code in (200, 400, 404, 422)


def test_the_console_shows_every_partition_and_the_slowest_searches(site: TestClient) -> None:
    site.post("/v1/collections/cars/search", json={"q": "honda civic"})
    text = site.get("/console").text
    assert text.count('class="slice"') == 4
    assert "honda civic" in text
    assert "Hottest keys" in text
    heads = re.findall(r'<td class="num">([\d,]+)</td>\n<td class="num">([\d,]+)</td>', text)
    assert heads


def test_the_console_tells_how_partitions_change(site: TestClient) -> None:
    assert "a partition is split above 1,000,000 documents" in site.get("/console").text
    site.post("/v1/collections/cars/partitions/0/split", json={})
    site.put("/v1/collections/notes", json={"pre_split": ["m"], "auto_split": False})
    text = site.get("/console").text
    assert "split 0 into 4 and 5: " in text
    assert text.count('class="slice"') == 5
    assert "<code>m</code>" in text
    assert "only when somebody says so" in text
