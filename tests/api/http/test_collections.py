"""Collections over HTTP: what they are made with, once."""

from typing import Any

import pytest
from starlette.testclient import TestClient

PATH = "/v1/collections/words"


@pytest.mark.parametrize("definition", [{}, {"partitions": 3}, {"pre_split": ["g", "n"]}])
def test_the_same_definition_again_does_nothing_and_another_conflicts(
    client: TestClient, definition: dict[str, Any]
) -> None:
    made = client.put(PATH, json=definition)
    assert made.status_code == 201
    assert made.json()["partitioning"] == ("range" if "pre_split" in definition else "hash")
    assert client.put(PATH, json=definition).status_code == 200
    others = [{"partitions": 5}, {"pre_split": ["g", "o"]}, {"pre_split": []}]
    if "pre_split" in definition:
        others += [{}, {"partitions": 3}]
    for other in others:
        assert client.put(PATH, json=other).status_code == 409
