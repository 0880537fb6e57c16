import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from docstore.keys import (
    KEY_BYTES_MAX,
    Key,
    KeySpec,
    decode,
    encode,
    from_key_text,
    key_text,
    new_key,
    partition_bytes,
    prefix_range,
    successor,
)
from indexing.errors import Corruption, InvalidDocument, InvalidSchema

PLAIN = KeySpec.of("id")
SINGLE = KeySpec.of(Key("id"))
PAIR = KeySpec.of(Key("seller", "id"))
TRIPLE = KeySpec.of(Key("seller", "listed_at", "id"))

# These bytes are on disk: a change here is a change of format and must not happen.
GOLDEN: list[tuple[Any, str]] = [
    (0, "108000000000000000"),
    (1, "108000000000000001"),
    (-1, "107fffffffffffffff"),
    (2**63 - 1, "10ffffffffffffffff"),
    (-(2**63), "100000000000000000"),
    (0.0, "118000000000000000"),
    (1.0, "11bff0000000000000"),
    (-1.0, "11400fffffffffffff"),
    (-2.5, "113ffbffffffffffff"),
    (5e-324, "118000000000000001"),
    (1.7976931348623157e308, "11ffefffffffffffff"),
    (datetime(1970, 1, 1, tzinfo=UTC), "188000000000000000"),
    (datetime(1969, 12, 31, 23, 59, 59, 999999, UTC), "187fffffffffffffff"),
    (datetime(2024, 2, 29, 12, 30, 15, 123456, UTC), "18800612846be08600"),
    (datetime.min.replace(tzinfo=UTC), "187f23400100d44000"),
    (datetime.max.replace(tzinfo=UTC), "188384440ccc735fff"),
    ("", "2000"),
    ("a", "206100"),
    ("a\x00b", "206100ff6200"),
    ("héllo", "2068c3a96c6c6f00"),
    ("🚗", "20f09f9a9700"),
    (b"", "2100"),
    (b"\x00", "2100ff00"),
    (b"\x00\xff", "2100ffff00"),
    (b"\xff\x01", "21ff0100"),
]

ints = st.integers(-(2**63), 2**63 - 1)
floats = st.floats(allow_nan=False, allow_infinity=False)
moments = st.datetimes(timezones=st.just(UTC))
# NUL, 0xff and neighbours often: where escaping could go wrong.
texts = st.one_of(
    st.text(st.sampled_from("\x00\x01aÿ\U0010ffff"), max_size=8),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
)
blobs = st.one_of(
    st.lists(st.sampled_from([0, 1, 0x21, 0xFE, 0xFF]), max_size=8).map(bytes),
    st.binary(max_size=30),
)
parts = st.one_of(ints, floats, moments, texts, blobs)
TYPE_ORDER: list[type] = [int, float, datetime, str, bytes]


def comparable(part: Any) -> tuple[int, Any]:
    value = part.encode() if isinstance(part, str) else part
    return TYPE_ORDER.index(type(part)), value


@pytest.mark.parametrize(("value", "encoded"), GOLDEN)
def test_typed_parts_are_written_as_they_always_were(value: Any, encoded: str) -> None:
    assert encode(SINGLE, value).hex() == encoded
    assert decode(SINGLE, bytes.fromhex(encoded)) == value
    assert type(decode(SINGLE, bytes.fromhex(encoded))) is type(value)


def test_a_compound_key_is_written_as_it_always_was() -> None:
    key = (42, datetime(2024, 2, 29, 12, 30, 15, 123456, UTC), "é")
    encoded = encode(TRIPLE, key)
    assert encoded.hex() == "10800000000000002a" + "18800612846be08600" + "20c3a900"
    assert decode(TRIPLE, encoded) == key
    assert partition_bytes(TRIPLE, encoded).hex() == "10800000000000002a"


def test_an_untyped_key_is_its_utf8_and_nothing_else() -> None:
    assert encode(PLAIN, "naïve\x00🚗") == "naïve\x00🚗".encode()
    assert decode(PLAIN, "naïve\x00🚗".encode()) == "naïve\x00🚗"
    assert partition_bytes(PLAIN, b"abc") == b"abc"


def test_a_key_of_exactly_the_limit_fits_and_one_byte_more_does_not() -> None:
    assert KEY_BYTES_MAX == 511
    assert encode(PLAIN, "é" * 255 + "x") == b"\xc3\xa9" * 255 + b"x"
    assert len(encode(SINGLE, "x" * 509)) == 511
    for spec, key in ((PLAIN, "é" * 256), (SINGLE, "x" * 510), (SINGLE, "\x00" * 255)):
        with pytest.raises(InvalidDocument) as caught:
            encode(spec, key)
        assert caught.value.data == {"bytes": 512, "bytes_max": 511}
        assert caught.value.hint


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        (PLAIN, ""),
        (PLAIN, "a\ud800"),
        (PLAIN, 7),
        (PLAIN, None),
        (PLAIN, b"a"),
        (PLAIN, ("a",)),
        (SINGLE, True),
        (SINGLE, None),
        (SINGLE, 2**63),
        (SINGLE, -(2**63) - 1),
        (SINGLE, "\udfff"),
        (SINGLE, {"a": 1}),
        (SINGLE, ()),
        (SINGLE, datetime.min.replace(tzinfo=timezone(timedelta(hours=1)))),
        (SINGLE, datetime.max.replace(tzinfo=timezone(timedelta(hours=-1)))),
        (PAIR, "a"),
        (PAIR, ("a", "b", "c")),
        (PAIR, ("a", ("b",))),
    ],
)
def test_a_key_that_does_not_fit_its_specification_is_refused_with_a_hint(
    spec: KeySpec, key: Any
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        encode(spec, key)
    assert caught.value.hint


def test_a_refused_part_is_named() -> None:
    with pytest.raises(InvalidDocument, match="'listed_at' is a bool") as caught:
        encode(TRIPLE, (1, False, "x"))
    assert caught.value.data["field"] == "listed_at"


def test_equal_moments_are_one_key() -> None:
    utc = encode(SINGLE, datetime(2024, 2, 29, tzinfo=UTC))
    assert encode(SINGLE, datetime(2024, 2, 29)) == utc
    assert encode(SINGLE, date(2024, 2, 29)) == utc
    east = timezone(timedelta(hours=2))
    assert encode(SINGLE, datetime(2024, 2, 29, 2, tzinfo=east)) == utc
    assert decode(SINGLE, utc).tzinfo is UTC


def test_numbers_without_a_place_in_the_order_are_refused() -> None:
    for value in (float("nan"), float("inf"), float("-inf"), 10**5000):
        with pytest.raises(InvalidDocument):
            encode(SINGLE, value)


def test_minus_zero_is_zero() -> None:
    assert encode(SINGLE, -0.0) == encode(SINGLE, 0.0)


def test_a_list_and_a_tuple_of_one_are_taken_as_the_key() -> None:
    assert encode(PAIR, ["a", 1]) == encode(PAIR, ("a", 1))
    assert encode(SINGLE, ("a",)) == encode(SINGLE, "a")


@given(st.datetimes(timezones=st.timezones()))
def test_any_zone_gives_the_same_moment_or_a_refusal(moment: datetime) -> None:
    try:
        encoded = encode(SINGLE, moment)
    except InvalidDocument:
        assert moment.year in (1, 9999)
    else:
        offset = moment.utcoffset()
        assert offset is not None
        assert decode(SINGLE, encoded) == moment.replace(tzinfo=UTC) - offset


@given(parts, parts)
def test_single_keys_sort_as_their_values(a: Any, b: Any) -> None:
    x, y = encode(SINGLE, a), encode(SINGLE, b)
    assert (x < y) == (comparable(a) < comparable(b))
    assert (x == y) == (comparable(a) == comparable(b))


@given(st.tuples(parts, parts, parts), st.tuples(parts, parts, parts))
def test_compound_keys_sort_part_by_part(a: tuple[Any, ...], b: tuple[Any, ...]) -> None:
    x, y = encode(TRIPLE, a), encode(TRIPLE, b)
    expected = tuple(map(comparable, a)) < tuple(map(comparable, b))
    assert (x < y) == expected
    assert (key_text(TRIPLE, x) < key_text(TRIPLE, y)) == expected


@given(st.tuples(texts, texts), st.tuples(texts, texts))
def test_text_parts_never_run_into_each_other(a: tuple[str, str], b: tuple[str, str]) -> None:
    x, y = encode(PAIR, a), encode(PAIR, b)
    assert (x < y) == (a < b)
    assert (x == y) == (a == b)
    assert (partition_bytes(PAIR, x) == partition_bytes(PAIR, y)) == (a[0] == b[0])


@given(st.tuples(parts, parts, parts))
def test_typed_keys_come_back(key: tuple[Any, ...]) -> None:
    encoded = encode(TRIPLE, key)
    assert decode(TRIPLE, encoded) == key
    assert list(map(type, decode(TRIPLE, encoded))) == list(map(type, key))
    assert from_key_text(TRIPLE, key_text(TRIPLE, encoded)) == encoded
    assert partition_bytes(TRIPLE, encoded) == encode(SINGLE, key[0])


@given(texts.filter(bool), texts.filter(bool))
def test_untyped_keys_come_back_and_sort_as_strings(a: str, b: str) -> None:
    x, y = encode(PLAIN, a), encode(PLAIN, b)
    assert decode(PLAIN, x) == a
    assert key_text(PLAIN, x) == a
    assert from_key_text(PLAIN, a) == x
    assert (x < y) == (a < b)


@given(texts)
def test_length_is_tag_payload_escapes_and_end(text: str) -> None:
    assert len(encode(SINGLE, text)) == len(text.encode()) + text.count("\x00") + 2


@given(blobs)
def test_any_bytes_decode_to_their_own_key_or_are_corruption(data: bytes) -> None:
    for spec in (PLAIN, SINGLE, PAIR):
        try:
            key = decode(spec, data)
        except Corruption:
            continue
        assert decode(spec, encode(spec, key)) == key


@pytest.mark.parametrize(
    "encoded",
    [
        "",  # no part
        "0f",  # an unknown tag
        "10800000",  # cut short
        "2061",  # not ended
        "206100ff",  # a NUL inside, then not ended
        "20ff00",  # not UTF-8
        "20610020",  # a second part begins
        "2061002000",  # one part too many
        "11fff8000000000000",  # NaN
        "11fff0000000000000",  # infinity
        "18ffffffffffffffff",  # far beyond the year 9999
    ],
)
def test_bytes_that_are_no_key_are_corruption(encoded: str) -> None:
    with pytest.raises(Corruption):
        decode(SINGLE, bytes.fromhex(encoded))


def test_untyped_bytes_that_are_no_text_are_corruption() -> None:
    for data in (b"", b"\xff"):
        with pytest.raises(Corruption):
            decode(PLAIN, data)
    with pytest.raises(Corruption):
        key_text(PLAIN, b"\xff")
    with pytest.raises(Corruption):
        from_key_text(PLAIN, "\ud800")
    with pytest.raises(Corruption):
        partition_bytes(PAIR, b"")


@pytest.mark.parametrize("text", ["abc", "AB", "a b", "zz", "00\n"])
def test_text_that_is_no_hexadecimal_is_corruption(text: str) -> None:
    with pytest.raises(Corruption):
        from_key_text(SINGLE, text)


def in_range(spec: KeySpec, prefix: Any, key: Any) -> bool:
    lower, upper = prefix_range(spec, prefix)
    encoded = encode(spec, key)
    return lower <= encoded and (upper is None or encoded < upper)


@given(texts.filter(bool), st.integers(0, 10), texts)
def test_a_string_prefix_finds_exactly_the_keys_that_start_with_it(
    key: str, cut: int, other: str
) -> None:
    assert in_range(PLAIN, key[:cut], key)
    assert in_range(PLAIN, other, key) == key.startswith(other)


@given(st.tuples(parts, parts, parts), st.integers(0, 3), st.lists(parts, max_size=3))
def test_leading_parts_find_exactly_the_keys_that_have_them(
    key: tuple[Any, ...], given_parts: int, other: list[Any]
) -> None:
    assert in_range(TRIPLE, key[:given_parts], key)
    same = list(map(comparable, key[: len(other)])) == list(map(comparable, other))
    assert in_range(TRIPLE, other, key) == same


@given(st.tuples(texts, texts), texts)
def test_a_leading_string_means_the_whole_part(key: tuple[str, str], seller: str) -> None:
    assert in_range(PAIR, seller, key) == (key[0] == seller)


def test_a_prefix_does_not_reach_into_an_escaped_nul() -> None:
    assert in_range(PAIR, "a", ("a", "z"))
    assert not in_range(PAIR, "a", ("a\x00", "z"))


def test_the_empty_prefix_is_every_key() -> None:
    assert prefix_range(PLAIN, "") == (b"", None)
    assert prefix_range(PAIR, ()) == (b"", None)


def test_bounds_of_a_prefix_are_never_longer_than_a_key() -> None:
    for spec, prefix in ((PLAIN, "x" * 511), (SINGLE, "x" * 509), (PAIR, ("x" * 509,))):
        lower, upper = prefix_range(spec, prefix)
        assert upper is not None
        assert len(lower) == KEY_BYTES_MAX >= len(upper)
    assert in_range(SINGLE, "x" * 509, "x" * 509)


NO_PREFIX: list[tuple[KeySpec, Any]] = [(PLAIN, 3), (PLAIN, "\ud800"), (PLAIN, "x" * 512)]
NO_PARTS: list[tuple[KeySpec, Any]] = [(PAIR, (1, 2, 3)), (PAIR, (None,)), (PAIR, "x" * 510)]


@pytest.mark.parametrize(("spec", "prefix"), NO_PREFIX + NO_PARTS)
def test_a_prefix_that_no_key_can_have_is_refused(spec: KeySpec, prefix: Any) -> None:
    with pytest.raises(InvalidDocument):
        prefix_range(spec, prefix)


def test_successor_of_bytes() -> None:
    assert successor(b"a") == b"b"
    assert successor(b"a\xff\xff") == b"b"
    assert successor(b"\x00") == b"\x01"
    assert successor(b"\xff\xff") is None
    assert successor(b"") is None


@given(blobs, blobs, blobs)
def test_successor_is_above_every_string_with_the_prefix_and_no_other(
    prefix: bytes, rest: bytes, other: bytes
) -> None:
    above = successor(prefix)
    assert above is None or prefix + rest < above
    if other >= prefix and not other.startswith(prefix):
        assert above is not None
        assert other >= above


def test_new_keys_are_version_7_and_grow() -> None:
    keys = [new_key() for _ in range(5000)]
    assert keys == sorted(set(keys))
    assert {uuid.UUID(key).version for key in keys} == {7}
    assert all(str(uuid.UUID(key)) == key for key in keys)


def test_a_specification_is_read_from_a_name_or_a_key() -> None:
    assert KeySpec(("id",), typed=False) == PLAIN
    assert KeySpec(("id",), typed=True) == SINGLE
    assert KeySpec(("seller", "id"), typed=True) == PAIR
    assert Key("a", "b").fields == ("a", "b")
    assert Key("a") == Key("a") != Key("b")


def test_a_specification_survives_json() -> None:
    assert TRIPLE.to_json() == {"fields": ["seller", "listed_at", "id"], "typed": True}
    for spec in (PLAIN, SINGLE, PAIR, TRIPLE):
        assert KeySpec.from_json(spec.to_json()) == spec


@pytest.mark.parametrize("fields", [(), ("",), ("a", ""), ("a", "a"), (3,), ("a\ud800",)])
def test_a_key_needs_distinct_field_names(fields: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidSchema) as caught:
        Key(*fields)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["", ["a"], None])
def test_an_untyped_key_has_exactly_one_named_field(name: Any) -> None:
    with pytest.raises(InvalidSchema):
        KeySpec.of(name)
    with pytest.raises(InvalidSchema):
        KeySpec(("a", "b"), typed=False)


@pytest.mark.parametrize("fields", [None, "id", [], [3], ["a", "a"]])
def test_a_stored_specification_of_another_shape_is_corruption(fields: Any) -> None:
    for typed in (True, None, 1):
        with pytest.raises(Corruption):
            KeySpec.from_json({"fields": fields, "typed": typed})
    others: list[Any] = [None, [], {}, {"fields": ["id"]}, {"fields": ["a", "b"], "typed": False}]
    for data in others:
        with pytest.raises(Corruption):
            KeySpec.from_json(data)
