"""What a global index is: its fields, what its postings carry, and how its terms are spread.

The names in the JSON form never change meaning. Absent: where it lives and how it is kept.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from docstore.global_index.term_salts import (
    TermSalt,
    middle_of,
    named,
    place_in,
    places_in,
)
from docstore.partitioning import token_of
from indexing.errors import Corruption, InvalidSchema
from indexing.schema import Kind, Schema

PARTITIONS_MAX = 64
"""Each costs a file that stays open and a durable commit per batch."""
FIELDS_MAX = 8
EVERYTHING = "all"
"""`include="all"`: postings carry the whole document."""
RESERVED = ("auto", "none")
"""What a search or a command says instead of an index's name: whichever is cheapest, and none."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_REFUSED = {Kind.IP: "is an address", Kind.OBJECT: "is an object"}


@dataclass(frozen=True, init=False)
class GlobalIndex:
    """`GlobalIndex("color", include=["make", "price"])`: documents by the values of a field.

    Sparse: a document without the field is not in it; one with a list is under each value, a text
    field's document under each of its words. Several fields make one index over their combined
    values. Its terms are spread over `partitions` by hash, or by ranges of values
    (`by="range"`), whose bounds are chosen from the documents when it is filled. Its name is that
    of its fields unless given; "auto" and "none" are none. Raises InvalidSchema.
    """

    fields: tuple[str, ...]
    include: tuple[str, ...]
    covers_all: bool
    partitions: int
    name: str
    by: Literal["hash", "range"]
    bounds: tuple[bytes, ...]
    salts: tuple[TermSalt, ...]

    def __init__(
        self,
        field: str | Sequence[str],
        include: Sequence[str] | Literal["all"] = (),
        partitions: int = 4,
        name: str | None = None,
        by: Literal["hash", "range"] = "hash",
        *,
        bounds: Sequence[bytes] = (),
        salts: Sequence[TermSalt] = (),
    ) -> None:
        fields: tuple[Any, ...] = tuple(field) if _is_many(field) else (field,)
        covers_all = isinstance(include, str) and include == EVERYTHING
        included = () if covers_all else include
        if (
            not _is_many(included)
            or not 1 <= len(fields) <= FIELDS_MAX
            or not all(isinstance(path, str) and path for path in (*fields, *included))
            or len(set(fields)) < len(fields)
        ):
            raise InvalidSchema(
                f"a global index over {field!r} including {include!r} names no fields",
                hint='for example GlobalIndex("color", include=["make", "price"])',
            )
        if type(partitions) is not int or not 1 <= partitions <= PARTITIONS_MAX:
            raise InvalidSchema(
                f"{partitions!r} index partitions", hint=f"use 1 to {PARTITIONS_MAX}"
            )
        if by not in ("hash", "range"):
            raise InvalidSchema(f"terms spread by {by!r}", hint='use "hash" or "range"')
        chosen = check_name("+".join(fields) if name is None else name)
        for attribute, value in (
            ("fields", fields),
            ("include", tuple(dict.fromkeys(included))),
            ("covers_all", covers_all),
            ("partitions", partitions),
            ("name", chosen),
            ("by", by),
            ("bounds", tuple(bounds)),
            ("salts", tuple(salts)),
        ):
            object.__setattr__(self, attribute, value)

    @property
    def field(self) -> str:
        """The first field it is over."""
        return self.fields[0]

    @cached_property
    def covered(self) -> frozenset[str]:
        """The paths whose values postings carry, unless they carry everything."""
        return frozenset((*self.fields, *self.include))

    def partition_of(self, term: bytes) -> int:
        """The own index partition of a stored term: a slice of token space, or of the terms."""
        if self.by == "range":
            return bisect_right(self.bounds, term)
        return (token_of(term) * self.partitions) >> 32

    def partitions_between(self, lower: bytes, upper: bytes) -> Sequence[int]:
        """The index partitions that can hold a term in [lower, upper)."""
        if self.by == "hash":
            return range(self.partitions)
        found = range(self.partition_of(lower), self.partition_of(upper) + 1)
        spread = [each.term for each in self.salts if lower <= each.term < upper]
        return sorted({*found, *(place for term in spread for place in self.places_of(term))})

    @cached_property
    def salt_of(self) -> dict[bytes, TermSalt]:
        """The terms whose postings are spread, or are being spread or gathered."""
        return {each.term: each for each in self.salts}

    @cached_property
    def unread(self) -> tuple[bytes, ...]:
        """Under what postings are kept that nobody reads: of terms whose fan changes."""
        return tuple(each.unread for each in self.salts if each.unread is not None)

    def named(self, term: bytes) -> bytes:
        """Under what the postings of a stored term are kept that are read."""
        salt = self.salt_of.get(term)
        return term if salt is None else salt.name

    def term_named(self, name: bytes) -> bytes:
        """The stored term of which postings are kept under a name."""
        names = {named(each.term, fan): each.term for each in self.salts for fan in each.fans}
        return names.get(name, name)

    def fan_of(self, term: bytes) -> int:
        """At how many places the postings of a stored term are read."""
        salt = self.salt_of.get(term)
        return 1 if salt is None else salt.fan

    def places_of(self, term: bytes) -> tuple[int, ...]:
        """The index partitions in which the postings of a stored term are read, in order."""
        return self.places_at(term, self.fan_of(term))

    def places_at(self, term: bytes, fan: int) -> tuple[int, ...]:
        """The index partitions that hold the postings of a stored term at a fan, in order."""
        if fan == 1:
            return (self.partition_of(term),)
        return places_in(self._token_of(term), fan, self.partitions)

    def place_of(self, term: bytes, key: bytes, fan: int) -> int:
        """The index partition of a document's posting under a stored term, at a fan."""
        if fan == 1:
            return self.partition_of(term)
        return place_in(self._token_of(term), key, fan, self.partitions)

    def _token_of(self, term: bytes) -> int:
        if self.by == "hash":
            return token_of(term)
        return middle_of(self.partition_of(term), self.partitions)

    def check_fits(self, schema: Schema) -> None:
        """Refuse fields that documents cannot have, values that have no order, and taken names."""
        check_new_name(self.name)
        leaves = dict(schema.leaves())
        for path in (*self.fields, *self.include):
            inside = any(path == leaf or path.startswith(f"{leaf}.") for leaf in leaves)
            if not inside and schema.dynamic == "strict":
                raise InvalidSchema(
                    f"no document has a field {path!r}",
                    hint=f"fields: {', '.join(sorted(leaves))}",
                    field=path,
                )
        for path in self.fields:
            leaf = leaves.get(path)
            if leaf is not None and leaf.kind in _REFUSED:
                raise InvalidSchema(
                    f"{path!r} {_REFUSED[leaf.kind]}: its values cannot be indexed",
                    hint="index a text, keyword, number, boolean or date field",
                    field=path,
                )

    def to_json(self) -> dict[str, Any]:
        """`{"name", "field", "include", "partitions", "by", "bounds", "salts"}`."""
        return {
            "name": self.name,
            "field": self.field if len(self.fields) == 1 else list(self.fields),
            "include": EVERYTHING if self.covers_all else list(self.include),
            "partitions": self.partitions,
            "by": self.by,
            "bounds": [bound.hex() for bound in self.bounds],
            "salts": [salt.to_json() for salt in self.salts],
        }

    @classmethod
    def from_json(cls, form: Any) -> "GlobalIndex":
        """Read `to_json` back; raises Corruption on anything else."""
        try:
            bounds = [bytes.fromhex(each) for each in form.get("bounds", ())]
            salts = [TermSalt.from_json(each) for each in form.get("salts", ())]
            by, name = form.get("by", "hash"), form["name"]
            return cls(
                form["field"],
                form["include"],
                form["partitions"],
                name,
                by,
                bounds=bounds,
                salts=salts,
            )
        except (AttributeError, KeyError, TypeError, ValueError, InvalidSchema) as error:
            raise Corruption(
                f"a stored index definition is wrong: {error}",
                hint="restore indexes.json from a copy, or remove it and create the indexes again",
            ) from error

    def changed(
        self,
        *,
        name: str | None = None,
        bounds: Sequence[bytes] = (),
        salts: Sequence[TermSalt] | None = None,
    ) -> "GlobalIndex":
        """The same index under another name, or with other bounds or salts."""
        include = EVERYTHING if self.covers_all else self.include
        return GlobalIndex(
            self.fields,
            include,
            self.partitions,
            name or self.name,
            self.by,
            bounds=bounds or self.bounds,
            salts=self.salts if salts is None else salts,
        )


def _is_many(names: Any) -> bool:
    return isinstance(names, Sequence) and not isinstance(names, str)


def check_new_name(name: Any) -> str:
    """A name that an index may be given; raises InvalidSchema.

    One that has another already is read all the same.
    """
    if name in RESERVED:
        raise InvalidSchema(
            f"an index cannot be named {name!r}: where a search names one, that says another thing",
            hint=f'give another name=, like "by-{name}"',
        )
    return check_name(name)


def check_name(name: Any) -> str:
    """A name of an index; raises InvalidSchema."""
    if not isinstance(name, str) or not _NAME.fullmatch(name.replace("+", "_")):
        raise InvalidSchema(
            f"{name!r} is not an index's name",
            hint="give name=, of 1 to 100 letters, digits, _, ., + and -",
        )
    return name
