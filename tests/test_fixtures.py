"""The fixtures are what their generator makes, and look like a used-car market.

Distributions are checked for shape, not for figures: what the example app and the tests lean on.
"""

import json
import re
from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from indexing.models import validator_of
from indexing.schema import Schema
from tests import listings

FIXTURES = Path(__file__).parent.parent / "fixtures"


@pytest.fixture(scope="module")
def cars() -> list[dict[str, Any]]:
    lines = (FIXTURES / "cars.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_regenerating_gives_the_same_bytes() -> None:
    made = b"".join(listings.lines(listings.COUNT))
    assert made == (FIXTURES / "cars.jsonl").read_bytes(), "run python -m tests.listings"


def test_the_first_listings_do_not_depend_on_how_many_follow() -> None:
    assert list(listings.generate(20)) == list(listings.generate(60))[:20]


def test_another_seed_gives_other_listings() -> None:
    assert list(listings.generate(5)) != list(listings.generate(5, seed=7))


def test_fixtures_hold_only_data() -> None:
    assert {path.name for path in FIXTURES.iterdir()} == {"cars.jsonl", "schema.json"}


def test_every_listing_fits_the_schema(cars: list[dict[str, Any]]) -> None:
    schema = Schema.from_json(json.loads((FIXTURES / "schema.json").read_text(encoding="utf-8")))
    validator = validator_of(schema)
    for car in cars:
        validator.validate_json(json.dumps(car), strict=True)
    assert set().union(*cars) == {name for name, _ in schema.fields}


def test_ids_count_up_from_one(cars: list[dict[str, Any]]) -> None:
    assert [car["id"] for car in cars] == [f"car-{n:06d}" for n in range(1, listings.COUNT + 1)]


def test_every_make_and_nearly_every_model_is_for_sale(cars: list[dict[str, Any]]) -> None:
    offered = {(model.make, model.name) for model in listings.MODEL_WHEEL.values}
    sold = {(car["make"], car["model"]) for car in cars}
    assert sold <= offered
    assert {make for make, _ in sold} == {make for make, _ in offered}
    assert len(sold) > 0.9 * len(offered)
    assert {("Ford", "F-150"), ("Citroën", "C3"), ("Škoda", "Octavia")} <= sold


def test_prices_fall_with_age_and_miles(cars: list[dict[str, Any]]) -> None:
    assert all(300 <= car["price"] <= 250_000 for car in cars)
    young = [car["price"] for car in cars if car["year"] >= 2023]
    old = [car["price"] for car in cars if 2000 <= car["year"] <= 2010]
    assert median(young) > 3 * median(old)
    same_age = [car for car in cars if car["year"] == 2018 and "mileage" in car]
    usual = median(car["mileage"] for car in same_age)
    fresh = [car["price"] for car in same_age if car["mileage"] < usual]
    worn = [car["price"] for car in same_age if car["mileage"] >= usual]
    assert median(fresh) > median(worn)


def test_electric_cars_have_neither_gears_nor_liters(cars: list[dict[str, Any]]) -> None:
    electric = [car for car in cars if car["fuel"] == "electric"]
    assert len(electric) > 100
    assert not any("transmission" in car or "engine_liters" in car for car in electric)
    assert not any("clutch" in car["description"] for car in electric)
    assert sum("engine_liters" in car for car in cars) > 0.85 * (len(cars) - len(electric))


def test_some_sellers_leave_fields_out(cars: list[dict[str, Any]]) -> None:
    for name, share in listings.MISSING.items():
        absent = sum(name not in car for car in cars if car["fuel"] != "electric")
        assert 0.3 * share < absent / len(cars) < 2 * share, name


def test_only_dealers_certify_and_only_sound_young_cars(cars: list[dict[str, Any]]) -> None:
    certified = [car for car in cars if car["certified"]]
    assert len(certified) > 100
    assert {car["seller"]["kind"] for car in certified} == {"dealer"}
    assert min(car["year"] for car in certified) >= listings.THIS_YEAR - 6
    assert not {car.get("condition") for car in certified} & {"salvage", "fair"}


def test_one_seller_is_one_name_and_a_few_dealers_are_busy(cars: list[dict[str, Any]]) -> None:
    names = {(car["seller"]["id"], car["seller"]["name"], car["seller"]["kind"]) for car in cars}
    sales = Counter(car["seller"]["id"] for car in cars)
    assert len(names) == len(sales)
    assert max(sales.values()) > 20 * median(sales.values())


def test_colors_and_features_are_unevenly_common(cars: list[dict[str, Any]]) -> None:
    colors = Counter(car["color"] for car in cars if "color" in car)
    assert colors.most_common(1)[0][0] == "white"
    assert colors["purple"] < 0.05 * colors["white"]
    lists = [car["features"] for car in cars if "features" in car]
    assert all(isinstance(each, list) and len(set(each)) == len(each) <= 5 for each in lists)
    assert {len(each) for each in lists} >= {0, 1, 2, 3}
    assert {name for each in lists for name in each} == {f.name for f in listings.FEATURE_LIST}


def test_descriptions_are_varied_finished_sentences(cars: list[dict[str, Any]]) -> None:
    texts = [car["description"] for car in cars]
    assert len(set(texts)) > 0.98 * len(texts)
    for text in texts:
        assert re.fullmatch(r"[\w\"].*[.\"]", text), text
        assert not re.search(r"[{}\[\]]|  | [,.;]|None", text), text
        assert 1 <= len(re.findall(r"\. (?=[\w\"])", text)) <= 3, text


def test_descriptions_agree_with_the_fields(cars: list[dict[str, Any]]) -> None:
    for car in cars:
        told = re.search(r"([\d,]+) miles", car["description"])
        if told and "mileage" in car:
            assert int(told[1].replace(",", "")) == car["mileage"]
        liters = re.search(r"([\d.]+)-liter", car["description"])
        if liters and "engine_liters" in car:
            assert float(liters[1]) == car["engine_liters"]
        assert ("Salvage title" not in car["description"]) or (
            car.get("condition", "salvage") == "salvage"
        )


def test_texts_hold_the_characters_that_break_naive_parsers(cars: list[dict[str, Any]]) -> None:
    everything = json.dumps(cars, ensure_ascii=False)
    for piece in ("'", '\\"', "F-150", "Mégane", "360°", "O'Connor", "Cañon City", "&", "R/T"):
        assert piece in everything
