"""Settings: the caller before the environment before the file, and mistakes told by name."""

from pathlib import Path

import pytest

from api.http.settings import load_settings
from docstore import InvalidRequest, NotFound


def test_the_caller_wins_over_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "server.toml"
    config.write_text('port = 1\nthreads = 3\nlag_max = 7\ncors_origins = ["https://a.example"]\n')
    monkeypatch.setenv("DOCSTORE_PORT", "2")
    monkeypatch.setenv("DOCSTORE_THREADS", "4")
    settings = load_settings(config, port=5, host=None)
    assert (settings.port, settings.threads, settings.lag_max) == (5, 4, 7)
    assert settings.cors_origins == ("https://a.example",)
    assert settings.host == "127.0.0.1"


@pytest.mark.parametrize("content", ['port = "x"', "prot = 3", "port = ", "threads = 0"])
def test_a_wrong_file_is_told(tmp_path: Path, content: str) -> None:
    config = tmp_path / "server.toml"
    config.write_text(content)
    with pytest.raises(InvalidRequest):
        load_settings(config)


def test_a_missing_file_and_a_wrong_variable_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        load_settings(tmp_path / "none.toml")
    monkeypatch.setenv("DOCSTORE_CORS_ORIGINS", "not json")
    with pytest.raises(InvalidRequest):
        load_settings()
