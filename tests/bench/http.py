"""`python -m tests.bench.http`: a served store under load, beside an empty Starlette reply.

Uses `wrk` and `curl` (Debian's packages), which leave the processors to the server. Every figure
is measured beside the empty reply in the same run, because a machine's speed drifts. Searches are
asked twice: always the same question, which the server remembers until something is written, and a
new question each time, which asks for the same documents. Facets are counted over other documents
each time too, because those of one search are kept for its other pages. Without the real listings
the project's own fixtures are used.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
from rich.console import Console
from rich.table import Table

from tests.bench.__main__ import REAL
from tests.conftest import LISTINGS

CONNECTIONS = 16
CARS = "/v1/collections/cars"
SEARCHES: dict[str, dict[str, Any]] = {
    "text: ford f-150": {"q": "ford f-150", "limit": 10},
    "filter + sort: red under 20,000": {
        "filter": {"color": "red", "price": {"lt": 20_000}},
        "sort": "price",
    },
    "text + filter: bmw 3 series": {"q": "bmw 3 series", "filter": {"price": {"lt": 30_000}}},
    "two facets of cars after 2015": {
        "filter": {"year": {"gt": 2015}},
        "facets": ["make", "color"],
    },
}
EMPTY = """
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

async def empty(request):
    return Response()

app = Starlette(routes=[Route("/", empty)])
uvicorn.run(app, port={port}, loop="uvloop", http="httptools", access_log=False, log_level="error")
"""
FIXED = """
wrk.method, wrk.body = "POST", [==[{body}]==]
wrk.headers["Content-Type"] = "application/json"
"""
FRESH = """
local number = 0
wrk.headers["Content-Type"] = "application/json"
function request()
  number = number + 1
  local body = string.gsub([==[{body}]==], "}}$", ', "timeout_ms": ' .. (5000 + number) .. "}}")
  return wrk.format("POST", nil, nil, body)
end
"""
OTHER = """
local number = 0
wrk.headers["Content-Type"] = "application/json"
function request()
  number = number + 1
  local bound = '"filter": {{"price": {{"lt": ' .. (1000000 + number) .. '}}, '
  return wrk.format("POST", nil, nil, (string.gsub([==[{body}]==], '"filter": {{', bound)))
end
"""
PUT = """
local number = 0
wrk.headers["Content-Type"] = "application/json"
function request()
  number = number + 1
  return wrk.format("PUT", "/v1/collections/single/documents/car-" .. number, nil,
    '{"make": "ford", "model": "f-150", "color": "red", "price": ' .. number .. "}")
end
"""


@contextmanager
def running(command: list[str], url: str) -> Iterator[None]:
    """A server as a process, until it answers and until the body is done."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(200):
                try:
                    httpx.get(url)
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(60)


def rate(url: str, seconds: int, script: str | None = None) -> float:
    """Answered requests per second; none may be refused."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script or "")
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", file.name, url]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "Non-2xx" not in ran.stdout, ran.stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", ran.stdout)
    assert found is not None, ran.stdout
    return float(found[1])


def load(url: str, lines: bytes, collection: str) -> float:
    """Documents per second of one bulk request, every line checked."""
    path = f"{url}/v1/collections/{collection}/documents:bulk"
    with tempfile.TemporaryDirectory() as directory:
        body, results = Path(directory, "body"), Path(directory, "results")
        body.write_bytes(lines)
        command = [
            "curl",
            "-sS",
            "-f",
            "-H",
            "content-type: application/x-ndjson",
            "-o",
            str(results),
        ]
        began = time.perf_counter()
        subprocess.run([*command, "-X", "POST", "-T", body, path], check=True)
        took = time.perf_counter() - began
        answers = results.read_bytes().splitlines()
    assert len(answers) == lines.count(b"\n")
    assert all(b'"status":201' in line for line in answers), answers[:3]
    return len(answers) / took


def report(source: Path, limit: int | None, seconds: int, port: int) -> None:
    """Measure everything and print the table."""
    opened = gzip.open if source.suffix == ".gz" else open
    with opened(source, "rb") as file:
        lines = b"".join(
            line for number, line in enumerate(file) if limit is None or number < limit
        )
    directory = Path(tempfile.mkdtemp())
    url, empty_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}"
    serve = [sys.executable, "-m", "api", "serve", str(directory), "--port", str(port)]
    table = Table("what", "per second", "empty reply", "ratio")
    try:
        with (
            running([sys.executable, "-c", EMPTY.format(port=port + 1)], empty_url),
            running(serve, f"{url}/health/live"),
        ):

            def row(what: str, measured: float) -> None:
                empty = rate(empty_url, 1)
                table.add_row(what, f"{measured:,.0f}", f"{empty:,.0f}", f"{measured / empty:.2f}")

            httpx.put(f"{url}{CARS}", json={})
            began = time.perf_counter()
            loaded = load(url, lines, "cars")
            httpx.post(f"{url}{CARS}/refresh", timeout=120)
            httpx.post(f"{url}{CARS}/refresh", timeout=120)
            found = lines.count(b"\n") / (time.perf_counter() - began)
            row("bulk, documents", loaded)
            row("bulk, documents until all are found", found)
            key = httpx.get(f"{url}{CARS}/documents?limit=1").json()["documents"][0]["key"]
            row("get a document", rate(f"{url}{CARS}/documents/{key}", seconds))
            for name, body in SEARCHES.items():
                kinds = [("same", FIXED), ("new", FRESH)]
                if "facets" in body:
                    kinds.append(("other", OTHER))
                for kind, script in kinds:
                    filled = script.format(body=json.dumps(body))
                    row(f"{name} ({kind} question)", rate(f"{url}{CARS}/search", seconds, filled))
            httpx.put(f"{url}/v1/collections/single", json={})
            row("durable put of one document", rate(url, seconds, PUT))
    finally:
        shutil.rmtree(directory)
    Console().print(f"{source.name}, {CONNECTIONS} connections, {os.cpu_count()} cores")
    Console().print(table)


def main() -> None:
    """Read the options and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    real = REAL if REAL.exists() else LISTINGS
    parser.add_argument("--listings", type=Path, default=real, help="JSON lines, plain or gzip")
    parser.add_argument("--limit", type=int, help="listings to load (default: all)")
    parser.add_argument("--seconds", type=int, default=4, help="of each measurement")
    parser.add_argument("--port", type=int, default=8127)
    options = parser.parse_args()
    report(options.listings, options.limit, options.seconds, options.port)


if __name__ == "__main__":
    main()
