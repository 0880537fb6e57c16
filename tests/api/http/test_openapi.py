"""The OpenAPI document says what the server does: checked by asking the server everything in it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from pydantic import BaseModel
from schemathesis import checks
from schemathesis.specs.openapi import checks as openapi_checks
from starlette.testclient import TestClient

from api.http import index_models, models, partitions, search_models
from api.http.app import create_app
from api.http.settings import Settings
from docstore import Store
from tests.api.http.conftest import CARS, SCHEMA

STREAMS = ["bulk.bulk", "bulk.write"]
"""Not JSON: tested by hand."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    path: Path = tmp_path_factory.mktemp("openapi")
    app = create_app(Store.open(path), Settings(access_log=False, trusted_hosts=("testserver",)))
    with TestClient(app) as client:
        assert client.put("/v1/collections/cars", json={"schema": SCHEMA}).status_code == 201
        for car in CARS:
            client.post("/v1/collections/cars/documents", json=car)
        whole = schemathesis.openapi.from_asgi("/openapi.json", app)
        yield whole.exclude(operation_id=STREAMS)


CHECKS = [
    checks.not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_schema_conformance,
]


def test_the_server_does_what_its_document_says(served: Any) -> None:
    asked = [result.ok() for result in served.get_all_operations()]
    assert len(asked) > 20

    answered: set[tuple[str, int]] = set()

    def ask(operation: Any) -> None:
        @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def check(case: Any) -> None:
            if "collection" in (case.path_parameters or {}):
                is_drop = case.method == "DELETE" and case.path.endswith("{collection}")
                case.path_parameters["collection"] = "none" if is_drop else "cars"
            # A stream that is followed has no end.
            case.query = {k: v for k, v in (case.query or {}).items() if k != "follow"}
            for asking in (case.body, case.query):
                if isinstance(asking, dict):
                    # Too little time is rightly answered as an error of the server.
                    asking.pop("timeout_ms", None)
            answered.add((case.operation.label, case.call_and_validate(checks=CHECKS).status_code))

        check()

    for operation in asked:
        ask(operation)
    done = {label for label, status in answered if status < 400}
    assert len(done) > 15, answered


def test_every_model_of_an_answer_is_in_the_document(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    assert {"Search", "SearchAnswer", "Problem"} <= set(document["components"]["schemas"])
    search = document["paths"]["/v1/collections/{collection}/search"]["post"]
    assert search["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Search"
    }


def test_answers_fit_their_models(cars: TestClient) -> None:
    path = "/v1/collections/cars"
    checked: list[tuple[Any, type[BaseModel]]] = [
        (cars.get("/v1/collections"), models.Collections),
        (cars.get(path), models.Collection),
        (cars.get(f"{path}/stats"), partitions.Stats),
        (cars.get(f"{path}/partitions"), partitions.Partitions),
        (cars.get(f"{path}/indexes"), index_models.GlobalIndexes),
        (cars.post(f"{path}/search", json={"q": "ford"}), search_models.SearchAnswer),
        (cars.post(f"{path}/explain", json={"q": "ford"}), search_models.Plan),
        (cars.get(f"{path}/documents"), models.Page),
        (cars.get("/nothing"), models.Problem),
    ]
    for answer, model in checked:
        model.model_validate(answer.json())
        assert set(answer.json()) <= {
            info.alias or name for name, info in model.model_fields.items()
        }


def test_the_page_and_its_files_are_served_from_the_package(client: TestClient) -> None:
    page = client.get("/docs")
    assert "http:" not in page.text
    assert "https:" not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for file in ("swagger-ui.css", "swagger-ui-bundle.js", "start.js"):
        assert f"/docs/{file}" in page.text
        assert client.get(f"/docs/{file}").status_code == 200
    for file in ("index.html", "..%2f..%2f__init__.py", "start.js%00"):
        assert client.get(f"http://localhost/docs/{file}").status_code == 404


def test_every_type_of_a_problem_leads_to_its_meaning(client: TestClient) -> None:
    problem = client.get("/v1/collections/nowhere").json()
    meaning = client.get(problem["type"])
    assert meaning.status_code == 200
    assert meaning.text.startswith("404 ")
    assert client.get("/problems/made-up").status_code == 404
