"""Keys in paths: whatever a key is, its path leads back to it."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.http.key_paths import key_in_path, path_of
from docstore import Collection, Key, Store
from docstore.keys import encode

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path: Path = tmp_path_factory.mktemp("keys")
    with Store.open(path) as store:
        compound = {"fields": {"a": "keyword", "b": "datetime", "c": "float"}}
        yield {
            "plain": store.create_collection("plain"),
            "typed": store.create_collection("typed", key=Key("a")),
            "compound": store.create_collection("compound", compound, key=Key("a", "b", "c")),
            "open": store.create_collection("open", key=Key("a", "b")),
        }


def leads_back(collection: Collection[Any], key: Any) -> None:
    path = f"/v1/collections/{collection.name}/documents/{path_of(collection, key)}"
    assert path.isascii()
    assert quote(path, safe="/%-_.!*'(),:@~") == path
    found = key_in_path(collection, path.encode())
    assert encode(collection.partitions.definition.key, found) == encode(
        collection.partitions.definition.key, key
    )


@settings(deadline=None)
@given(key=TEXT.filter(bool))
def test_a_string_key_comes_back(collections: Any, key: str) -> None:
    leads_back(collections["plain"], key)
    leads_back(collections["typed"], key)


@settings(deadline=None)
@given(
    a=TEXT,
    b=st.datetimes(timezones=st.timezones()) | st.dates(),
    c=st.floats(allow_nan=False, allow_infinity=False),
)
def test_a_compound_key_comes_back(collections: Any, a: str, b: Any, c: float) -> None:
    try:
        encode(collections["compound"].partitions.definition.key, (a, b, c))
    except Exception:  # noqa: BLE001  a date beyond the years of UTC is no key at all
        return
    leads_back(collections["compound"], (a, b, c))


PART = TEXT | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=9) | st.floats(-1e9, 1e9)


@settings(deadline=None)
@given(a=PART, b=PART | st.datetimes())
def test_a_key_of_any_types_comes_back(collections: Any, a: Any, b: Any) -> None:
    leads_back(collections["open"], (a, b))
