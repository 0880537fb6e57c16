"""The postings that a document has in an index, computed from the document alone.

Pure: no file is known here. What is asked for comes to the same terms by the same readings.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from math import prod
from types import NoneType
from typing import Any

import orjson

from docstore.global_index import postings
from docstore.global_index.definition import GlobalIndex
from docstore.global_index.postings import packed
from docstore.global_index.readings import all_comparable
from docstore.global_index.tails import Changed
from docstore.global_index.term_salts import named
from docstore.global_index.terms import BEYOND, stored, term_of, values_at
from docstore.global_index.wanted import Asked, Condition, Held, Wanted, combined, wanted_of
from docstore.shards.records import Record
from indexing.analysis import analyzer_of
from indexing.errors import InvalidQuery
from indexing.schema import Kind, Schema

_PLAIN = (str, int, float, bool)
_UNCOMPARED = (Kind.TEXT, Kind.IP, Kind.OBJECT)
"""Kinds whose search is not a comparison of values: carried, never compared."""
_SCALARS = frozenset((str, int, float, bool, type(None)))
TERMS_KNOWN_MAX = 20_000
"""Values of an index whose terms are remembered: some 4 MB; then they are forgotten."""
COMBINATIONS_MAX = 1000
"""Postings of a document in an index over several fields: one for each combination of values. Of
two lists that is their product, which nobody asks for as a whole; see `lacking`."""
TESTS_KNOWN_MAX = 256
"""Conditions that are remembered as they are held against values."""
Tests = list[tuple[str, Held]]
"""Fields and what is held against them."""
Rows = list[dict[bytes, bytes]]
"""For each index partition the postings of one document, by stored term."""
Spread = list[dict[bytes, Mapping[bytes, bytes]]]
"""For each index partition the documents with postings there, and these, by stored term."""


class Extractor:
    """Reads the fields of one index out of documents."""

    def __init__(
        self, definition: GlobalIndex, schema: Schema, *, is_spreading: bool = False
    ) -> None:
        """`is_spreading`: postings are made under a salted term's other fan too."""
        self.definition = definition
        self._salts = definition.salt_of
        self._is_spreading = is_spreading
        self._leaves = dict(schema.leaves())
        self._readers = [_reader_of(path) for path in definition.fields]
        self._words = [self._words_of(path, schema) for path in definition.fields]
        self._kinds = [self.kind_of(path) for path in definition.fields]
        self._included = [_reader_of(path) for path in definition.include]
        self.is_single = len(definition.fields) == 1
        self.has_words = any(words is not None for words in self._words)
        names = (*definition.fields, *definition.include)
        self._plain = () if self.has_words or any("." in name for name in names) else names
        self._is_usual = self.is_single and bool(self._plain) and not definition.covers_all
        self._tested: dict[int, tuple[Sequence[Condition], Tests]] = {}
        self._known: dict[type, dict[Any, tuple[bytes, int] | None]] = {str: {}, int: {}}

    def _words_of(self, path: str, schema: Schema) -> Callable[[str], list[str]] | None:
        leaf = self._leaves.get(path)
        if leaf is None or leaf.kind is not Kind.TEXT:
            return None
        analyzer: Callable[[str], list[str]] = analyzer_of(
            leaf.analyzer, schema.analyzers
        ).index.analyze
        return analyzer

    def kind_of(self, path: str) -> Kind:
        """The kind of a field; ANY of what the schema does not name."""
        leaf = self._leaves.get(path)
        return Kind.ANY if leaf is None else leaf.kind

    def covers(self, path: str) -> bool:
        """Whether postings carry a field's values, to compare, count and sort them."""
        if self.kind_of(path) in _UNCOMPARED:
            return False
        return self.definition.covers_all or path in self.definition.covered

    def spread(self, documents: Iterable[Changed], shard: int, found: Spread) -> None:
        """Add the postings of many documents of a shard; those without any are left out."""
        field, include = self.definition.field, self.definition.include
        for key, record, document, _ in documents:
            if record is None:
                continue
            if self._is_usual:
                # The usual case, written out: one scalar under one field, scalars included.
                value = document.get(field)
                if value is None:
                    continue
                payload = [value, *map(document.get, include)]
                known = self._known.get(type(value))
                if known is not None and _SCALARS.issuperset(map(type, payload)):
                    at = known[value] if value in known else self._learn(known, value)
                    if at is None:
                        continue
                    term, place = at
                    if term not in self._salts:
                        carried = orjson.dumps(payload)
                        row = packed(
                            term, key, shard, record.seq, record.version, carried, plain=True
                        )
                        found[place][key] = {term: row}
                        continue
            for here, rows in zip(found, self.rows(document, key, shard, record), strict=True):
                if rows:
                    here[key] = rows

    def _learn(
        self, known: dict[Any, tuple[bytes, int] | None], value: Any
    ) -> tuple[bytes, int] | None:
        """The stored term of a value and its index partition; None when it has none."""
        if len(known) >= TERMS_KNOWN_MAX:
            known.clear()
        term = term_of(value, self._kinds[0])
        at = None
        if term is not None:
            kept = stored(term)
            at = (kept, self.definition.partition_of(kept))
        known[value] = at
        return at

    def rows(self, document: Any, key: bytes, shard: int, record: Record) -> Rows:
        """A document's postings in every partition."""
        rows: Rows = [{} for _ in range(self.definition.partitions)]
        found = self._terms(document)
        if not found:
            return rows
        if self.definition.covers_all:
            carried = b"," + record.body + b"]"
        else:
            included = [_shown(reader(document)) for reader in self._included]
            carried = b"," + orjson.dumps(included)[1:] if included else b"]"
        several = len(found) > 1
        plain = bool(self._plain) and _SCALARS.issuperset(
            [type(document.get(name)) for name in self._plain]
        )
        if several and not self.definition.covers_all and None in self._words:
            # A posting holds one combination; what else the document has is compared and shown.
            values = [
                _shown(reader(document)) if words is None else None
                for reader, words in zip(self._readers, self._words, strict=True)
            ]
            carried = carried[:-1] + b"," + orjson.dumps(values) + b"]"
        is_shared = several and len(carried) > postings.SHARED_BYTES_MIN
        end, shared = (b"]", carried) if is_shared else (carried, None)
        for term, value in found.items():
            payload = b"[" + orjson.dumps(value) + end
            for place, name in self._placed(term, key):
                rows[place][name] = packed(
                    name,
                    key,
                    shard,
                    record.seq,
                    record.version,
                    payload,
                    several=several,
                    plain=plain,
                    shared=shared,
                )
        return rows

    def _placed(self, term: bytes, key: bytes) -> list[tuple[int, bytes]]:
        """Where a document's posting under a term is kept, and under what."""
        salt = self._salts.get(term)
        if salt is None:
            return [(self.definition.partition_of(term), term)]
        fans = salt.fans if self._is_spreading else (salt.fan,)
        return [(self.definition.place_of(term, key, fan), named(term, fan)) for fan in fans]

    def _terms(self, document: Any) -> dict[bytes, Any]:
        """The values of the indexed fields by stored term: the first of equal ones."""
        if self.is_single and not self.has_words:
            # The usual case, written out: one field, one value.
            values = self._readers[0](document)
            if not values:
                return {}
            if len(values) == 1:
                term = term_of(values[0], self._kinds[0])
                return {} if term is None else {stored(term): values[0]}
        parts: list[dict[bytes, Any]] = []
        for reader, words, kind in zip(self._readers, self._words, self._kinds, strict=True):
            values = reader(document)
            if words is not None:
                values = [word for value in values if type(value) is str for word in words(value)]
            part: dict[bytes, Any] = {}
            for value in values:
                term = term_of(value, kind)
                if term is not None and term not in part:
                    part[term] = value
            if not part:
                return part
            parts.append(part)
        if self.is_single:
            return {stored(term): value for term, value in parts[0].items()}
        return _combinations(parts)

    def value_reader(self, path: str) -> Callable[[list[Any]], Any]:
        """What finds a covered field in a posting's payload: a value, a list, or None."""
        definition = self.definition
        if path in definition.include:
            place = 1 + definition.include.index(path)
            return lambda payload: payload[place]
        if definition.covers_all:
            reader = _reader_of(path)
            return lambda payload: _shown(reader(payload[1]))
        if path in definition.fields:
            field, end = definition.fields.index(path), 1 + len(definition.include)
            if self.is_single:
                return lambda payload: payload[0] if len(payload) == end else payload[end][0]
            return lambda payload: payload[0 if len(payload) == end else end][field]
        raise self._not_included(path)

    def compared_reader(self, path: str) -> Callable[[list[Any]], Any]:
        """The same, as the field's kind compares it."""
        reader, kind = self.value_reader(path), self.kind_of(path)
        return lambda payload: all_comparable(reader(payload), kind)

    def compared(self, path: str, payloads: Sequence[list[Any]]) -> list[Any]:
        """A covered field of many postings, as its kind compares it."""
        kind = self.kind_of(path)
        values = list(map(self.value_reader(path), payloads))
        kinds = set(map(type, values))
        if len(kinds - {NoneType}) == 1 and list not in kinds:
            # Of one type, equal values are read alike: each is read once.
            read = {value: all_comparable(value, kind) for value in set(values)}
            return list(map(read.__getitem__, values))
        # Postings of one document have one list, and so have one that is read.
        lists = {id(each): each for each in values if type(each) is list}
        alike = {name: all_comparable(each, kind) for name, each in lists.items()}
        return [
            alike[id(each)] if type(each) is list else all_comparable(each, kind) for each in values
        ]

    def wanted(self, asked: Sequence[Asked]) -> Wanted:
        """The stored terms of what is asked of the leading fields; raises InvalidQuery."""
        parts = [wanted_of(each, kind) for each, kind in zip(asked, self._kinds, strict=False)]
        if len(asked) > len(parts):
            raise InvalidQuery(
                f"the index {self.definition.name!r} has {len(parts)} fields",
                hint=f"ask for: {', '.join(self.definition.fields)}",
            )
        return combined(parts, len(self._kinds))

    def tests(self, conditions: Sequence[Condition]) -> Tests:
        """Conditions on covered fields, ready to be held; raises InvalidQuery.

        The same tuple, asked again, is made ready once.
        """
        known = self._tested.get(id(conditions))
        if known is not None and known[0] is conditions:
            return known[1]
        for condition in conditions:
            self.check_covers(condition.field)
        made = [(each.field, Held(each, self.kind_of(each.field))) for each in conditions]
        if type(conditions) is tuple:
            if len(self._tested) >= TESTS_KNOWN_MAX:
                self._tested.clear()
            self._tested[id(conditions)] = conditions, made  # held, so its id is of it alone
        return made

    def check_covers(self, path: str) -> None:
        """Refuse a field that postings do not carry; raises InvalidQuery."""
        if not self.covers(path):
            raise self._not_included(path)

    def _not_included(self, path: str) -> InvalidQuery:
        definition = self.definition
        return InvalidQuery(
            f"the index {definition.name!r} does not include {path!r}",
            hint=f"use one of: {', '.join((*definition.fields, *definition.include))}",
        )


def _reader_of(path: str) -> Callable[[Any], Sequence[Any]]:
    """What finds every scalar at a path; quick where the path is a plain field."""
    if "." in path:
        return lambda document: list(values_at(document, path))

    def read(document: Any) -> Sequence[Any]:
        value = document.get(path)
        if value is None:
            return ()
        return (value,) if type(value) in _PLAIN else list(values_at(value, ""))

    return read


def _shown(values: Sequence[Any]) -> Any:
    """The values of a field: alone, a list of several, or None."""
    return list(values) if len(values) > 1 else values[0] if values else None


def _combinations(parts: Sequence[Mapping[bytes, Any]]) -> dict[bytes, Any]:
    """The values of several fields by stored term, each of one with each of the others."""
    if prod(map(len, parts)) > COMBINATIONS_MAX:
        return {BEYOND: [None] * len(parts)}
    return {
        stored(b"".join(term for term, _ in each)): [value for _, value in each]
        for each in product(*(part.items() for part in parts))
    }
