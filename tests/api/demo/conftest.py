"""The demo over some of the fixtures: with a test client, and on a socket for a real browser."""

import itertools
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)
from starlette.testclient import TestClient

from api.demo.loading import prepare
from api.demo.site import routes
from api.http.app import create_app
from api.http.settings import Settings
from docstore import Store
from tests.api.http.conftest import Running
from tests.conftest import LISTINGS

CARS = 600
expect.set_options(timeout=15_000)  # other tests may keep the machine busy


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with the first listings of the fixtures, made once for the tests of a file."""
    folder = tmp_path_factory.mktemp("demo")
    file = folder / "cars.jsonl"
    with LISTINGS.open() as lines:
        file.write_text("".join(itertools.islice(lines, CARS)))
    with Store.open(folder / "data") as store:
        assert prepare(store, file) == CARS
    return folder / "data"


@pytest.fixture
def site(loaded: Path, tmp_path: Path) -> Iterator[TestClient]:
    """A client of the site over listings of its own; every invariant is checked at the end."""
    data = Path(shutil.copytree(loaded, tmp_path / "data"))
    settings = Settings(access_log=False)
    with TestClient(create_app(Store.open(data), settings, routes), "http://localhost") as client:
        yield client
    with Store.open(data) as store:
        assert list(store.check()) == []


@pytest.fixture(scope="module")
def server(loaded: Path) -> Iterator[Running]:
    """The site on a socket."""
    running = Running(loaded, routes)
    yield running
    running.stop()
    with Store.open(loaded) as store:
        assert list(store.check()) == []


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's own Chromium, without a window."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
    assert path is not None, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # The sandbox wants a user that is not root; these tests open their own pages only.
        launched = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


Open = Callable[..., Page]


@contextmanager
def quiet(context: BrowserContext) -> Iterator[list[str]]:
    """Everything its pages complain about: errors of scripts, what the security policy refused."""
    complaints: list[str] = []

    def heard(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    def watched(page: Page) -> None:
        page.on("console", heard)
        page.on("pageerror", lambda error: complaints.append(str(error)))

    context.on("page", watched)
    yield complaints


@pytest.fixture
def visit(browser: Browser, server: Running) -> Iterator[Open]:
    """Opens pages of the site, each as a person of its own; no page may complain."""
    contexts: list[BrowserContext] = []
    complaints: list[list[str]] = []

    def opened(
        path: str = "/", *, width: int = 1280, dark: bool = False, script: bool = True
    ) -> Page:
        context = browser.new_context(
            base_url=server.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=script,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        with quiet(context) as heard:
            complaints.append(heard)
            page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    # Chromium reports an answer of 409 or 422 as an error of the page, which it is not.
    refused = "Failed to load resource: the server responded with a status of 4"
    assert [each for heard in complaints for each in heard if not each.startswith(refused)] == []
