"""How listings, numbers and times are worded on the pages; pure."""

import datetime
from collections.abc import Mapping
from typing import Any

from api.demo.listings import BODIES, COLORS
from api.text import counted, key_text, size_text
from docstore.types import Key

_SIGNS = {"GBP": "£", "EUR": "€", "AUD": "A$", "CAD": "C$"}


_DONE = {
    "added": "Your listing is up.",
    "saved": "Your changes are saved.",
    "deleted": "The listing is gone.",
}

DETAILS: Mapping[str, str] = {
    "year": "Year",
    "mileage": "Mileage",
    "fuel": "Fuel",
    "transmission": "Transmission",
    "body": "Body",
    "color": "Colour",
    "condition": "Condition",
    "engine_liters": "Engine",
    "certified": "Certified",
}


def made_anew(progress: Mapping[str, Any]) -> str:
    """How far another index is that is made to take an index's place."""
    held = counted(progress["documents"], "document")
    if progress["state"] == "comparing":
        return f"Being made anew beside it: {held}, compared now."
    left = counted(progress["filling"], "shard")
    return f"Being made anew beside it: {held}, {left} to read."


def price(listing: Mapping[str, Any]) -> str:
    """`$9,500`, or what to do instead when there is none."""
    amount = listing.get("price")
    if not isinstance(amount, int | float) or amount <= 0:
        return "Ask for the price"
    return f"{_SIGNS.get(str(listing.get('currency')), '$')}{amount:,.0f}"


def mileage(listing: Mapping[str, Any]) -> str:
    """`68,000 miles`, or nothing."""
    distance = listing.get("mileage")
    if not isinstance(distance, int | float):
        return ""
    unit = "km" if listing.get("mileage_unit") == "km" else "miles"
    return f"{distance:,.0f} {unit}"


def facts(listing: Mapping[str, Any]) -> list[str]:
    """The line under a listing's title."""
    every = (
        mileage(listing),
        label(listing.get("fuel")),
        label(listing.get("transmission")),
    )
    return [each for each in every if each]


def place(listing: Mapping[str, Any]) -> str:
    """Where the car is."""
    parts = (listing.get(name) for name in ("city", "state", "country"))
    return ", ".join(str(part) for part in parts if part)


def details(listing: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The table of a listing's page: only what is known."""
    found = []
    for name, title in DETAILS.items():
        value = listing.get(name)
        if value is None or value == "" or value is False:
            continue
        if name == "mileage":
            text = mileage(listing)
        elif name == "engine_liters":
            text = f"{value:g} litres"
        elif isinstance(value, bool):
            text = "Yes"
        else:
            text = str(value) if name == "year" else label(value)
        found.append((title, text))
    return found


def label(value: Any) -> str:
    """A value of a facet as people read it: `like new` is `Like new`, `suv` is `SUV`."""
    text = "" if value is None else str(value)
    if text in ("suv", "cvt"):
        return text.upper()
    return text[:1].upper() + text[1:] if text.islower() else text


def paint(listing: Mapping[str, Any]) -> str:
    """The colour that a listing's picture has."""
    color = str(listing.get("color", ""))
    return color if color in COLORS else "unknown"


def shape(listing: Mapping[str, Any]) -> str:
    """The outline that a listing's picture has."""
    body = str(listing.get("body", ""))
    return body if body in BODIES else "sedan"


def posted(listing: Mapping[str, Any]) -> str:
    """When a listing was posted: `24 Jun 2025`, or nothing."""
    try:
        moment = datetime.datetime.fromisoformat(str(listing.get("posted", "")))
    except ValueError:
        return ""
    return f"{moment.day} {moment:%b %Y}"


def milliseconds(value: float) -> str:
    """A time with as many digits as tell something."""
    return f"{value:.2f} ms" if value < 10 else f"{value:,.0f} ms"


def bounds(name: str, low: int | None, high: int | None) -> str:
    """A range in words: `$5,000 to $9,000`, `from 2015`."""

    def one(value: int) -> str:
        return f"${value:,}" if name == "price" else str(value)

    if low is None or high is None:
        return f"up to {one(high)}" if high is not None else f"from {one(low or 0)}"
    return f"{one(low)} to {one(high)}"


def size(value: float) -> str:
    """Bytes in the largest unit that fits."""
    return size_text(int(value))


def key(value: Key) -> str:
    """A key on one line."""
    return key_text(value)


def done(code: str | None) -> str:
    """What was just done, when an address says that something was."""
    return _DONE.get(code or "", "")
