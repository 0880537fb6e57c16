"""The fields a query names, as the columns of one layout; and what to say when there are none.

A field that the schema does not know is an error, unless documents may hold anything there: then it
matches nothing and a note says so. What a value means never depends on which columns a shard has.
"""

import difflib
from collections.abc import Iterable
from typing import Any

from indexing.errors import InvalidQuery
from indexing.layout import Column, ColumnKind, Layout
from indexing.typed import typed_value

STRINGS = (ColumnKind.TEXT, ColumnKind.KEYWORD)


class Fields:
    """Looks fields up in a layout; `notes` collects what a person would want to know.

    While `is_typed_by_hand`, every value is text, and means whatever the columns can read it as.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self.notes: list[str] = []
        self.is_typed_by_hand = False

    def columns(self, path: str) -> tuple[Column, ...]:
        """The columns of a field; none when documents may hold it but none does."""
        columns = self._layout.by_path.get(path, ())
        if columns:
            return columns
        if not self._layout.is_open(path):
            known = sorted(self._layout.by_path)
            near = difflib.get_close_matches(path, known, 1)
            raise InvalidQuery(
                f"there is no field {path!r}",
                hint=f"did you mean {near[0]!r}?" if near else f"fields: {', '.join(known[:20])}",
                path=path,
            )
        if self._layout.is_full:
            raise InvalidQuery(
                f"field {path!r} is not indexed: the documents have too many different fields",
                hint="declare the fields you search by in the schema",
                path=path,
            )
        self.notes.append(f"no document has a field {path!r}")
        return ()

    def of_kind(self, path: str, kinds: Iterable[ColumnKind]) -> list[Column]:
        """The columns of a field that store values in one of some ways."""
        return [column for column in self.columns(path) if column.kind in kinds]

    def typed(self, column: Column, value: Any) -> Any:
        """The value as the column stores it, or None.

        A declared field reads "5" as a number. A discovered one does not: it may hold both, and
        which columns it has must not decide what a value means.
        """
        return typed_value(column, value) if self.may_hold(column, value) else None

    def may_hold(self, column: Column, value: Any) -> bool:
        """Whether a value of a query may be read as one of the column's kind."""
        return (
            self.is_typed_by_hand
            or not self.is_discovered(column)
            or isinstance(value, str) == (column.kind in STRINGS)
        )

    def is_discovered(self, column: Column) -> bool:
        """Whether no schema declares the column."""
        return column.name in self._layout.discovered_names

    def refuse_mismatch(self, path: str, columns: tuple[Column, ...], value: Any) -> None:
        """Refuse a value that a declared field can never hold; others just match nothing."""
        if columns and path in self._layout.schema.paths:
            kinds = " or ".join(column.kind.name.lower() for column in columns)
            raise InvalidQuery(
                f"{value!r} is not a value of {path!r}, which holds {kinds}",
                hint="compare a field with values of its own type",
                path=path,
            )
