"""The OpenAPI 3.1 document, made from the operations and models that serve the requests; pure.

So it cannot say what the server does not do: a path, a parameter or a field that is not in it is
refused, and what is in it is what the models check.
"""

import re
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from api.http import models, problems
from api.http.answers import POSITION_HEADER
from api.http.problems import STATUSES
from api.http.routing import Operation
from api.version import VERSION

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_TITLES = dict(reversed(list(STATUSES.values())))

_PATH_PARAMETERS: dict[str, dict[str, Any]] = {
    "collection": {
        "description": "The collection's name.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}$"},
        "example": "cars",
    },
    "key": {
        "description": "The document's key: a string as it is, the parts of a compound key as a "
        "JSON list; what a Location header gives.",
        "schema": {"type": "string", "minLength": 1},
        "example": "car-1",
    },
    "index": {
        "description": "The global index's name.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$"},
        "example": "color",
    },
    "partition": {
        "description": "The partition's number.",
        "schema": {"type": "integer", "minimum": 0},
        "example": 0,
    },
    "code": {"schema": {"type": "string"}, "example": "not-found"},
}
_HEADERS = {
    "If-Match": 'ETags of which the document must have one, a version, like "3", or *: any.',
    "If-None-Match": "*: only if there is no such document; when reading, the version one has.",
    "Idempotency-Key": "A retry with the same key is done once and answered the same.",
}


def document(operations: Iterable[Operation]) -> dict[str, Any]:
    """The whole document."""
    operations = list(operations)
    used = {model for each in operations for model in (each.body, each.answer) if model}
    used.add(models.Problem)
    by_name = sorted(used, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in by_name], ref_template=_REF)
    paths: dict[str, dict[str, Any]] = {}
    for each in operations:
        path = _PARAMETER.sub(r"{\1}", each.path)
        paths.setdefault(path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "docstore",
            "version": VERSION,
            "summary": "A search-oriented document store.",
            "description": "Errors are RFC 9457 problems with a stable `code` and a `hint`.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.get("$defs", {}),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    form: dict[str, Any] = {
        "operationId": _id_of(operation),
        "summary": operation.summary,
        "description": (operation.endpoint.__doc__ or "").strip(),
        "tags": [_tag_of(operation.path)],
        "parameters": [*_path_parameters(operation), *_parameters(operation)],
        "responses": _responses(operation),
    }
    if operation.scope is not None:
        form["security"] = [{"key": []}]
        form["description"] += f"\n\nScope: {operation.scope}."
    if operation.body is not None:
        form["requestBody"] = {
            "required": operation.body_required,
            "content": {kind: {"schema": _ref(operation.body)} for kind in operation.body_types},
        }
    return form


def _id_of(operation: Operation) -> str:
    module = operation.endpoint.__module__.rpartition(".")[2]
    return f"{module}.{operation.endpoint.__name__}"


def _tag_of(path: str) -> str:
    for word in ("documents", "search", "count", "explain", "changes"):
        if f"/{word}" in path:
            return "documents" if word == "documents" else "search" if word != "changes" else word
    return "collections" if path.startswith("/v1") else "server"


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, **_PATH_PARAMETERS[name]}
        for name in _PARAMETER.findall(operation.path)
    ]


def _parameters(operation: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, known in operation.parameters.items():
        schema = dict(known)
        described = {"description": schema.pop("description")} if "description" in schema else {}
        form = (
            {"content": {"application/json": {"schema": schema}}}
            if schema["type"] == "object"
            else {"schema": schema}
        )
        found.append({"name": name, "in": "query", **described, **form})
    for name in operation.headers:
        schema = {"type": "string"}
        found.append(
            {"name": name, "in": "header", "description": _HEADERS[name], "schema": schema}
        )
    return found


def _responses(operation: Operation) -> dict[str, Any]:
    done: dict[str, Any] = {"description": "Done."}
    if operation.answer is not None:
        done["content"] = {operation.answer_type: {"schema": _ref(operation.answer)}}
    elif operation.status != 204:
        done["content"] = {operation.answer_type: {"schema": {"type": "string"}}}
    if operation.answer is models.Written:
        done["headers"] = {POSITION_HEADER: {"schema": {"type": "string"}}}
    answers = {str(status): done for status in {operation.status, *operation.also}}
    refused = {400, 405, *operation.refusals}
    if operation.scope is not None:
        refused |= {401, 403, 503, 504}
    if "{" in operation.path:
        refused |= {404, 422}
    if operation.body is not None:
        refused |= {408, 413, 415}
    problem = {problems.MEDIA_TYPE: {"schema": _ref(models.Problem)}}
    for status in sorted(refused):
        answers[str(status)] = {"description": _TITLES[status], "content": problem}
    answers["default"] = {"description": "An error.", "content": problem}
    return answers


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
