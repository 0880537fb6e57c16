"""Keys in paths and in JSON: a text for every key, and the same key back from it.

Invariant: `key_of(path_of(key)) == key` for every key a collection can hold. A string key is its
own text; the parts of a compound key are a JSON list. Where that does not read back as the same
key (a key that begins with ~, the names . and .. that URLs resolve, bytes), the text is ~ and the
key's encoded bytes in base64url. Percent-encoding is on top of that, as in any URL.
"""

import base64
import binascii
from typing import Any
from urllib.parse import quote, unquote_to_bytes

import orjson

from api import keys
from api.json_text import BASE64, json_bytes
from docstore import Collection, DocstoreError, InvalidRequest
from docstore.keys import decode, encode
from docstore.types import Key

ENCODED = "~"
_SEGMENTS_BEFORE_KEY = 5
_RESOLVED_BY_URLS = (".", "..", "")


def text_of(collection: Collection[Any], key: Key) -> str:
    """The text of a key, not percent-encoded yet."""
    text = key if isinstance(key, str) else json_bytes(key).decode()
    if text in _RESOLVED_BY_URLS or text.startswith(ENCODED):
        return _encoded(collection, key)
    # A string that is a whole key is read as it is.
    is_plain = not collection.key_is_typed
    return text if is_plain or _reads_back(collection, text, key) else _encoded(collection, key)


def path_of(collection: Collection[Any], key: Key) -> str:
    """The text of a key as one segment of a path."""
    return quote(text_of(collection, key), safe="-_.!*'(),:@")


def key_of(collection: Collection[Any], text: str) -> Key:
    """The key of a text; raises InvalidRequest for one that no key has."""
    if not text.startswith(ENCODED):
        return keys.key_of(collection, text) if collection.key_is_typed else text
    try:
        data = base64.urlsafe_b64decode(text[1:] + "=" * (-len(text[1:]) % 4))
        return decode(collection.partitions.definition.key, data)
    except (binascii.Error, ValueError, DocstoreError) as error:
        raise InvalidRequest(
            f"{text[:100]!r} is not an encoded key",
            hint="after ~ comes what a Location header or a cursor of this server gave",
            path="key",
        ) from error


def key_in_path(collection: Collection[Any], raw_path: bytes) -> Key:
    """The key that a document's raw path ends with: /v1/collections/{collection}/documents/{key}.

    Not taken from the path as the server decoded it, which replaces what is not UTF-8.
    """
    try:
        text = unquote_to_bytes(raw_path.split(b"/", _SEGMENTS_BEFORE_KEY)[-1]).decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(
            "the key in the path is not UTF-8", hint="percent-encode the key's UTF-8", path="key"
        ) from error
    return key_of(collection, text)


def key_of_json(collection: Collection[Any], value: Any) -> Key:
    """The key a JSON value names: a string as it is, a list of parts as the fields' kinds say.

    Bytes are {"base64": …}, as answers have them.
    """
    parts = value if isinstance(value, list) else [value]
    if any(isinstance(part, dict) for part in parts):
        return tuple(_bytes_of_json(part) if isinstance(part, dict) else part for part in parts)
    if len(collection.key_fields) == 1 and not collection.key_is_typed:
        return tuple(value) if isinstance(value, list) else value  # what is no text is refused
    if isinstance(value, list):
        return keys.key_of(collection, orjson.dumps(value).decode())
    if isinstance(value, str):
        return key_of(collection, value)
    return keys.key_of(collection, orjson.dumps(value).decode())


def _bytes_of_json(part: dict[str, Any]) -> bytes:
    try:
        (name,) = part
        if name == BASE64:
            return base64.b64decode(part[name], validate=True)
    except (binascii.Error, TypeError, ValueError):
        pass
    raise InvalidRequest(
        "an object in a key is not bytes", hint='bytes are written {"base64": "AP8="}', path="key"
    )


def _reads_back(collection: Collection[Any], text: str, key: Key) -> bool:
    try:
        return _bytes_of(collection, key_of(collection, text)) == _bytes_of(collection, key)
    except DocstoreError:
        return False


def _bytes_of(collection: Collection[Any], key: Key) -> bytes:
    return encode(collection.partitions.definition.key, key)


def _encoded(collection: Collection[Any], key: Key) -> str:
    data = base64.urlsafe_b64encode(_bytes_of(collection, key)).rstrip(b"=")
    return ENCODED + data.decode()
