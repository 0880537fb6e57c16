"""The keys of a collection on their way to a server and back; pure.

A typed key travels as `~` and its encoded bytes in base64url, which is exact for every kind of
part. Keys that come inside answers are JSON: their dates become dates again by the schema, and an
object with base64 is bytes.
"""

import base64
from typing import Any

from docstore import keys
from docstore.client.questions import json_of
from docstore.key_parts import KeyParts
from docstore.keys import KeySpec
from docstore.types import Key
from indexing.errors import InvalidRequest
from indexing.schema import Schema

_RESOLVED_BY_URLS = ("", ".", "..")


class TravellingKeys:
    """Keys of one kind, as a caller has them, as they are stored and as they travel."""

    def __init__(self, schema: Schema, spec: KeySpec) -> None:
        self.spec = spec
        self._parts = KeyParts(schema, spec)

    def encoded(self, key: Key) -> bytes:
        """A key as it is stored; raises InvalidDocument."""
        return keys.encode(self.spec, self._parts.key(key))

    def of(self, encoded: bytes) -> Key:
        """The key that is stored so."""
        return keys.decode(self.spec, encoded)

    def text(self, encoded: bytes) -> str:
        """A stored key as a path has it, not percent-encoded yet."""
        if not self.spec.typed:
            text = encoded.decode()
            if text not in _RESOLVED_BY_URLS and not text.startswith("~"):
                return text
        return "~" + base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()

    def value(self, encoded: bytes) -> str:
        """A stored key as JSON has it: a string is its own text, only typed keys begin with ~."""
        return self.text(encoded) if self.spec.typed else encoded.decode()

    def bound(self, bound: Key) -> str:
        """A key or its leading parts, as the API's scan reads them."""
        if not self.spec.typed:
            return self.text(keys.prefix_range(self.spec, bound)[0])
        parts = self._parts.key(bound)
        keys.prefix_range(self.spec, parts)
        if len(parts) == len(self.spec.fields):
            return self.text(keys.encode(self.spec, parts))
        if any(isinstance(part, bytes) for part in parts):
            raise InvalidRequest(
                "the leading parts of a key cannot travel with bytes among them",
                hint="scan between whole keys",
            )
        return json_of(list(parts)).decode()

    def said(self, key: Any) -> Key:
        """The key that an answer names."""
        if not self.spec.typed:
            return key
        given = key if isinstance(key, list) else [key]
        parts = self._parts.key(
            [_bytes(each) if isinstance(each, dict) else each for each in given]
        )
        return parts[0] if len(self.spec.fields) == 1 else parts


def _bytes(part: dict[str, str]) -> bytes:
    return base64.b64decode(part["base64"], validate=True)
