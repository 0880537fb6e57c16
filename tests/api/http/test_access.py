"""API keys: who may do what, what is kept of a key, and who may be served at all."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from starlette.testclient import TestClient

from api.http import key_file
from api.http.key_file import add_key, read_keys, revoke_key
from api.http.server import check_exposure, is_loopback
from api.http.settings import Settings
from docstore import InvalidRequest, NotFound
from tests.api.http.conftest import Connect, Serve


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def test_a_key_may_do_what_its_scopes_and_patterns_say(connect: Connect, keys: Path) -> None:
    _, admin = add_key(keys, "admin", ("read", "write", "admin"), ("*",))
    _, writer = add_key(keys, "writer", ("write",), ("car*",))
    _, reader = add_key(keys, "reader", ("read",), ("car*",))
    client = connect(api_key_file=keys)
    for name in ("cars", "boats"):
        made = client.put(f"/v1/collections/{name}", json={}, headers=bearer(admin))
        assert made.status_code == 201
    document = "/v1/collections/cars/documents/a"
    assert client.put(document, json={}, headers=bearer(writer)).status_code == 201
    assert client.get(document, headers={"x-api-key": reader}).status_code == 200
    for key, method, path in [
        (writer, "GET", document),
        (reader, "PUT", document),
        (reader, "GET", "/v1/collections/boats"),
        (writer, "PUT", "/v1/collections/cars"),
        (writer, "DELETE", "/v1/collections/cars"),
    ]:
        refused = client.request(method, path, headers=bearer(key))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    seen = client.get("/v1/collections", headers=bearer(reader)).json()["collections"]
    assert [each["collection"] for each in seen] == ["cars"]


def test_a_key_learns_no_other_collections_names(connect: Connect, keys: Path) -> None:
    _, admin = add_key(keys, "admin", ("admin",), ("*",))
    _, limited = add_key(keys, "limited", ("admin",), ("car*",))
    _, reader = add_key(keys, "reader", ("read",), ("car*",))
    client = connect(api_key_file=keys)
    for name in ("cars", "secret"):
        client.put(f"/v1/collections/{name}", json={}, headers=bearer(admin))
    missing = client.get("/v1/collections/cart", headers=bearer(reader))
    assert (missing.status_code, missing.json()["hint"]) == (404, "collections: cars")
    refused = client.get("/metrics", headers=bearer(limited))
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert "secret" in client.get("/metrics", headers=bearer(admin)).text


def test_a_revoked_key_ends_the_stream_it_began(serve: Serve, keys: Path) -> None:
    stored, key = add_key(keys, "someone", ("read",), ("*",))
    _, admin = add_key(keys, "admin", ("admin", "write"), ("*",))
    cars = f"{serve(api_key_file=keys, heartbeat_seconds=0.1).url}/v1/collections/cars"
    httpx.put(cars, json={}, headers=bearer(admin))
    headers = {**bearer(key), "accept": "text/event-stream"}
    with httpx.stream("GET", f"{cars}/changes", headers=headers) as stream:
        lines = stream.iter_lines()
        assert next(lines) == ": still here"
        revoke_key(keys, stored.id)
        assert [line for line in lines if line.startswith("event")] == ["event: problem"]


def test_without_its_key_file_a_server_lets_nobody_in_until_it_is_back(
    connect: Connect, keys: Path
) -> None:
    _, key = add_key(keys, "someone", ("read",), ("*",))
    client = connect(api_key_file=keys)
    content = keys.read_bytes()
    keys.unlink()
    assert client.get("/health/ready").status_code == 503
    for _ in range(2):
        assert client.get("/v1/collections", headers=bearer(key)).status_code == 503
    keys.write_bytes(content)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 200
    assert client.get("/health/ready").status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer", "Bearer x", "Bearer dsk_a_b", "Basic eDp5", "ü"])
def test_without_a_known_key_nothing_is_told(connect: Connect, keys: Path, given: str) -> None:
    add_key(keys, "someone", ("read",), ("*",))
    headers = {b"authorization": given.encode()} if given else {}
    for path in ("/v1/collections", "/v1/collections/nowhere"):
        refused = connect(api_key_file=keys).get(path, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
        assert refused.headers["www-authenticate"] == "Bearer"


def test_the_file_holds_hashes_and_only_its_owner_reads_it(keys: Path) -> None:
    stored, key = add_key(keys, "someone", ("read",), ("*",))
    content = keys.read_text()
    assert key not in content
    assert key.split("_", 2)[2] not in content
    assert stored.hash in content
    assert keys.stat().st_mode & 0o077 == 0


def test_a_file_that_everybody_may_write_holds_no_keys(keys: Path) -> None:
    add_key(keys, "someone", ("read",), ("*",))
    keys.chmod(0o666)
    with pytest.raises(InvalidRequest, match="everybody may write"):
        read_keys(keys)


def test_a_revoked_key_is_refused_by_the_running_server(
    connect: Connect, keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_file, "LOOK_SECONDS", -1.0)
    stored, key = add_key(keys, "someone", ("read",), ("*",))
    client = connect(api_key_file=keys)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 200
    revoke_key(keys, stored.id)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 401
    keys.write_text("{")
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 503


def test_wrong_keys_and_files_are_told(keys: Path) -> None:
    with pytest.raises(NotFound):
        read_keys(keys)
    with pytest.raises(InvalidRequest):
        add_key(keys, "x", ("delete",), ("*",))
    with pytest.raises(InvalidRequest):
        add_key(keys, "a\nb", ("read",), ("*",))
    add_key(keys, "x", ("read",), ("*",))
    with pytest.raises(NotFound):
        revoke_key(keys, "nobody")
    keys.write_text('{"format": 2}')
    with pytest.raises(InvalidRequest):
        read_keys(keys)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.org", ""])  # noqa: S104
def test_other_machines_are_served_only_with_keys(host: str, keys: Path) -> None:
    assert not is_loopback(host)
    with pytest.raises(InvalidRequest):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, api_key_file=keys))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost"])
def test_this_machine_is_served_without_keys(host: str) -> None:
    check_exposure(Settings(host=host))


def test_without_keys_only_this_machines_names_are_answered(client: TestClient) -> None:
    for host in ("localhost", "localhost:8000", "127.0.0.1:80", "[::1]:8000"):
        assert client.get("/v1/collections", headers={"host": host}).status_code == 200
    for host in ("evil.example", "evil.example:8000", "localhost.evil.example", ""):
        refused = client.get("/v1/collections", headers={"host": host})
        assert (refused.status_code, refused.json()["code"]) == (403, "untrusted-host")
        assert "key" not in refused.json()["title"]


def test_keys_made_at_once_are_all_kept_and_a_revoked_one_stays_so(keys: Path) -> None:
    first, _ = add_key(keys, "first", ("read",), ("*",))
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda number: add_key(keys, f"{number}", ("read",), ("*",)), range(16))
        assert pool.submit(revoke_key, keys, first.id).result().id == first.id
        made_ids = {stored.id for stored, _ in made}  # waits for all of them
    assert set(read_keys(keys)) == made_ids


@pytest.mark.parametrize(
    "wrong",
    [
        {"hash": None},
        {"hash": 7},
        {"id": 5},
        {"name": None},
        {"created": 3},
        {"scopes": "read"},
        {"scopes": ["read", "all"]},
        {"scopes": [[]]},
        {"collections": "*"},
        {"collections": [1]},
    ],
)
def test_a_key_that_is_none_lets_nobody_in(
    connect: Connect, keys: Path, monkeypatch: pytest.MonkeyPatch, wrong: dict[str, Any]
) -> None:
    monkeypatch.setattr(key_file, "LOOK_SECONDS", 0)
    _, key = add_key(keys, "reader", ("read",), ("*",))
    client = connect(api_key_file=keys)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 200
    right = keys.read_bytes()
    form = json.loads(right)
    form["keys"][0].update(wrong)
    keys.write_text(json.dumps(form))
    refused = client.get("/v1/collections", headers=bearer(key))
    assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
    keys.write_bytes(right)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 200
    keys.chmod(0o666)
    assert client.get("/v1/collections", headers=bearer(key)).status_code == 503
