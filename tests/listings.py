"""The used-car listings of fixtures/cars.jsonl, made from nothing but a seed.

Invariants: the same count and seed give the same bytes on every Python and platform, so only
`random.Random.random` is drawn from (the one method whose sequence is promised) and floats are
only added, multiplied and divided; the first n listings do not depend on how many follow; a
description says nothing that the listing's own fields deny. Absent on purpose: real listings,
people and dealers; any likeness is chance. `python -m tests.listings` writes the fixture.
"""

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import Any, Generic, NamedTuple, TypeVar

from tests import listing_tables as tables

FIXTURE = Path(__file__).parent.parent / "fixtures" / "cars.jsonl"
COUNT = 3000
THIS_YEAR = 2025
CLASSIC_AGE = 33

T = TypeVar("T")

MISSING = {
    "mileage": 0.03,
    "color": 0.05,
    "transmission": 0.02,
    "body": 0.02,
    "condition": 0.08,
    "city": 0.02,
    "features": 0.06,
    "engine_liters": 0.05,
}
"""The share of listings whose seller left a field out."""

CONDITIONS = ("salvage", "fair", "good", "excellent", "like new")
CONDITION_WORTH = {"salvage": 0.4, "fair": 0.82, "good": 1.0, "excellent": 1.07, "like new": 1.12}
GEARS = {"A": "automatic", "M": "manual", "C": "cvt", "D": "dual-clutch"}
KEEPS_A_YEAR = dict.fromkeys(("Toyota", "Honda", "Porsche", "Lexus", "Jeep", "Subaru"), 0.9)
KEEPS_A_YEAR |= dict.fromkeys(("BMW", "Mercedes-Benz", "Audi", "Volvo", "Nissan", "Fiat"), 0.85)
IMPORTS = frozenset({"Citroën", "Škoda", "Renault", "SEAT"})


class Draw:
    """Seeded chance built on `Random.random` alone."""

    def __init__(self, seed: str) -> None:
        self.unit = Random(seed).random

    def chance(self, share: float) -> bool:
        return self.unit() < share

    def one(self, values: Sequence[T]) -> T:
        return values[int(self.unit() * len(values))]

    def around(self, middle: float, spread: float) -> float:
        """A bell of three uniform draws: always within `spread` of the middle."""
        return middle + spread * ((self.unit() + self.unit() + self.unit()) / 1.5 - 1)


class Weighted(Generic[T]):
    """Values that are drawn in proportion to whole-number weights."""

    def __init__(self, pairs: Sequence[tuple[T, int]]) -> None:
        self.values = [value for value, _ in pairs]
        self.bounds = list(accumulate(weight for _, weight in pairs))

    def draw(self, draw: Draw) -> T:
        return self.values[bisect_right(self.bounds, int(draw.unit() * self.bounds[-1]))]


class Fuel(NamedTuple):
    name: str
    since: int
    liters: float | None


class Model(NamedTuple):
    make: str
    name: str
    body: str
    price_new: int
    liters: tuple[float, ...]
    first: int
    last: int
    fuels: tuple[Fuel, ...]
    gears: str
    trims: tuple[str, ...]


class Feature(NamedTuple):
    name: str
    first: int
    last: int
    share: float
    tag: str


class Sentence(NamedTuple):
    topic: str
    needs: frozenset[str]
    denies: frozenset[str]
    text: str


class Seller(NamedTuple):
    id: str
    name: str
    kind: str
    city: str
    state: str
    contact: tuple[str, str]


@dataclass(frozen=True)
class Car:
    model: Model
    year: int
    trim: str
    fuel: str
    gears: str | None
    liters: float | None
    miles: int
    condition: str
    color: str

    @property
    def age(self) -> int:
        return THIS_YEAR - self.year

    @property
    def classic(self) -> bool:
        return self.age >= CLASSIC_AGE


def _rows(table: str, columns: int) -> Iterator[list[str]]:
    return (line.split("|", columns - 1) for line in table.strip().splitlines())


def _years(text: str) -> tuple[int, int]:
    first, last = text.split("-")
    return int(first), int(last)


def _weighted(text: str) -> Weighted[str]:
    pairs = (pair.split(":") for pair in text.split())
    return Weighted([(value, int(weight)) for value, weight in pairs])


def _fuel(text: str) -> Fuel:
    name, since, liters = [*text.split(":"), "", ""][:3]
    return Fuel(name.replace("_", " "), int(since or 0), float(liters) if liters else None)


def _models() -> Weighted[Model]:
    pairs = []
    for row in _rows(tables.MODELS, 10):
        make, name, body, price, liters, weight, years, fuels, gears, trims = row
        model = Model(
            make,
            name,
            body,
            int(price) * 1000,
            tuple(map(float, liters.split())),
            *_years(years),
            tuple(map(_fuel, fuels.split())),
            gears,
            tuple(trims.split(",")),
        )
        pairs.append((model, int(weight)))
    return Weighted(pairs)


def _features() -> list[Feature]:
    return [
        Feature(name, *_years(years), int(percent) / 100, tag)
        for name, years, percent, tag in _rows(tables.FEATURES, 4)
    ]


def _sentences() -> list[Sentence]:
    sentences = []
    topic, needs, denies = "", frozenset[str](), frozenset[str]()
    for line in tables.SENTENCES.strip().splitlines():
        if line.startswith(" "):
            sentences.append(Sentence(topic, needs, denies, line.strip()))
        else:
            topic, _, rest = line.partition(":")
            tags = [tag.strip() for tag in rest.split(",") if tag.strip()]
            needs = frozenset(tag for tag in tags if not tag.startswith("!"))
            denies = frozenset(tag[1:] for tag in tags if tag.startswith("!"))
    return sentences


def _sellers(draw: Draw) -> tuple[Weighted[Seller], Weighted[Seller]]:
    """Dealers, a few of them very busy, and people, most of whom sell one car in their life."""
    places = [tuple(place.split(",")) for place in re.findall(r"\S[^,]*,[A-Z]{2}", tables.PLACES)]
    firsts, lasts = tables.FIRST_NAMES.split(), tables.LAST_NAMES.split()
    names = tables.DEALER_NAMES.strip().splitlines()
    dealers, people = [], []
    for number in range(1, 121):
        city, state = draw.one(places)
        first, last, other = draw.one(firsts), draw.one(lasts), draw.one(lasts)
        name = draw.one(names).format(first=first, last=last, other=other, city=city)
        seller = Seller(f"dealer-{number:03d}", name, "dealer", city, state, (first, last))
        dealers.append((seller, 2000 // (number + 4)))
    for number in range(1, 2501):
        city, state = places[int(draw.unit() * draw.unit() * len(places))]
        contact = (draw.one(firsts), draw.one(lasts))
        name = " ".join(contact)
        people.append((Seller(f"person-{number:04d}", name, "private", city, state, contact), 1))
    return Weighted(dealers), Weighted(people)


def _gears(draw: Draw, model: Model, fuel: str, year: int) -> str | None:
    if fuel == "electric":
        return None
    if "hybrid" in fuel:
        return "cvt" if model.make in ("Toyota", "Honda", "Lexus", "Ford") else "automatic"
    gears = GEARS[draw.one(model.gears)]
    dying_out = gears == "manual" and year > 2014 and len(set(model.gears)) > 1
    family = model.body in ("sedan", "suv")
    return "automatic" if dying_out and family and draw.chance(0.7) else gears


def _condition(draw: Draw, age: int, miles: int) -> str:
    if draw.chance(0.02):
        return "salvage"
    worn = (1.5 if age >= CLASSIC_AGE else age / 9) + miles / 90_000
    return CONDITIONS[min(4, max(1, round(draw.around(3.85 - 0.62 * worn, 1.5))))]


def _car(draw: Draw, model: Model) -> Car:
    span = min(model.last, THIS_YEAR) - model.first + 1
    share = draw.unit()
    year = model.last - int(span * share * (0.35 + 0.65 * share))
    offer = draw.one([fuel for fuel in model.fuels if year >= fuel.since])
    fuel = offer.name
    age = THIS_YEAR - year
    yearly = max(1500.0, draw.around(11_500 if fuel != "diesel" else 15_000, 9_000))
    miles = int(min(age + draw.unit(), 22.0) * yearly * (0.4 if age >= CLASSIC_AGE else 1.0)) + 12
    loud = model.body in ("coupe", "convertible")
    return Car(
        model=model,
        year=year,
        trim=draw.one(model.trims),
        fuel=fuel,
        gears=_gears(draw, model, fuel, year),
        liters=offer.liters or (draw.one(model.liters) if model.liters else None),
        miles=miles if draw.chance(0.7) else round(miles, -2 if miles < 50_000 else -3) or miles,
        condition=_condition(draw, age, miles),
        color=(LOUD_WHEEL if loud else COLOR_WHEEL).draw(draw),
    )


def _worth(draw: Draw, car: Car) -> float:
    """Dollars: what is left of the price when new after years, miles, wear and luck."""
    keeps = KEEPS_A_YEAR.get(car.model.make, 0.875) - (0.05 if car.fuel == "electric" else 0)
    left = 0.9 if car.age else 1.0
    for year in range(car.age):
        left *= keeps if year < 12 else 0.95
    if car.classic:
        left = draw.around(0.9, 0.4)
    usual = 11_500 * min(car.age + 0.5, 20)
    wear = min(1.25, max(0.65, 1 + (usual - car.miles) / 260_000))
    upgrade = 1 + 0.07 * car.model.trims.index(car.trim)
    luck = draw.around(1.0, 0.22)
    worth = car.model.price_new * left * wear * upgrade * luck * CONDITION_WORTH[car.condition]
    return max(600.0, worth)


def _price(draw: Draw, worth: float, kind: str) -> int:
    """Dealers end in 995 and the like, people in round hundreds."""
    if kind == "dealer":
        return int(worth / 1000) * 1000 + draw.one((995, 995, 990, 495, 900, 950))
    step = draw.one((50, 100, 100, 500)) if worth < 20_000 else draw.one((100, 500, 500, 1000))
    return max(step, int(worth / step) * step)


def _tags(car: Car, seller: Seller, *, certified: bool) -> set[str]:
    statements = {
        "electric": car.fuel == "electric",
        "hybrid": "hybrid" in car.fuel,
        "diesel": car.fuel == "diesel",
        "classic": car.classic,
        "import": car.model.make in IMPORTS,
        "low": car.miles < 35_000,
        "high": car.miles > 120_000,
        "new": car.age <= 2,
        "old": car.age >= 12,
        "certified": certified,
        "snow": seller.state in tables.SNOW.split(),
        "sun": seller.state in tables.SUN.split(),
    }
    told = {tag for tag, holds in statements.items() if holds}
    return told | {car.model.body, car.condition, seller.kind, car.gears or "gearless"}


def _equipment(draw: Draw, year: int, tags: set[str]) -> list[str]:
    names = [
        each.name
        for each in FEATURE_LIST
        if each.first <= year <= each.last
        and (not each.tag or each.tag in tags)
        and draw.chance(each.share)
    ]
    while len(names) > 5:
        del names[int(draw.unit() * len(names))]
    return names


def _description(draw: Draw, words: dict[str, str], tags: set[str]) -> str:
    """Two or three sentences of different topics, those that fit this car alone preferred."""
    fitting: dict[str, list[str]] = {}
    for each in SENTENCE_LIST:
        if each.needs <= tags and not each.denies & tags:
            fitting.setdefault(each.topic, []).extend([each.text] * (1 + 2 * len(each.needs)))
    topics = list(fitting)
    for _ in range(len(topics) - (2 if draw.chance(0.45) else 3)):
        del topics[int(draw.unit() * len(topics))]
    return " ".join(_spoken(draw, draw.one(fitting[topic]), words) for topic in topics)


def _spoken(draw: Draw, text: str, words: dict[str, str]) -> str:
    chosen = re.sub(r"\[([^]]*)\]", lambda choice: draw.one(choice[1].split("/")), text)
    sentence = chosen.format_map(words)
    return sentence[0].upper() + sentence[1:]


def _title(draw: Draw, car: Car, features: list[str]) -> str:
    title = f"{car.year} {car.model.make} {car.model.name} {car.trim}"
    if car.liters is not None and draw.chance(0.25):
        title += f" {car.liters}L"
    if features and draw.chance(0.25):
        return f"{title} with {draw.one(features)}"
    return f"{title}, low miles" if car.miles < 35_000 and draw.chance(0.3) else title


def _words(draw: Draw, car: Car, seller: Seller, features: list[str]) -> dict[str, str]:
    offset = int(draw.unit() * max(1, len(features)))
    around = features[offset:] + features[:offset] + ["", ""]
    return {
        "make": car.model.make,
        "model": car.model.name,
        "trim": car.trim,
        "year": str(car.year),
        "body": car.model.body if car.model.body != "suv" else "SUV",
        "color": car.color,
        "fuel": car.fuel,
        "engine": str(car.liters),
        "condition": car.condition,
        "miles": f"{car.miles:,}",
        "feature": around[0],
        "second": around[1],
        "seller": seller.name,
        "city": seller.city,
        "first": seller.contact[0],
        "last": seller.contact[1],
    }


def _listing(draw: Draw, number: int, model: Model, seller: Seller) -> dict[str, Any]:
    car = _car(draw, model)
    sound = car.condition not in ("salvage", "fair")
    young = car.age <= 6 and car.miles < 80_000
    certified = seller.kind == "dealer" and sound and young and draw.chance(0.45)
    tags = _tags(car, seller, certified=certified)
    features = _equipment(draw, car.year, tags)
    tags |= {*features, *("feature", "two")[: len(features)]}
    posted = datetime(THIS_YEAR, 1, 1, tzinfo=UTC) + timedelta(minutes=int(draw.unit() * 525_600))
    listing = {
        "id": f"car-{number:06d}",
        "make": model.make,
        "model": model.name,
        "year": car.year,
        "price": _price(draw, _worth(draw, car), seller.kind),
        "mileage": car.miles,
        "color": car.color,
        "fuel": car.fuel,
        "transmission": car.gears,
        "body": model.body,
        "condition": car.condition,
        "city": seller.city,
        "state": seller.state,
        "posted": posted.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seller": {"id": seller.id, "name": seller.name, "kind": seller.kind},
        "features": features,
        "engine_liters": car.liters,
        "certified": certified,
        "title": _title(draw, car, features),
        "description": _description(draw, _words(draw, car, seller, features), tags),
    }
    left_out = {name for name, share in MISSING.items() if draw.chance(share)}
    return {k: v for k, v in listing.items() if v is not None and k not in left_out}


COLOR_WHEEL, LOUD_WHEEL = _weighted(tables.COLORS), _weighted(tables.LOUD_COLORS)
MODEL_WHEEL, FEATURE_LIST, SENTENCE_LIST = _models(), _features(), _sentences()


def generate(count: int, seed: int = 2026) -> Iterator[dict[str, Any]]:
    """The first `count` listings of a seed, as JSON-ready documents in a fixed field order."""
    dealers, people = _sellers(Draw(f"sellers {seed}"))
    draw = Draw(f"listings {seed}")
    for number in range(1, count + 1):
        seller = (dealers if draw.chance(0.6) else people).draw(draw)
        yield _listing(draw, number, MODEL_WHEEL.draw(draw), seller)


def lines(count: int, seed: int = 2026) -> Iterator[bytes]:
    """The listings as lines of JSONL, UTF-8."""
    for listing in generate(count, seed):
        text = json.dumps(listing, ensure_ascii=False, separators=(",", ":"))
        yield text.encode() + b"\n"


if __name__ == "__main__":
    FIXTURE.write_bytes(b"".join(lines(COUNT)))
