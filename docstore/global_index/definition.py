"""What a global index is: its field, what its postings carry, and how many partitions it has.

The names in the JSON form never change meaning. Absent: where it lives and how it is kept.
"""

import re
from dataclasses import dataclass
from typing import Any

from indexing.errors import Corruption, InvalidSchema
from indexing.schema import Kind, Schema

PARTITIONS_MAX = 64
"""Each costs a file that stays open and a durable commit per batch."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_REFUSED = {
    Kind.TEXT: "is text, of which only words are searched",
    Kind.IP: "is an address",
    Kind.OBJECT: "is an object",
}


@dataclass(frozen=True, slots=True, init=False)
class GlobalIndex:
    """`GlobalIndex("color", include=["make", "price"])`: documents by the values of a field.

    Sparse: a document without the field is not in it; one with a list is under each value. The
    postings are spread by the hash of the value over `partitions`. The name is the field's unless
    given. Raises InvalidSchema.
    """

    field: str
    include: tuple[str, ...]
    partitions: int
    name: str

    def __init__(
        self,
        field: str,
        include: tuple[str, ...] | list[str] = (),
        partitions: int = 4,
        name: str | None = None,
    ) -> None:
        if not isinstance(include, tuple | list) or not all(
            isinstance(path, str) and path for path in (field, *include)
        ):
            raise InvalidSchema(
                f"a global index over {field!r} including {include!r} names no fields",
                hint='for example GlobalIndex("color", include=["make", "price"])',
            )
        if type(partitions) is not int or not 1 <= partitions <= PARTITIONS_MAX:
            raise InvalidSchema(
                f"{partitions!r} index partitions", hint=f"use 1 to {PARTITIONS_MAX}"
            )
        chosen = field if name is None else name
        if not isinstance(chosen, str) or not _NAME.fullmatch(chosen):
            raise InvalidSchema(
                f"{chosen!r} is not an index's name",
                hint="give name=, of 1 to 100 letters, digits, _, . and -",
            )
        object.__setattr__(self, "field", field)
        object.__setattr__(self, "include", tuple(dict.fromkeys(include)))
        object.__setattr__(self, "partitions", partitions)
        object.__setattr__(self, "name", chosen)

    def check_fits(self, schema: Schema) -> None:
        """Refuse fields that documents cannot have, and values that have no order."""
        leaves = dict(schema.leaves())
        for path in (self.field, *self.include):
            inside = any(path == leaf or path.startswith(f"{leaf}.") for leaf in leaves)
            if not inside and schema.dynamic == "strict":
                raise InvalidSchema(
                    f"no document has a field {path!r}",
                    hint=f"fields: {', '.join(sorted(leaves))}",
                    field=path,
                )
        leaf = leaves.get(self.field)
        if leaf is not None and leaf.kind in _REFUSED:
            raise InvalidSchema(
                f"{self.field!r} {_REFUSED[leaf.kind]}: its values cannot be indexed whole",
                hint="index a keyword, number, boolean or date field",
                field=self.field,
            )

    def to_json(self) -> dict[str, Any]:
        """`{"name", "field", "include", "partitions"}`."""
        return {
            "name": self.name,
            "field": self.field,
            "include": list(self.include),
            "partitions": self.partitions,
        }

    @classmethod
    def from_json(cls, form: Any) -> "GlobalIndex":
        """Read `to_json` back; raises Corruption on anything else."""
        try:
            return cls(form["field"], form["include"], form["partitions"], form["name"])
        except (KeyError, TypeError, InvalidSchema) as error:
            raise Corruption(
                f"a stored index definition is wrong: {error}",
                hint="restore indexes.json from a copy, or remove it and create the indexes again",
            ) from error
