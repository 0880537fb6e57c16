"""What the README shows works."""

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

README = (ROOT / "README.md").read_text()


def test_the_python_examples_run(tmp_path: Path) -> None:
    examples = re.findall(r"<!-- example[^>]*-->\n```python\n(.*?)```", README, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        script = tmp_path / "example.py"
        script.write_text(example)
        subprocess.run([sys.executable, str(script)], cwd=tmp_path, check=True)
    assert (tmp_path / "garage" / "cars" / "collection.json").exists()


def test_the_first_command_loads_and_finds_listings(tmp_path: Path) -> None:
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
