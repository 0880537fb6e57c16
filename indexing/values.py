"""The values of date and address fields as numbers: one reading for documents and for queries."""

import datetime
import ipaddress

from pydantic import TypeAdapter

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_MOMENT = TypeAdapter(datetime.datetime)


def microseconds_of(text: str) -> int:
    """Microseconds since 1970 UTC of an ISO 8601 date or date-time; no zone means UTC.

    Raises ValueError on anything else and on years outside 1 to 9999.
    """
    return _microseconds(datetime.datetime.fromisoformat(text))


def stored_microseconds(moment: str | float) -> int:
    """The same of what a document holds, where pydantic lets pass more than ISO 8601."""
    try:
        return microseconds_of(moment)  # type: ignore[arg-type]  # a number is a TypeError
    except (ValueError, TypeError):
        return _microseconds(_MOMENT.validate_python(moment))


def _microseconds(moment: datetime.datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.UTC)
    return (moment - _EPOCH) // _MICROSECOND


def address_of(text: str) -> ipaddress.IPv6Address:
    """An IPv4 or IPv6 address, the former mapped into the latter; raises ValueError.

    The zone of a link-local address (`%eth0`) means something on one machine only and is dropped.
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv4Address):
        return ipaddress.IPv6Address((0xFFFF << 32) | int(address))
    return ipaddress.IPv6Address(int(address))


def address_order(text: str) -> str:
    """32 hex digits that sort as the addresses do."""
    return f"{int(address_of(text)):032x}"
