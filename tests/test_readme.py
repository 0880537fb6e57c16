"""What the README shows works."""

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from indexing.errors import DocstoreError
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_the_python_examples_run(tmp_path: Path) -> None:
    examples = re.findall(r"<!-- example[^>]*-->\n```python\n(.*?)```", README, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        script = tmp_path / "example.py"
        script.write_text(example)
        for _ in range(2):  # as everybody does
            subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True)
    assert (tmp_path / "garage" / "cars" / "collection.json").exists()


def test_the_first_command_ends_with_the_site(tmp_path: Path) -> None:
    line = re.findall(r"```sh\n(python3 -m venv .*)\n```", README)[0]
    command = line.split("&&")[-1].strip().replace(".venv/bin/", "")
    assert command == "docstore demo"
    with demo(tmp_path, *command.split()[1:]) as url, urlopen(url) as page:  # noqa: S310  our own
        assert "3,000 cars" in page.read().decode()


@contextmanager
def demo(folder: Path, *arguments: str) -> Iterator[str]:
    command = [sys.executable, "-m", "api", *arguments, "--port", "0", "--no-browser"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True)
    with server:
        assert server.stderr is not None
        yield next(found[0] for each in server.stderr if (found := re.search(r"http://\S+", each)))
        server.terminate()


def test_the_command_line_loads_and_finds_listings(tmp_path: Path) -> None:
    (line,) = re.findall(r"```sh\n(python3 -m venv .*docstore search .*)\n```", README)
    load, search = (part.strip() for part in line.split("&&")[2:])
    environment = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "COLUMNS": "120"}
    outputs = []
    for command in (load, search):
        local = command.replace(".venv/bin/", "").replace(" data ", f" {tmp_path / 'data'} ")
        ran = subprocess.run(
            ["bash", "-c", local],  # noqa: S607  the shell a reader pastes it into
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        outputs.append(ran.stdout + ran.stderr)
    assert "3,000" in outputs[0]
    assert "F-150" in outputs[1]


def test_the_curl_examples_do_what_they_say(tmp_path: Path) -> None:
    (example,) = re.findall(r"<!-- curl examples -->\n```sh\n(.*?)```", README, re.DOTALL)
    _, *commands = example.strip().splitlines()
    server = subprocess.Popen(
        [sys.executable, "-m", "api", "serve", str(tmp_path / "data"), "--port", "0"],
        stderr=subprocess.PIPE,
        text=True,
    )
    with server:
        assert server.stderr is not None
        address = server.stderr.readline().rsplit("http://", 1)[1].strip()
        outputs = [
            subprocess.run(
                ["bash", "-c", f"set -o pipefail; {local}"],  # noqa: S607  a reader's shell
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for command in commands
            for local in [
                command.replace("localhost:8000", address).replace("curl ", "curl -sS --fail ")
            ]
        ]
        server.terminate()
    made, first, second, bulk, index, search, after_it, changes = outputs
    assert '"collection":"offers"' in made
    assert '"version":1' in first
    assert '"version":2' in second
    assert bulk.count('"status":201') == 2
    assert '"field":"make"' in index
    assert '"total":1' in search
    assert '"total":2' in after_it  # the Kia and the BMW have no price
    assert changes.count('"operation":"put"') == 4


def test_all_errors_are_told_beside_what_they_are_a_kind_of() -> None:
    def kinds_of(kind: type[DocstoreError]) -> str:
        # Those of the door say how HTTP was used.
        own = [each for each in kind.__subclasses__() if each.__module__ == kind.__module__]
        told = [
            f"{each.__name__} ({more})" if (more := kinds_of(each)) else each.__name__
            for each in own
        ]
        return ", ".join(told)

    words = " ".join((ROOT / "README.md").read_text().split())
    assert f"and `data`: {kinds_of(DocstoreError)}." in words
