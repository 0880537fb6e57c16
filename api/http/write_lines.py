"""Lines of `documents:write`: a put or a delete with its conditions, told apart by their fields.

A line that names no operation is one of the request's, so that a request can be sent again.
"""

from typing import Any

from pydantic import ConfigDict, Field

from api.http import body, models
from api.http.conditions import operation_of
from api.http.key_paths import key_of_json
from api.load import generated_key_field
from docstore import Collection, Delete, InvalidRequest, Put


class WriteLine(models.Asked):
    """One write: `put` holds a document, or `delete` the key of one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"put": {"id": "car-1", "make": "Ford"}, "if_absent": True},
                {"delete": "car-2", "if_version": 3},
            ]
        }
    )

    put: dict[str, Any] | None = None
    delete: Any = None
    key: Any = Field(None, description="Of a put, when the document does not hold it.")
    if_version: int | None = Field(None, ge=0)
    if_absent: bool = False
    if_present: bool = False
    if_seq: int | None = Field(
        None, ge=0, description="Of the position of the write that made the document."
    )
    op_id: str | None = Field(None, description="A line with the same is written once.")


def written_line(
    collection: Collection[Any], request_op_id: str | None, number: int, line: dict[str, Any]
) -> Put | Delete:
    """The write that a line asks for; raises InvalidRequest."""
    asked = body.fitted(WriteLine, line)
    op_id = asked.op_id
    if op_id is None and request_op_id is not None:
        op_id = operation_of(request_op_id, number)
    key = None if asked.key is None else key_of_json(collection, asked.key)
    if (asked.put is None) == (asked.delete is None):
        raise InvalidRequest(
            "a line is one write", hint='write {"put": {…}} or {"delete": "car-1"}', path="put"
        )
    if asked.put is None:
        if asked.if_absent or key is not None:
            raise InvalidRequest(
                "a delete has neither key nor if_absent", hint='write {"delete": "car-1"}'
            )
        key = key_of_json(collection, asked.delete)
        return Delete(key, asked.if_version, asked.if_present, op_id, asked.if_seq)
    field = generated_key_field(collection)
    if key is None and op_id is not None and field and asked.put.get(field) is None:
        key = operation_of(op_id, 0)
    conditions = asked.if_version, asked.if_absent, asked.if_present
    return Put(asked.put, key, *conditions, op_id, asked.if_seq)
