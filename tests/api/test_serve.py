"""The commands that serve: a server as a process of its own, stopped by signals, and its keys."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import orjson
import pytest
from typer.testing import CliRunner

from api.cli import app
from docstore import Store


def served(*arguments: str) -> tuple["subprocess.Popen[str]", str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", *arguments, "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"http://\S+", line):
            return process, found[0]
    raise AssertionError("the server did not start")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    process, url = served(str(tmp_path / "data"))
    with process:
        cars = f"{url}/v1/collections/cars"
        assert httpx.put(cars, json={}).status_code == 201
        assert httpx.put(f"{cars}/documents/a", json={"price": 1}).status_code == 201
        process.send_signal(number)
        process.wait(30)
    with Store.open(tmp_path / "data") as store:
        assert store.collection("cars").get("a") == {"id": "a", "price": 1}
        assert list(store.check()) == []


def run(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(map(str, arguments)))
    return done.exit_code, done.output


def test_other_addresses_are_refused_without_keys(tmp_path: Path) -> None:
    code, output = run("serve", tmp_path, "--host", "0.0.0.0")  # noqa: S104  refused
    assert code == 2
    assert "docstore keys add" in output
    assert not (tmp_path / "store.json").exists()


def test_an_address_in_use_is_told(tmp_path: Path) -> None:
    process, url = served(str(tmp_path / "one"))
    with process:
        assert process.stderr is not None
        assert "/docs" in process.stderr.readline()
        code, output = run("serve", tmp_path / "two", "--port", url.rpartition(":")[2])
        process.terminate()
    assert code == 5
    assert "cannot listen" in output


def test_keys_are_made_listed_and_revoked(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    code, output = run("keys", "add", file, "ci", "--scope", "read", "--collection", "cars*")
    assert code == 0
    key = next(line for line in output.splitlines() if line.startswith("dsk_"))
    key_id = key.split("_")[1]
    code, listed = run("keys", "list", file)
    assert key_id in listed
    assert key not in listed
    assert run("keys", "revoke", file, key_id)[0] == 0
    assert run("keys", "revoke", file, key_id)[0] == 3
    assert run("keys", "list", file, "--json") == (0, "[]\n")


def test_what_a_server_is_asked_is_recorded_and_gives_advice(tmp_path: Path) -> None:
    asked = tmp_path / "asked.jsonl"
    process, url = served(str(tmp_path / "data"), "--record-workload", str(asked))
    with process:
        cars = f"{url}/v1/collections/cars"
        assert httpx.put(cars, json={"partitions": 4}).status_code == 201
        for n in range(30):
            document = {"color": ["red", "blue"][n % 2], "secret": "mine"}
            assert httpx.put(f"{cars}/documents/c{n}", json=document).status_code == 201
        assert httpx.get(f"{cars}/documents/c1").status_code == 200
        for n in range(9):
            question = {"filter": {"color": "red"}, "limit": n + 1}
            assert httpx.post(f"{cars}/search", json=question).status_code == 200
        assert httpx.post(f"{cars}/count", json={"filter": {"color": "red"}}).status_code == 200
        process.send_signal(signal.SIGTERM)
        process.wait(30)
    assert b"mine" not in asked.read_bytes()
    code, output = run("advise", tmp_path / "data", "cars", "--workload", asked, "--json")
    assert code == 0, output
    advice = orjson.loads(output)
    assert advice["operations"] == 41
    assert "color" in [each["field"] for each in advice["indexes"]]
