"""Who may do what: API keys, their scopes and the collections they may touch.

A key is random, 256 bits, so it cannot be guessed from its hash and needs no slow hash: SHA-256 is
what a file of keys holds, and a request costs microseconds, not the tens of milliseconds that make
sense for passwords people choose. Hashes are compared in constant time. A server without a key file
grants everything: it then listens on loopback only.
"""

import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from starlette.requests import Request

from api.http.refusals import Forbidden, Unauthorized

Scopes = Literal["read", "write", "admin"]
SCOPES: tuple[Scopes, ...] = ("read", "write", "admin")
PREFIX = "dsk"
_SECRET_BYTES = 32


_ALL = ("*",)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a request may do: scopes, and patterns of collections' names."""

    name: str
    scopes: frozenset[str]
    collections: tuple[str, ...] = _ALL

    def check(self, scope: Scopes, collection: str | None) -> None:
        """Raise Forbidden unless this may be done to that collection, or to the store when None.

        What an admin is told of the store is of all collections, so it takes a key for all.
        """
        if scope not in self.scopes:
            raise Forbidden(
                f"the key {self.name!r} lacks the scope {scope!r}",
                hint="docstore keys add makes a key with other scopes",
                scope=scope,
            )
        if collection is not None and not self.sees(collection):
            raise Forbidden(
                f"the key {self.name!r} is not for this collection",
                hint="docstore keys add makes a key for other collections",
            )
        if collection is None and scope == "admin" and self.collections != _ALL:
            raise Forbidden(
                f"the key {self.name!r} is not for all collections",
                hint="docstore keys add without --collection makes a key for all",
            )

    def sees(self, collection: str) -> bool:
        """Whether the key is for a collection of that name."""
        patterns = self.collections
        return patterns == _ALL or any(fnmatchcase(collection, each) for each in patterns)


NOTHING = Grant("nobody", frozenset(), ())
EVERYTHING = Grant("nobody", frozenset(SCOPES))


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as the file holds it: all but its secret."""

    id: str
    hash: str
    grant: Grant
    created: str


def new_key() -> tuple[str, str, str]:
    """A fresh key: its id, the whole key to hand out once, and the hash to keep."""
    key_id = secrets.token_hex(6)
    key = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return key_id, key, hash_of(key)


def hash_of(key: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def key_in(request: Request) -> str | None:
    """The key a request carries: `Authorization: Bearer …` or `X-API-Key: …`."""
    authorization = request.headers.get("authorization", "")
    kind, _, given = authorization.partition(" ")
    if kind.lower() == "bearer" and given:
        return given.strip()
    return request.headers.get("x-api-key")


def granted(keys: Mapping[str, StoredKey], given: str | None) -> Grant:
    """What a key grants; raises Unauthorized, which does not say what was wrong with it."""
    if given is None:
        raise Unauthorized("this server wants an API key", hint="send authorization: Bearer dsk_…")
    key_id = given.split("_", 2)[1] if given.count("_") >= 2 else ""
    stored = keys.get(key_id)
    # An unknown id is compared too, so that it takes as long as a wrong secret.
    expected = hash_of("") if stored is None else stored.hash
    if not hmac.compare_digest(expected, hash_of(given)) or stored is None:
        raise Unauthorized("the API key is not known", hint="it may have been revoked")
    return stored.grant
