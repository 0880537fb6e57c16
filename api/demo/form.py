"""The form of a listing: its fields, a listing as their texts, and texts as a listing; pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from api.demo.listings import BODIES, COLORS, CONDITIONS, FUELS, TRANSMISSIONS

_NUMBER_MAX = 2_000_000_000
_TEXT_MAX = 20_000
YES = "yes"


@dataclass(frozen=True, slots=True)
class Field:
    """One field as people fill it in. `hint` says what is expected where that is not plain."""

    name: str
    title: str
    kind: Literal["text", "number", "decimal", "choice", "long", "list", "yes"] = "text"
    is_required: bool = False
    choices: tuple[str, ...] = ()
    hint: str = ""


FIELDS = (
    Field("title", "Title", is_required=True, hint="What people see first"),
    Field("make", "Make", is_required=True),
    Field("model", "Model", is_required=True),
    Field("year", "Year", "number", is_required=True),
    Field("price", "Price in dollars", "number", is_required=True),
    Field("mileage", "Mileage", "number"),
    Field("body", "Body", "choice", choices=BODIES),
    Field("color", "Colour", "choice", choices=COLORS),
    Field("fuel", "Fuel", "choice", choices=FUELS),
    Field("transmission", "Transmission", "choice", choices=TRANSMISSIONS),
    Field("condition", "Condition", "choice", choices=CONDITIONS),
    Field("engine_liters", "Engine in litres", "decimal"),
    Field("city", "City"),
    Field("state", "State"),
    Field("features", "Features", "list", hint="With commas between them"),
    Field("certified", "Certified by the dealer", "yes"),
    Field("description", "Description", "long"),
)
_BY_NAME = {field.name: field for field in FIELDS}
_DECIMAL_MAX = 100.0


def texts_of(listing: Mapping[str, Any]) -> dict[str, str]:
    """A listing's values as the form shows them."""
    return {field.name: _text(field, listing.get(field.name)) for field in FIELDS}


def _text(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.kind == "list" and isinstance(value, list):
        return ", ".join(map(str, value))
    if field.kind == "yes":
        return YES if value is True else ""
    return f"{value:g}" if field.kind == "decimal" else str(value)


def filled(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The texts of a form that was sent, one for every field."""
    given = {name: text for name, text in pairs if name in _BY_NAME}
    # Browsers send line ends as CR LF, whatever was loaded.
    return {name: given.get(name, "").replace("\r\n", "\n").strip() for name in _BY_NAME}


def changes_of(texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields of a listing, None for what is empty, and what is wrong by field."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for field in FIELDS:
        text = texts.get(field.name, "")
        try:
            values[field.name] = _value(field, text)
        except ValueError as error:
            wrong[field.name] = str(error)
    return values, wrong


def _value(field: Field, text: str) -> Any:
    if field.kind == "yes":
        return text == YES
    if not text:
        if field.is_required:
            raise ValueError("Please fill this in.")
        return None
    if len(text) > _TEXT_MAX:
        raise ValueError(f"This is longer than {_TEXT_MAX:,} characters.")
    if field.kind == "list":
        return [each.strip() for each in text.split(",") if each.strip()]
    if field.kind == "number":
        digits = text.replace(",", "").replace("$", "").strip()
        if not (digits.isascii() and digits.isdecimal()) or int(digits[:12]) > _NUMBER_MAX:
            raise ValueError("This must be a whole number, like 9500.")
        return int(digits)
    if field.kind == "decimal":
        return _decimal(text)
    return text


def _decimal(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < _DECIMAL_MAX:
        raise ValueError("This must be a number, like 2.5.")
    return value
