"""The file of API keys: JSON, replaced as a whole, read again by a running server when it changes.

It holds hashes, never keys. Its form and its names never change meaning. Who changes it holds a
lock on its directory from reading to replacing, so that no other change is undone.
"""

import datetime
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request

from api.http.access import (
    EVERYTHING,
    SCOPES,
    Grant,
    StoredKey,
    granted,
    key_in,
    new_key,
)
from api.http.senders import Senders
from docstore import DocstoreError, InvalidRequest, NotFound, Unavailable
from docstore.files import usable, write_json

_FORMAT = 1
LOOK_SECONDS = 1.0
"""How often a running server looks whether the file changed: how long a revoked key may live on."""


def read_keys(path: Path) -> dict[str, StoredKey]:
    """The keys of a file by id; raises NotFound, InvalidRequest when it is not such a file."""
    try:
        if path.stat().st_mode & stat.S_IWOTH:
            raise InvalidRequest(
                f"everybody may write {path}, and so make keys", hint=f"chmod 600 {path}"
            )
        form = orjson.loads(path.read_bytes())
        if form["format"] != _FORMAT:
            raise ValueError("another format")
        return {each["id"]: _stored(each) for each in form["keys"]}
    except FileNotFoundError as error:
        raise NotFound(
            f"there is no key file {path}", hint=f"make it: docstore keys add {path} NAME"
        ) from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InvalidRequest(
            f"{path} is not a file of API keys", hint="restore it, or make keys in a new file"
        ) from error


def add_key(
    path: Path, name: str, scopes: tuple[str, ...], collections: tuple[str, ...]
) -> tuple[StoredKey, str]:
    """Make a key and keep its hash; returns it and the key itself, which nothing keeps."""
    unknown = set(scopes) - set(SCOPES)
    if unknown or not scopes:
        raise InvalidRequest(
            f"{', '.join(sorted(unknown)) or 'nothing'} is not a scope",
            hint=f"use {', '.join(SCOPES)}",
        )
    if not name.isprintable() or not name:
        raise InvalidRequest("the key's name is not printable", hint="say who will use the key")
    key_id, key, digest = new_key()
    created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    stored = StoredKey(key_id, digest, Grant(name, frozenset(scopes), collections), created)
    with usable(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with _changing(path):
        held = read_keys(path) if path.exists() else {}
        _write(path, {**held, key_id: stored})
    return stored, key


def revoke_key(path: Path, key_id: str) -> StoredKey:
    """Forget a key; raises NotFound."""
    read_keys(path)  # tells that there is none before anything is locked
    with _changing(path):
        held = read_keys(path)
        revoked = held.pop(key_id, None)
        if revoked is None:
            raise NotFound(f"there is no key {key_id!r}", hint="docstore keys list shows their ids")
        _write(path, held)
    return revoked


@contextmanager
def _changing(path: Path) -> Iterator[None]:
    """Nobody else changes the file meanwhile; waits for who does, which takes milliseconds."""
    with usable(path.parent):
        directory = os.open(path.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with usable(path.parent):
            fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _write(path: Path, held: dict[str, StoredKey]) -> None:
    with usable(path.parent):
        write_json(path, {"format": _FORMAT, "keys": [_as_json(each) for each in held.values()]})
        path.chmod(0o600)


def _as_json(stored: StoredKey) -> dict[str, Any]:
    return {
        "id": stored.id,
        "name": stored.grant.name,
        "hash": stored.hash,
        "scopes": [scope for scope in SCOPES if scope in stored.grant.scopes],
        "collections": list(stored.grant.collections),
        "created": stored.created,
    }


def _stored(form: dict[str, Any]) -> StoredKey:
    scopes, collections = form["scopes"], form["collections"]
    texts = [form[name] for name in ("id", "name", "hash", "created")]
    for each in (scopes, collections):
        if not isinstance(each, list):
            raise TypeError("not a list")
        texts += each
    if not all(isinstance(each, str) for each in texts) or set(scopes) - set(SCOPES):
        raise TypeError("not what a key has")
    grant = Grant(form["name"], frozenset(scopes), tuple(collections))
    return StoredKey(form["id"], form["hash"], grant, form["created"])


class Gate:
    """Grants requests what their keys allow; without a key file everything to those it hears."""

    def __init__(self, path: Path | None, senders: Senders) -> None:
        self.senders = senders
        self._path = path
        self._keys = {} if path is None else read_keys(path)
        self._stamp = self._stamp_now()
        self._is_readable = True
        self._looked = time.monotonic()

    def grant_of(self, request: Request) -> Grant:
        """What a request may do; raises Unauthorized, UntrustedHost, CrossSite."""
        if self._path is None:
            self.senders.check(request)
            return EVERYTHING
        if not self._is_readable or time.monotonic() - self._looked > LOOK_SECONDS:
            self._look()
        return granted(self._keys, key_in(request))

    def check(self) -> None:
        """Raise Unavailable when the keys cannot be read, so that nobody can be let in."""
        if self._path is not None:
            self._look()

    def _look(self) -> None:
        self._looked = time.monotonic()
        stamp = self._stamp_now()
        if stamp != self._stamp and self._path is not None:
            self._is_readable = False  # nobody is let in by keys that may have been revoked
            try:
                self._keys = read_keys(self._path)
            except DocstoreError as error:
                raise Unavailable(
                    "the server's file of API keys cannot be read", hint="restore it"
                ) from error
            self._is_readable = True
            self._stamp = stamp

    def _stamp_now(self) -> tuple[int, int]:
        """What changes when the file, or who may write it, does."""
        try:
            about = None if self._path is None else self._path.stat()
        except OSError:
            about = None
        return (0, 0) if about is None else (about.st_ctime_ns, about.st_ino)
