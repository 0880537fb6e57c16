"""The values of date and address fields as numbers: one reading for documents and for queries."""

import datetime
import ipaddress

from pydantic import TypeAdapter

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_MICROSECOND = datetime.timedelta(microseconds=1)
_MOMENT = TypeAdapter(datetime.datetime)
_FIRST_MOMENT = (datetime.datetime.min.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND
_LAST_MOMENT = (datetime.datetime.max.replace(tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND


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


def text_of_microseconds(moment: int) -> str:
    """The ISO 8601 text of microseconds since 1970, in UTC; the calendar's ends for beyond."""
    return _moment_of(moment).isoformat().replace("+00:00", "Z")


def month_of(moment: int) -> int:
    """Months since the beginning of year 0 that have passed at so many microseconds since 1970."""
    date = _moment_of(moment)
    return date.year * 12 + date.month - 1


def microseconds_of_month(month: int) -> int:
    """When a month begins, given its number as `month_of` counts; within the calendar."""
    year, place = divmod(month, 12)
    if year < datetime.MINYEAR:
        return _FIRST_MOMENT
    if year > datetime.MAXYEAR:
        return _LAST_MOMENT + 1
    return (datetime.datetime(year, place + 1, 1, tzinfo=datetime.UTC) - _EPOCH) // _MICROSECOND


def _moment_of(moment: int) -> datetime.datetime:
    inside = min(max(moment, _FIRST_MOMENT), _LAST_MOMENT)
    return _EPOCH + datetime.timedelta(microseconds=inside)


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


def address_of_order(digits: str) -> str:
    """The address that 32 hex digits stand for, a mapped IPv4 address as itself."""
    address = ipaddress.IPv6Address(int(digits, 16))
    return str(address.ipv4_mapped or address)
