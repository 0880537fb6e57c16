"""What a listing is: its schema, and how any car that a file holds becomes one.

Pure. Only a title and an id are sure to be there: files come from many sources, so everything that
shows a listing copes with what it lacks.
"""

import datetime
import re
from collections.abc import Mapping
from typing import Any

import orjson

from api.lines import Line
from docstore import GlobalIndex

COLLECTION = "cars"
_CARRIED = ("make", "model", "color", "body", "fuel", "state", "price", "year", "mileage", "posted")
INDEXES = tuple(
    GlobalIndex(field, include=[each for each in _CARRIED if each != field])
    for field in ("color", "make")
)
"""What the site's colour and make filters ask; they carry all that it filters and sorts by."""
BODIES = (
    "sedan",
    "suv",
    "pickup",
    "hatchback",
    "coupe",
    "minivan",
    "wagon",
    "convertible",
    "van",
)
COLORS = (
    "white",
    "black",
    "gray",
    "silver",
    "blue",
    "red",
    "green",
    "beige",
    "brown",
    "orange",
    "gold",
    "yellow",
    "purple",
)
FUELS = ("gas", "diesel", "hybrid", "plug-in hybrid", "electric")
TRANSMISSIONS = ("automatic", "manual", "cvt", "dual-clutch")
CONDITIONS = ("like new", "excellent", "good", "fair", "salvage")

SCHEMA: dict[str, Any] = {
    "fields": {
        "id": {"type": "keyword", "required": True},
        "make": "keyword",
        "model": "string",
        "year": "int",
        "price": "int",
        "currency": "keyword",
        "mileage": "int",
        "mileage_unit": "keyword",
        "color": "keyword",
        "fuel": "keyword",
        "transmission": "keyword",
        "body": "keyword",
        "condition": "keyword",
        "city": "string",
        "state": "keyword",
        "country": "keyword",
        "posted": "datetime",
        "seller": {
            "type": "object",
            "fields": {"id": "keyword", "name": "string", "kind": "keyword"},
        },
        "features": {"type": "keyword", "list": True},
        "engine_liters": "float",
        "certified": "bool",
        "title": {"type": "text", "required": True},
        "description": {"type": "text", "analyzer": "english"},
    },
    "dynamic": "ignore",
}
"""Other fields are kept and shown, not searched."""

_LOWER_CASE = ("color", "fuel", "body", "condition", "transmission")
_SAME: Mapping[str, Mapping[str, str]] = {
    "color": {"grey": "gray"},
    "fuel": {"petrol": "gas", "gasoline": "gas"},
    "body": {"mini-van": "minivan", "suv, crossover": "suv", "truck": "pickup"},
}
"""Two words for one thing would be two values of a facet."""
_AMERICAN_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_SHORT_NAME = 3


def listing_of(car: Mapping[str, Any]) -> dict[str, Any]:
    """A car of any source as a listing: names as people write them, dates as ISO 8601."""
    listing = {name: value for name, value in car.items() if value is not None}
    for name in _LOWER_CASE:
        if isinstance(value := listing.get(name), str):
            lower = value.strip().lower()
            listing[name] = _SAME.get(name, {}).get(lower, lower)
    # A model alone in lower case may be right (i3); a make never is.
    if isinstance(make := listing.get("make"), str) and make.islower():
        listing["make"] = proper(make)
        if isinstance(model := listing.get("model"), str):
            listing["model"] = proper(model)
    if isinstance(posted := listing.get("posted"), str):
        listing["posted"] = _iso(posted)
    if not listing.get("title"):
        parts = (listing.get(name) for name in ("year", "make", "model"))
        listing["title"] = " ".join(str(part) for part in parts if part) or "A car"
    return listing


def tidied(line: Line) -> Line:
    """A line of a file as the listing it holds; one that holds none stays as it is."""
    try:
        car = orjson.loads(line.data)
    except orjson.JSONDecodeError:
        return line
    return line._replace(data=orjson.dumps(listing_of(car))) if isinstance(car, dict) else line


def proper(name: str) -> str:
    """A name in lower case with its capitals: `bmw` is an abbreviation, `ford` is not."""
    return " ".join(
        word.upper() if len(word) <= _SHORT_NAME or any(map(str.isdigit, word)) else word.title()
        for word in name.split()
    )


def _iso(posted: str) -> str:
    found = _AMERICAN_DATE.fullmatch(posted)
    if found is None:
        return posted
    month, day, year = map(int, found.groups())
    try:
        return datetime.date(year, month, day).isoformat() + "T00:00:00Z"
    except ValueError:
        return posted
