"""Health, metrics and the access log: what an operator sees is what happened."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.http.app import create_app
from api.http.settings import Settings
from api.version import VERSION
from docstore import Store
from tests.api.http.conftest import Connect


def test_a_server_lives_and_is_ready_while_its_indexes_keep_up(connect: Connect) -> None:
    client = connect(lag_max=0)
    assert client.get("/health/live").json() == {"status": "live", "version": VERSION}
    assert client.get("/health/ready").json()["status"] == "ready"
    client.put("/v1/collections/cars", json={})
    headers = {"content-type": "application/x-ndjson"}
    lines = b'{"price": 1}\n' * 2_000
    client.post("/v1/collections/cars/documents:bulk", content=lines, headers=headers)
    behind = client.get("/health/ready")
    assert (behind.status_code, behind.json()["data"]["lag"]) == (503, 2_000)
    assert behind.headers["retry-after"] == "1"
    client.post("/v1/collections/cars/refresh")
    ready = {"status": "ready", "version": VERSION, "lag": 0, "collections": 1}
    assert client.get("/health/ready").json() == ready


def test_the_bare_address_leads_to_the_api(client: TestClient) -> None:
    browser = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = client.get("/", headers=browser, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, "/docs")
    told = client.get("/").json()
    assert told["version"] == VERSION
    for name in ("docs", "openapi", "collections"):
        assert client.get(told[name]).status_code == 200
    assert client.get("/").headers["content-type"] == "application/json"


def sample(text: str, name: str, **labels: str) -> float:
    for line in text.splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and all(f'{key}="{value}"' in found[1] for key, value in labels.items()):
            return float(found[2])
    raise AssertionError(f"no sample {name} {labels} in\n{text}")


def test_metrics_count_requests_and_look_at_the_shards(cars: TestClient) -> None:
    cars.get("/v1/collections/cars/documents/a1")
    cars.get("/v1/collections/cars/documents/nobody")
    cars.get("/made/up/path")
    cars.request("MADEUP", "/v1/collections")
    text = cars.get("/metrics").text
    route = "/v1/collections/{collection}/documents/{key:key}"
    assert sample(text, "docstore_requests_total", method="GET", route=route, status="200") == 1
    assert sample(text, "docstore_requests_total", method="GET", route=route, status="404") == 1
    assert sample(text, "docstore_requests_total", route="unknown", status="404") == 1
    assert "MADEUP" not in text
    assert "_created" not in text
    assert sample(text, "docstore_write_group_count") == 3
    documents = [
        sample(text, "docstore_documents", collection="cars", partition=str(number))
        for number in range(3)
    ]
    assert sum(documents) == 3
    assert sample(text, "docstore_open_searches") == 0


def test_every_request_is_one_line_of_the_log(
    connect: Connect, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    client = connect(access_log=True)
    client.get("/v1/collections", headers={"x-request-id": "r-1"})
    client.get("/nothing%0Ainjected", headers={"x-request-id": "r-2"})
    connect(access_log=False)
    first, second = (json.loads(line) for line in capfdbinary.readouterr().out.splitlines())
    assert (first["request_id"], first["status"], first["route"]) == ("r-1", 200, "/v1/collections")
    assert first["ms"] > 0
    assert (second["request_id"], second["status"]) == ("r-2", 404)
    assert second["path"] == "/nothing\ninjected"


def test_a_reader_serves_what_the_writing_process_made_anew(tmp_path: Path) -> None:
    program = (
        "import sys; from docstore import Store; store = Store.open(sys.argv[1]); "
        "store.drop_collection('cars'); cars = store.create_collection('cars'); "
        "cars.put({'id': 'new'}); cars.refresh(); store.close()"
    )
    with Store.open(tmp_path) as store:
        store.create_collection("cars").put({"id": "old"})
    app = create_app(Store.open(tmp_path, read_only=True), Settings(access_log=False))
    with TestClient(app, "http://localhost") as client:
        for key in ("old", "new"):
            found = client.post("/v1/collections/cars/search", json={}).json()
            assert [hit["key"] for hit in found["hits"]] == [key]
            if key == "old":
                subprocess.run([sys.executable, "-c", program, tmp_path], check=True)
