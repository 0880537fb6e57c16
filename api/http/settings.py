"""What a served store may be told: addresses, limits and times, from environment, file or caller.

What the caller passes wins over the environment (`DOCSTORE_PORT=8000`), which wins over a TOML
file (`port = 8000`), which wins over the defaults. Every limit has a default that is safe.
"""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from docstore import InvalidRequest, NotFound
from indexing.place import CLAUSES_MAX, DEPTH_MAX

MEBIBYTE = 1024 * 1024


class Settings(BaseSettings):
    """The settings of one server. Sizes are bytes, times seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix="DOCSTORE_", extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    api_key_file: Path | None = None
    trusted_hosts: tuple[str, ...] = ()
    """Names besides this machine's own that a server without keys answers to."""
    cors_origins: tuple[str, ...] = ()
    access_log: bool = True

    body_bytes_max: int = Field(20 * MEBIBYTE, ge=1024)
    """Of a document: room for the escapes JSON allows above the 16 MiB that are stored."""
    search_bytes_max: int = Field(MEBIBYTE, ge=1024)
    """Of a search, a definition, or anything else that is not documents."""
    line_bytes_max: int = Field(20 * MEBIBYTE, ge=1024)
    """Of one line of NDJSON; a longer one is answered as an error and passed over."""
    document_bytes_max: int = Field(16 * MEBIBYTE, ge=1024)
    query_depth_max: int = Field(DEPTH_MAX, ge=1, le=100)
    query_clauses_max: int = Field(CLAUSES_MAX, ge=1)
    window_max: int = Field(10_000, ge=1, le=100_000)
    """The most hits from the first one on that a search pages through."""
    scan_limit_max: int = Field(1_000, ge=1)
    """Documents in one page of a scan or of a read by keys."""

    request_seconds: float = Field(10.0, gt=0)
    """How long one request may be worked on; a search may ask for less."""
    body_seconds: float = Field(20.0, gt=0)
    """How long a client may pause within its body, or take to send a whole small one."""
    header_seconds: float = Field(10.0, gt=0)
    header_bytes_max: int = Field(64 * 1024, ge=1024)
    answer_seconds: float = Field(60.0, gt=0)
    """How long a client may read nothing of what waits for it before its connection is cut."""
    heartbeat_seconds: float = Field(15.0, gt=0)
    """Between two signs of life in a stream of changes."""
    shutdown_seconds: int = Field(20, ge=1)

    auto_split: bool = True
    """Whether partitions above a limit of their collection are split, and small ones merged."""
    auto_salt: bool = False
    """Whether keys that stay hot are salted, and the salts of cold ones taken away, unasked."""

    threads: int = Field(8, ge=1, le=256)
    """For what would hold the event loop up: dear searches, patches, scans, large documents."""
    write_threads: int = Field(2, ge=1, le=64)
    """Shards whose commits wait for the disk at the same time."""
    expensive_searches_max: int = Field(32, ge=1)
    """Dear searches running or waiting for a thread; further ones are told to come back."""
    change_streams_max: int = Field(64, ge=1)
    connections_max: int = Field(1_000, ge=1)
    cheap_microseconds: float = Field(1_000.0, ge=0)
    """Searches priced below this run on the event loop: a thread costs 60 µs and a switch."""
    answer_cache_bytes: int = Field(32 * MEBIBYTE, ge=0)
    lag_max: int = Field(1_000_000, ge=0)
    """Entries all indexes together may be behind before the server says it is not ready."""


def load_settings(config: Path | None = None, **given: Any) -> Settings:
    """The settings of a server; what is given as None is left to the other sources.

    Raises InvalidRequest naming the setting that is wrong, NotFound when there is no such file.
    """
    if config is not None and not config.is_file():
        raise NotFound(f"there is no file {config}", hint="name a TOML file with settings")

    class FromFile(Settings):
        """The settings with this file as their third source."""

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003  part of the interface
            file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  part of it too
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            sources = (init_settings, env_settings)
            if config is None:
                return sources
            return (*sources, TomlConfigSettingsSource(settings_cls, config))

    try:
        return FromFile(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        name = ".".join(map(str, first["loc"]))
        raise InvalidRequest(
            f"setting {name!r}: {first['msg']}",
            hint="correct it in the environment (DOCSTORE_…), the --config file or the options",
            field=name,
        ) from error
    except (SettingsError, ValueError) as error:
        raise InvalidRequest(
            f"the settings cannot be read: {error}", hint="the --config file is TOML: port = 8000"
        ) from error
