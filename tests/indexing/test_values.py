"""Dates and addresses as numbers: exact, and in the order of what they stand for."""

import datetime
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexing.values import address_of, address_order, microseconds_of

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
zones = st.timezones() | st.integers(-1439, 1439).map(
    lambda minutes: datetime.timezone(datetime.timedelta(minutes=minutes))
)
moments = st.datetimes(timezones=zones | st.just(datetime.UTC))
addresses = st.ip_addresses()


@given(moments)
def test_a_moment_keeps_its_microsecond_in_any_zone(moment: datetime.datetime) -> None:
    microseconds = microseconds_of(moment.isoformat())
    assert microseconds == (moment - EPOCH) // datetime.timedelta(microseconds=1)


@given(st.datetimes())
def test_a_moment_without_a_zone_is_in_utc(moment: datetime.datetime) -> None:
    assert microseconds_of(moment.isoformat()) == microseconds_of(f"{moment.isoformat()}Z")
    assert microseconds_of(moment.date().isoformat()) <= microseconds_of(moment.isoformat())


@pytest.mark.parametrize(
    ("text", "microseconds"),
    [("1970-01-01", 0), ("1969-12-31T23:59:59.999999Z", -1), ("1970-01-01T01:00:00+01:00", 0)],
)
def test_known_moments(text: str, microseconds: int) -> None:
    assert microseconds_of(text) == microseconds


@pytest.mark.parametrize("text", ["", "soon", "0000-01-01", "2024-02-30", "10000-01-01", "5"])
def test_what_is_no_moment_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        microseconds_of(text)


@given(addresses, addresses)
def test_the_order_of_addresses_is_that_of_their_numbers(
    one: ipaddress.IPv4Address | ipaddress.IPv6Address,
    other: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    first, second = address_order(str(one)), address_order(str(other))
    assert len(first) == 32
    assert (first < second) == (int(address_of(str(one))) < int(address_of(str(other))))
    assert (first == second) == (address_of(str(one)) == address_of(str(other)))


def test_an_ipv4_address_equals_its_mapped_form() -> None:
    assert address_of("1.2.3.4") == address_of("::ffff:1.2.3.4")


def test_the_zone_of_a_link_local_address_is_dropped() -> None:
    assert address_of("fe80::1%eth0") == address_of("fe80::1")
    assert str(address_of("fe80::1%eth0")) == "fe80::1"


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.256", "10.0.0.0/8", "host", "::1::"])
def test_what_is_no_address_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        address_of(text)
